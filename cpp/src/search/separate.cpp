#include "search/separate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "balmer/expr/print.hpp"
#include "search/atoms.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kFewestRows = 100, kMostVariables = 5;
constexpr std::size_t kFormulas = 300, kAtoms = 150;
constexpr std::size_t kMostViews = 2;
/// Largest difference between neighbours, in units of what it is without the factor or term, that is worth a view.
constexpr double kWorthwhile = 0.1;
/// A simpler f is taken if it leaves at most this much more.
constexpr double kPriceOfComplexity = 1.1;
constexpr double kMostKurtosis = 12;
constexpr double kSnap = 0.02;  // relative error of b / a

/// Sums over pairs of rows of products of two differences.
struct QuadraticForm {
    double pp = 0, pq = 0, qq = 0, q4 = 0, pairs = 0;
    void add(double p, double q) {
        pp += p * p;
        pq += p * q;
        qq += q * q;
        q4 += q * q * (q * q);
        pairs += 1;
    }
    /// Whether a few pairs make up the sum of q^2.
    [[nodiscard]] bool heavy_tailed() const { return q4 * pairs > kMostKurtosis * qq * qq; }
};

struct Minimum {
    double ratio, p, q;  // of the forms at (p, q)
};

/// The least of near / far over all (p, q).
std::optional<Minimum> least_ratio(const QuadraticForm& near, const QuadraticForm& far) {
    constexpr double kDependent = 1e-9;
    const double a = far.pp * far.qq - far.pq * far.pq;
    if (!(a > kDependent * far.pp * far.qq)) return std::nullopt;
    const double b = near.pp * far.qq + near.qq * far.pp - 2 * near.pq * far.pq;
    const double c = near.pp * near.qq - near.pq * near.pq;
    const double ratio = 2 * c / (b + std::sqrt(std::max(b * b - 4 * a * c, 0.0)));
    const double pp = near.pp - ratio * far.pp, pq = near.pq - ratio * far.pq, qq = near.qq - ratio * far.qq;
    // The row of the singular matrix that is farther from zero.
    const bool first = std::abs(pp) > std::abs(qq);
    return Minimum{std::max(ratio, 0.0), first ? -pq : qq, first ? pp : -pq};
}

/// A factor or a term: the variable, the formula f, and how it stands.
struct Found {
    std::size_t variable;
    Expression f;
    bool product;
    double slope, offset;  // slope * f + offset; of a term only the slope
    double score;
};

class Separator {
   public:
    Separator(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows)
        : view_(view), polisher_(polisher), rows_(rows) {
        for (const std::uint32_t row : rows) target_.push_back(view.target[row]);
    }

    std::vector<View> run() {
        for (std::size_t j = 0; j < view_.variables.size() && !polisher_.stopped(); ++j) look_at(j);
        std::ranges::stable_sort(found_, {}, &Found::score);
        std::vector<View> views;
        for (const Found& found : found_) {
            if (views.size() == kMostViews) break;
            std::optional<View> view = without(found);
            if (view) views.push_back(std::move(*view));
        }
        return views;
    }

   private:
    const View& view_;
    Polisher& polisher_;
    std::span<const std::uint32_t> rows_;
    std::vector<double> target_;
    std::vector<Found> found_;  // the best product and the best sum of each variable

    /// The nearest other row in all variables but one, by their ranks.
    [[nodiscard]] std::vector<std::size_t> neighbours(std::size_t without) const {
        const std::size_t n = rows_.size();
        std::vector<std::vector<float>> ranks;
        for (std::size_t j = 0; j < view_.variables.size(); ++j) {
            if (j == without) continue;
            const std::vector<double>& values = view_.variables[j].values;
            std::vector<std::size_t> order(n);
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[rows_[i]]; });
            std::vector<float> rank(n);
            for (std::size_t k = 0; k < n; ++k) rank[order[k]] = static_cast<float>(k);
            ranks.push_back(std::move(rank));
        }
        std::vector<std::size_t> nearest(n, 0);
        for (std::size_t i = 0; i < n; ++i) {
            float least = std::numeric_limits<float>::infinity();
            for (std::size_t k = 0; k < n; ++k) {
                if (k == i) continue;
                float square = 0;
                for (const std::vector<float>& rank : ranks) square += (rank[i] - rank[k]) * (rank[i] - rank[k]);
                if (square < least) {
                    least = square;
                    nearest[i] = k;
                }
            }
        }
        return nearest;
    }

    void look_at(std::size_t j) {
        const std::size_t n = rows_.size();
        const std::vector<std::size_t> nearest = neighbours(j);
        const auto forms = [&](auto p, auto q) {
            std::pair<QuadraticForm, QuadraticForm> sums;
            for (std::size_t i = 0; i < n; ++i) {
                const std::size_t any = (i + n / 2) % n;
                sums.first.add(p(i, nearest[i]), q(i, nearest[i]));
                sums.second.add(p(i, any), q(i, any));
            }
            return sums;
        };
        const auto difference = [&](std::size_t i, std::size_t k) { return target_[i] - target_[k]; };
        const auto [near, far] = forms(difference, difference);
        if (!(near.pp > 0)) return;
        const double alone = near.pp / far.pp;

        const std::span<const Variable> variable(&view_.variables[j], 1);
        Library library(polisher_.vocabulary(), variable, {rows_.begin(), rows_.end()}, 10 * kFormulas);
        while (library.size() < kFormulas && library.grow()) {
        }
        library.prepare(std::min(library.size(), 2 * kFormulas));
        std::array<std::optional<Found>, 2> best;
        std::vector<double> f(library.n_screen_padded());
        for (const Atom& atom : select_atoms(library, library.prepared(), kAtoms, false)) {
            atom_values(library, atom, f.data());
            for (const bool product : {false, true}) {
                const auto q = [&](std::size_t i, std::size_t k) {
                    return product ? target_[i] * f[k] - target_[k] * f[i] : f[i] - f[k];
                };
                const auto [close, wide] = forms(difference, q);
                if (wide.heavy_tailed()) continue;
                const std::optional<Minimum> minimum = least_ratio(close, wide);
                if (!minimum || !(minimum->ratio < kWorthwhile * alone)) continue;
                const double price = balmer::apply(Op::Pow, kPriceOfComplexity, atom.complexity);
                const double score = (minimum->ratio / alone + 1e-9) * price;
                std::optional<Found>& place = best[product ? 1 : 0];
                if (place && place->score <= score) continue;
                const Expression e = library.expression(atom.node);
                // p (y_i - y_k) + q (y_i f_k - y_k f_i) = 0 says that y / (q f + p) is the same; with f_i - f_k, y + q / p f.
                if (product && minimum->q != 0) {
                    place = Found{j, e, true, minimum->q, minimum->p, score};
                } else if (!product && minimum->p != 0) {
                    place = Found{j, e, false, minimum->q / minimum->p, 0, score};
                }
            }
        }
        polisher_.work().used += static_cast<double>(n * n * view_.variables.size() + 8 * kAtoms * n);
        for (std::optional<Found>& one : best) {
            if (one) found_.push_back(std::move(*one));
        }
    }

    /// offset / slope, which is nearly always a simple number in a law, and known only roughly here.
    [[nodiscard]] static double simple(double ratio) {
        for (const double denominator : {1.0, 2.0}) {
            const double near = std::nearbyint(ratio * denominator) / denominator;
            if (std::abs(ratio - near) <= kSnap * std::max(std::abs(near), 1.0)) return near;
        }
        return ratio;
    }

    [[nodiscard]] std::optional<View> without(const Found& found) const {
        const Vocabulary& vocabulary = polisher_.vocabulary();
        View view = view_;
        view.variables.erase(view.variables.begin() + static_cast<std::ptrdiff_t>(found.variable));
        std::vector<double> values(view.target.size());
        const double shift = found.product ? simple(found.offset / found.slope) : 0;
        const Expression part = found.product ? vocabulary.offset(shift, found.f) : found.f;
        if (part.nodes.empty()) return std::nullopt;
        polisher_.evaluator().evaluate(part, values, polisher_.workspace().evaluation);
        polisher_.work().used += static_cast<double>(part.size() * values.size());
        if (view.weight.empty()) view.weight.assign(values.size(), 1);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double v = values[i];
            const bool usable = std::isfinite(v) && (!found.product || v != 0);
            if (found.product) {
                view.target[i] = usable ? view.target[i] / v : 0;
                view.weight[i] *= usable ? v * v : 0;
            } else {
                view.target[i] = usable ? view.target[i] + found.slope * v : 0;
                if (!usable) view.weight[i] = 0;
            }
        }
        const std::string text = to_text(part, {}, vocabulary.operators());
        if (found.product) {
            view.unit.push_back({part, 1});
            view.name = view_.name + " / (" + text + ")";
            return view;
        }
        // The place of z is marked by a feature that there is not.
        const Expression mark = Expression::feature(std::numeric_limits<std::uint32_t>::max());
        const double coefficients[] = {1, -found.slope};
        const Expression terms[] = {mark, part};
        std::vector<Power> whole = std::exchange(view.unit, {});
        whole.push_back({linear_combination(0, coefficients, terms, vocabulary), 1});
        view.frame = power_product(1, whole, vocabulary);
        const auto place = std::ranges::find_if(view.frame.nodes, [&](const Node& node) {
            return node.op == Op::Feature && node.index == mark.nodes[0].index;
        });
        if (place == view.frame.nodes.end()) return std::nullopt;
        view.hole = static_cast<std::size_t>(place - view.frame.nodes.begin());
        view.name = view_.name + " - (" + text + ")";
        return view;
    }
};

}  // namespace

std::vector<View> separated(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows) {
    const std::size_t d = view.variables.size();
    if (rows.size() < kFewestRows || d < 2 || d > kMostVariables || !view.frame.nodes.empty()) return {};
    const bool finite = std::ranges::all_of(rows, [&](std::uint32_t row) { return std::isfinite(view.target[row]); });
    return finite ? Separator(view, polisher, rows).run() : std::vector<View>{};
}

}  // namespace balmer::search
