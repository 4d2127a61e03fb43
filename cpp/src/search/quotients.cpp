#include "search/quotients.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

#include "balmer/expr/simplify.hpp"
#include "eval/dispatch.hpp"
#include "eval/dot.hpp"
#include "search/compose.hpp"
#include "search/linear_fit.hpp"
#include "search/model.hpp"

namespace balmer::search {
namespace {

using eval::dot;

constexpr int kMostTerms = 5;
constexpr std::size_t kStartsOfSize = 100;  // of each number of terms, and transform of the target
constexpr double kLargestExponent = 300;
constexpr double kStep = 1.5;  // of a grid: the ratio of neighbours
constexpr int kSections = 24;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

enum class Function : std::uint8_t { exp, sin, cos, power, log, root };
constexpr std::array kFunctions{Function::exp,   Function::sin, Function::cos,
                                Function::power, Function::log, Function::root};

/// Which of 1, u, E, u E (bits 0 to 3) are in the numerator and in the denominator.
struct Shape {
    unsigned above = 0, below = 0;

    [[nodiscard]] int terms() const noexcept { return std::popcount(above) + std::popcount(below); }
};

constexpr unsigned kOne = 1, kU = 2, kE = 4, kUE = 8;

/// Those that have E, and no factor u or E in all their terms.
std::vector<Shape> make_shapes() {
    std::vector<Shape> shapes;
    for (unsigned above = 1; above < 16; ++above) {
        for (unsigned below = 1; below < 16; ++below) {
            const Shape shape{above, below};
            const unsigned all = above | below;
            const bool reducible = (all & ~(kU | kUE)) == 0 || (all & ~(kE | kUE)) == 0 || above == below;
            if (shape.terms() <= kMostTerms && (all & (kE | kUE)) != 0 && !reducible) shapes.push_back(shape);
        }
    }
    return shapes;
}

/// Four terms on the rows, then the target times each of them, and all their weighted products.
struct Moments {
    static constexpr std::size_t kColumns = 8;
    std::array<std::vector<double>, kColumns> column;
    std::array<std::array<double, kColumns>, kColumns> product{};

    void multiply(std::size_t rows) noexcept {
        for (std::size_t i = 0; i < kColumns; ++i) {
            for (std::size_t j = 0; j <= i; ++j) {
                product[i][j] = product[j][i] = dot(column[i].data(), column[j].data(), rows);
            }
        }
    }
};

/// y Q = P solved by least squares.
struct Solution {
    std::array<double, 4> above{}, below{};  // coefficients of 1, u, E, u E
    double mse = kInfinity;                  // of P / Q, about: in units of y
};

/// Solves the normal equations of at most four columns by Cholesky's method; false if they depend on each other.
bool solve_normal(const Moments& m, std::span<const std::size_t> columns, std::size_t target, std::span<double> x) {
    const std::size_t n = columns.size();
    std::array<std::array<double, 4>, 4> l{};
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = m.product[columns[i]][columns[j]];
            for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
            if (i == j) {
                if (!(sum > 1e-14 * m.product[columns[i]][columns[i]])) return false;
                l[i][i] = std::sqrt(sum);
            } else {
                l[i][j] = sum / l[j][j];
            }
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        double sum = m.product[columns[i]][target];
        for (std::size_t k = 0; k < i; ++k) sum -= l[i][k] * x[k];
        x[i] = sum / l[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
    return true;
}

Solution solve(const Moments& m, Shape shape) {
    std::array<std::size_t, 4> columns{};
    std::array<double, 4> x{};
    std::size_t n = 0;
    const auto first = static_cast<std::size_t>(std::countr_zero(shape.below));  // its coefficient is 1
    for (std::size_t k = 0; k < 4; ++k) {
        if ((shape.above >> k & 1U) != 0) columns[n++] = k;
    }
    const std::size_t n_above = n;
    for (std::size_t k = first + 1; k < 4; ++k) {
        if ((shape.below >> k & 1U) != 0) columns[n++] = 4 + k;
    }
    Solution s;
    if (!solve_normal(m, {columns.data(), n}, 4 + first, {x.data(), n})) return s;
    s.below[first] = 1;
    double residual = m.product[4 + first][4 + first], size = 0;
    for (std::size_t k = 0; k < n; ++k) {
        (k < n_above ? s.above[columns[k]] : s.below[columns[k] - 4]) = k < n_above ? x[k] : -x[k];
        residual -= x[k] * m.product[columns[k]][4 + first];
    }
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) size += s.below[i] * s.below[j] * m.product[i][j];
    }
    if (size > 0) s.mse = std::max(residual, 0.0) / size;
    return s;
}

/// A quotient at the best point of a grid.
struct Start {
    double mse = kInfinity;
    std::size_t u = 0, x = 0, shape = 0;
    Function function = Function::exp;
    double k = 0;
    Solution solution;
};

bool better(const Start& a, const Start& b) noexcept {
    return std::tie(a.mse, a.function, a.u, a.x, a.shape) < std::tie(b.mse, b.function, b.u, b.x, b.shape);
}

class QuotientSearch {
   public:
    QuotientSearch(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& rows, double noise)
        : view_(view), polisher_(polisher), vocabulary_(polisher.vocabulary()), rows_(rows), noise_(noise) {
        for (const Variable& v : view.variables) {
            std::vector<double>& x = x_.emplace_back();
            for (const std::uint32_t row : rows) x.push_back(v.values[row]);
        }
    }

    void run() {
        const ViewSample sample = sample_of(view_, rows_, noise_);
        for (const Transform transform : {Transform::identity, Transform::log}) {
            if (!expressible(transform, vocabulary_) || polisher_.stopped()) continue;
            const TransformedTarget target = transform_target(transform, sample.target, sample.weight, sample.noise);
            if (target.value.empty()) continue;
            root_.clear();
            for (const double w : target.weight) root_.push_back(std::sqrt(w));
            std::vector<Start> starts;
            for (const Function function : kFunctions) {
                for (std::size_t x = 0; x < x_.size(); ++x) {
                    if (argument(function, x, 1).nodes.empty()) continue;
                    for (std::size_t u = 0; u < x_.size(); ++u) scan(target, function, x, u, starts);
                }
            }
            polisher_.submit(formulas(target, starts), "quotients", 40);
            if (polisher_.archive().exact()) return;
        }
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    const std::vector<std::uint32_t>& rows_;
    double noise_;
    std::vector<std::vector<double>> x_;  // the variables on the screen rows
    std::vector<double> root_;            // of the weights of the transformed target
    std::vector<Shape> shapes_ = make_shapes();
    Moments moments_;

    [[nodiscard]] Expression argument(Function function, std::size_t j, double k) const {
        const Expression& x = view_.variables[j].expression;
        switch (function) {
            case Function::exp:
                return vocabulary_.exp(vocabulary_.scale(k, x));
            case Function::sin:
                return vocabulary_.apply(Op::Sin, vocabulary_.scale(k, x));
            case Function::cos:
                return vocabulary_.apply(Op::Cos, vocabulary_.scale(k, x));
            case Function::power:
                return vocabulary_.power(x, k);
            case Function::log:
                return vocabulary_.log(vocabulary_.offset(k, x));
            case Function::root:
                return vocabulary_.apply(Op::Sqrt, vocabulary_.offset(k, x));
        }
        return {};
    }

    static double value_of(Function function, double x, double k) noexcept {
        switch (function) {
            case Function::exp:
                return std::abs(k * x) < kLargestExponent ? balmer::apply(Op::Exp, k * x) : kInfinity;
            case Function::sin:
                return balmer::apply(Op::Sin, k * x);
            case Function::cos:
                return balmer::apply(Op::Cos, k * x);
            case Function::power:
                return x > 0 ? balmer::apply(Op::Pow, x, k) : kInfinity;
            case Function::log:
                return balmer::apply(Op::Log, x + k);
            case Function::root:
                return balmer::apply(Op::Sqrt, x + k);
        }
        return kInfinity;
    }

    /// Constants so close to each other that the best of them shows the way to the best of all.
    [[nodiscard]] static std::vector<double> grid(Function function, const std::vector<double>& x) {
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        const double range = *high - *low;
        std::vector<double> k;
        switch (function) {
            case Function::exp:
                for (double c = 0.2 / range; c < 60 / range; c *= kStep) k.insert(k.end(), {c, -c});
                break;
            case Function::sin:
            case Function::cos:
                for (int s = 1; s <= 16; ++s) k.push_back(1.1 * s / range);
                break;
            case Function::power:
                for (double p = 0.13; p < 5; p *= kStep) k.insert(k.end(), {p, -p});
                break;
            case Function::log:
            case Function::root:
                for (double c = 0.003; c < 30; c *= kStep * kStep) k.push_back(c * range - *low);
                break;
        }
        return k;
    }

    /// Between which neighbours of `k` on the grid the best constant lies.
    [[nodiscard]] static std::pair<double, double> neighbours(Function function, const std::vector<double>& x,
                                                              double k) {
        const auto [low, high] = std::minmax_element(x.begin(), x.end());
        switch (function) {
            case Function::exp:
            case Function::power:
                return {k / kStep, k * kStep};
            case Function::sin:
            case Function::cos:
                return {k - 1.1 / (*high - *low), k + 1.1 / (*high - *low)};
            case Function::log:
            case Function::root:
                return {(k + *low) / (kStep * kStep) - *low, (k + *low) * kStep * kStep - *low};
        }
        return {k, k};
    }

    /// Makes the moments of 1, u, E, u E; false if E is not finite on all rows.
    [[nodiscard]] bool prepare(const TransformedTarget& target, Function function, std::size_t x, std::size_t u,
                               double k) {
        const std::size_t n = rows_.size();
        for (auto& column : moments_.column) column.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const double e = value_of(function, x_[x][i], k);
            if (!std::isfinite(e)) return false;
            const std::array<double, 4> term{1, x_[u][i], e, x_[u][i] * e};
            for (std::size_t t = 0; t < 4; ++t) {
                moments_.column[t][i] = root_[i] * term[t];
                moments_.column[4 + t][i] = root_[i] * term[t] * target.value[i];
            }
        }
        moments_.multiply(n);
        polisher_.work().used += static_cast<double>(n * 40);
        return true;
    }

    void scan(const TransformedTarget& target, Function function, std::size_t x, std::size_t u,
              std::vector<Start>& starts) {
        const auto [low, high] = std::minmax_element(x_[x].begin(), x_[x].end());
        if (!(*high > *low) || (function == Function::power && !(*low > 0))) return;
        std::vector<Start> best(shapes_.size());
        for (const double k : grid(function, x_[x])) {
            if (!prepare(target, function, x, u, k)) continue;
            for (std::size_t s = 0; s < shapes_.size(); ++s) {
                // Without u a shape is the same for every u.
                if (u != 0 && ((shapes_[s].above | shapes_[s].below) & (kU | kUE)) == 0) continue;
                const Solution solution = solve(moments_, shapes_[s]);
                if (solution.mse < best[s].mse) best[s] = {solution.mse, u, x, s, function, k, solution};
            }
            polisher_.work().used += static_cast<double>(shapes_.size() * 20);
        }
        for (const Start& start : best) {
            if (std::isfinite(start.mse)) starts.push_back(start);
        }
    }

    /// Moves k to where y Q = P holds best (golden section). A fit of y = P / Q that began farther away would often end
    /// elsewhere: zeros of P and Q that lie close together make deep, narrow minima.
    void refine(const TransformedTarget& target, Start& start) {
        auto [a, b] = neighbours(start.function, x_[start.x], start.k);
        const auto solution_at = [&](double k) {
            return prepare(target, start.function, start.x, start.u, k) ? solve(moments_, shapes_[start.shape])
                                                                        : Solution{};
        };
        constexpr double kGolden = 0.6180339887498949;
        double c = b - kGolden * (b - a), d = a + kGolden * (b - a);
        Solution at_c = solution_at(c), at_d = solution_at(d);
        for (int i = 0; i < kSections; ++i) {
            const Solution& better = at_c.mse < at_d.mse ? at_c : at_d;
            if (better.mse < start.mse) {
                start.mse = better.mse;
                start.solution = better;
                start.k = at_c.mse < at_d.mse ? c : d;
            }
            if (at_c.mse < at_d.mse) {
                b = d, d = c, at_d = at_c;
                c = b - kGolden * (b - a);
                at_c = solution_at(c);
            } else {
                a = c, c = d, at_c = at_d;
                d = a + kGolden * (b - a);
                at_d = solution_at(d);
            }
        }
    }

    /// The best of each number of terms, as formulas of y.
    [[nodiscard]] std::vector<Expression> formulas(const TransformedTarget& target, std::vector<Start>& starts) {
        std::sort(starts.begin(), starts.end(), better);
        std::array<std::size_t, kMostTerms + 1> taken{};
        std::vector<Expression> out;
        for (Start& start : starts) {
            if (taken[static_cast<std::size_t>(shapes_[start.shape].terms())]++ >= kStartsOfSize) continue;
            refine(target, start);
            const Expression y = formula_of_y(quotient(start), target, view_, vocabulary_);
            if (!y.nodes.empty()) out.push_back(simplify(y, vocabulary_.operators()));
        }
        return out;
    }

    [[nodiscard]] Expression quotient(const Start& start) const {
        const Shape shape = shapes_[start.shape];
        const Expression e = argument(start.function, start.x, start.k);
        const Expression& u = view_.variables[start.u].expression;
        Expression above = sum(shape.above, start.solution.above, u, e);
        if (shape.below == kOne) return above;
        const Expression below = sum(shape.below, start.solution.below, u, e);
        if (shape.above == kOne) return vocabulary_.scale(start.solution.above[0], vocabulary_.reciprocal(below));
        return vocabulary_.divide(above, below);
    }

    /// c0 + c1 u + (c2 + c3 u) E, of the terms in `mask`.
    [[nodiscard]] Expression sum(unsigned mask, const std::array<double, 4>& c, const Expression& u,
                                 const Expression& e) const {
        const auto part = [&](double offset, double slope) {
            return linear_combination(offset, {&slope, slope == 0 ? 0U : 1U}, {&u, slope == 0 ? 0U : 1U}, vocabulary_);
        };
        const bool plain = (mask & (kOne | kU)) != 0;
        Expression product;
        if ((mask & (kE | kUE)) == kE) {
            product = vocabulary_.scale(c[2], e);
        } else if ((mask & (kE | kUE)) == kUE) {
            product = vocabulary_.scale(c[3], vocabulary_.multiply(u, e));
        } else if ((mask & (kE | kUE)) != 0) {
            product = vocabulary_.multiply(part(c[2], c[3]), e);
        } else {
            return part(c[0], c[1]);
        }
        if (!plain) return product;
        if ((mask & kU) == 0) return vocabulary_.offset(c[0], product);
        return vocabulary_.add(part(c[0], c[1]), product);
    }
};

}  // namespace

void quotients(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows, double noise) {
    if (view.variables.empty() || screen_rows.size() < 8) return;
    const eval::FlushSubnormals guard(eval::kernels());
    QuotientSearch(view, polisher, screen_rows, noise).run();
}

}  // namespace balmer::search
