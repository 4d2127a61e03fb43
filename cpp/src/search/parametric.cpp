#include "search/parametric.hpp"

#include <algorithm>
#include <cmath>

#include "balmer/expr/simplify.hpp"
#include "eval/columns.hpp"
#include "eval/dispatch.hpp"
#include "search/model.hpp"

namespace balmer::search {
namespace {

using eval::dot;

constexpr std::size_t kMostArguments = 36, kMostPartners = 160;
constexpr int kMostScales = 22, kMostFrequencies = 16;
constexpr double kLargestExponent = 300;  // of e^x that stands alone; logarithms of it have no limit
constexpr std::size_t kPolished = 24;

double value(Op op, double x) { return balmer::apply(op, x); }

/// A function of a formula on the screen rows.
struct Column {
    Expression e;  ///< whose logarithm it is if is_log
    std::vector<double> values;
    bool inner = false;  ///< whether it has a constant of the grid
    bool is_log = false;
    int complexity = 0;
};

class ParametricSearch {
   public:
    ParametricSearch(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& rows, double noise)
        : view_(view),
          polisher_(polisher),
          vocabulary_(polisher.vocabulary()),
          library_(vocabulary_, view.variables, rows, 20000),
          rows_(rows.size()),
          noise_(noise) {}

    void run() {
        const int levels = view_.variables.size() >= 3 ? 5 : 3;
        while (library_.level() < levels && library_.size() < 5000 && library_.grow()) {
        }
        library_.prepare(library_.size());
        make_columns();
        const ViewSample sample = sample_of(view_, library_.screen_rows(), noise_);
        for (const bool block : {true, false}) {
            for (std::size_t t = 0; t < kTransforms; ++t) {
                const auto transform = static_cast<Transform>(t);
                if (!expressible(transform, vocabulary_) || polisher_.stopped()) continue;
                if (block && transform != Transform::identity && transform != Transform::log) continue;
                const TransformedTarget target =
                    transform_target(transform, sample.target, sample.weight, sample.noise);
                if (target.value.empty()) continue;
                if (block) {
                    beside_powers(target);
                } else {
                    pairs(target);
                }
                if (polisher_.archive().exact()) return;
            }
        }
    }

   private:
    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    Library library_;
    std::size_t rows_;
    double noise_;
    std::vector<Column> columns_;
    LinearFit fit_;

    void add(Expression e, std::vector<double> values, bool inner, bool is_log) {
        if (e.nodes.empty()) return;
        for (const double v : values) {
            if (!std::isfinite(v)) return;
        }
        const int complexity = vocabulary_.complexity(e) + (is_log ? 1 : 0);
        columns_.push_back({std::move(e), std::move(values), inner, is_log, complexity});
    }

    template <class F>
    std::vector<double> map(const double* g, F f) const {
        std::vector<double> out(rows_);
        for (std::size_t k = 0; k < rows_; ++k) out[k] = f(g[k]);
        return out;
    }

    void make_columns() {
        std::vector<std::size_t> arguments;
        for (std::size_t i = 0; i < library_.size(); ++i) {
            if (library_.is_constant(i)) continue;
            const double* g = library_.screen(i);
            if (!std::all_of(g, g + rows_, [](double v) { return std::isfinite(v); })) continue;
            if (columns_.size() < kMostPartners) {
                const Expression e = library_.expression(i);
                add(e, {g, g + rows_}, false, false);
                if (std::all_of(g, g + rows_, [](double v) { return v > 0; })) {
                    add(e, map(g, [](double v) { return value(Op::Log, v); }), false, true);
                }
            }
            const Op op = library_.op(i);
            const bool periodic = op == Op::Exp || op == Op::Sin || op == Op::Cos || op == Op::Log;
            const bool simple = library_.is_monomial(i) || library_.complexity(i) <= 3;
            if (!periodic && simple && arguments.size() < kMostArguments) arguments.push_back(i);
        }
        for (const std::size_t i : arguments) {
            const double* g = library_.screen(i);
            std::vector<double> size;
            for (std::size_t k = 0; k < rows_; ++k) size.push_back(std::abs(g[k]));
            std::sort(size.begin(), size.end());
            const auto [low, high] = std::minmax_element(g, g + rows_);
            const double range = *high - *low, small = std::max(size[rows_ / 4], 1e-6 * size.back());
            if (!(range > 0)) continue;
            const Expression argument = library_.expression(i);
            double c = 0.25 / range;
            for (int s = 0; s < kMostScales && c < 8 / small; ++s, c *= 1.7) exponentials(argument, g, c);
            // Steps of about a radian over the range: between them lies a basin that the fit can walk down.
            for (int s = 1; s <= kMostFrequencies && library_.complexity(i) <= 3; ++s) {
                const double w = 1.1 * s / range;
                add(vocabulary_.apply(Op::Sin, vocabulary_.scale(w, argument)),
                    map(g, [&](double v) { return value(Op::Sin, w * v); }), true, false);
                add(vocabulary_.apply(Op::Cos, vocabulary_.scale(w, argument)),
                    map(g, [&](double v) { return value(Op::Cos, w * v); }), true, false);
            }
        }
    }

    void exponentials(const Expression& argument, const double* g, double c) {
        const double top = c * *std::max_element(g, g + rows_), bottom = c * *std::min_element(g, g + rows_);
        const Expression up = vocabulary_.exp(vocabulary_.scale(c, argument));
        if (up.nodes.empty()) return;
        const Expression minus = vocabulary_.offset(-1, up), plus = vocabulary_.offset(1, up);
        if (top < kLargestExponent) add(up, map(g, [&](double v) { return value(Op::Exp, c * v); }), true, false);
        if (-bottom < kLargestExponent) {
            add(vocabulary_.exp(vocabulary_.scale(-c, argument)),
                map(g, [&](double v) { return value(Op::Exp, -c * v); }), true, false);
        }
        if (std::all_of(g, g + rows_, [](double v) { return v > 0; })) {
            add(vocabulary_.reciprocal(minus), map(g, [&](double v) { return 1 / value(Op::Expm1, c * v); }), true,
                false);
            add(minus, map(g, [&](double v) { return c * v + value(Op::Log1p, -value(Op::Exp, -c * v)); }), true, true);
        }
        add(vocabulary_.reciprocal(plus), map(g, [&](double v) { return value(Op::Logistic, -c * v); }), true, false);
        add(plus,
            map(g,
                [&](double v) {
                    const double z = c * v;
                    return std::max(z, 0.0) + value(Op::Log1p, value(Op::Exp, -std::abs(z)));
                }),
            true, true);
    }

    [[nodiscard]] std::vector<double> root_weights(const TransformedTarget& target) const {
        std::vector<double> root;
        for (std::size_t k = 0; noise_ > 0 && k < rows_; ++k) root.push_back(std::sqrt(target.weight[k]));
        return root;
    }

    void pairs(const TransformedTarget& target) {
        const std::vector<double> root = root_weights(target);
        // Logarithms are terms of a power law: under T = ln, or where the target is a logarithm already.
        const bool logs =
            target.transform == Transform::log ||
            (target.transform == Transform::identity && !vocabulary_.log(Expression::feature(0)).nodes.empty());
        std::vector<const Column*> used;
        for (const Column& c : columns_) {
            if (!c.is_log || logs) used.push_back(&c);
        }
        Panel panel(used.size(), rows_);
        std::vector<Atom> atoms;
        for (std::size_t j = 0; j < used.size(); ++j) {
            standardise(used[j]->values.data(), root, rows_, panel.column(j));
            atoms.push_back({static_cast<std::uint32_t>(j), false, static_cast<std::uint16_t>(used[j]->complexity)});
        }
        panel.arrange();
        ScanTargets scanned;
        scanned.values = {target.value};
        scanned.root_weight = root;
        scanned.overhead = {2};
        ScanOptions options;
        options.keep = 60;
        options.bound = 0.3F;
        options.max_complexity = vocabulary_.options().evolution.maxsize + 2;
        options.n_threads = polisher_.n_threads();
        std::vector<Hit> hits = scan_pairs(panel, atoms, scanned, options);
        polisher_.work().used += static_cast<double>(used.size() * used.size() * rows_) * 0.01;
        std::erase_if(hits, [&](const Hit& h) { return !used[h.i]->inner && !used[h.j]->inner; });
        const DescriptionScale& scale = polisher_.archive().scale();
        std::vector<std::pair<double, std::size_t>> order;
        for (std::size_t k = 0; k < hits.size(); ++k) {
            order.emplace_back(description_length(hits[k].complexity, hits[k].family == Family::single ? 2 : 3,
                                                  std::max(static_cast<double>(hits[k].left), 1e-6), scale),
                               k);
        }
        std::sort(order.begin(), order.end());
        // Neighbours on the grid end at the same constants: of one shape the two best starts are enough.
        std::vector<std::pair<std::uint64_t, int>> shapes;
        std::vector<Expression> starts;
        for (const auto& [price, k] : order) {
            if (starts.size() >= kPolished) break;
            std::vector<const Column*> terms{used[hits[k].i]};
            if (hits[k].family == Family::pair) terms.push_back(used[hits[k].j]);
            const Expression e = formula(target, root, terms);
            if (e.nodes.empty()) continue;
            const std::uint64_t shape = structural_hash(e);
            const auto known =
                std::find_if(shapes.begin(), shapes.end(), [&](const auto& s) { return s.first == shape; });
            if (known == shapes.end()) {
                shapes.emplace_back(shape, 1);
            } else if (++known->second > 2) {
                continue;
            }
            starts.push_back(e);
        }
        polisher_.submit(std::move(starts), "inner constants", 40);
    }

    /// y for T = c0 + sum of terms, fitted on the screen rows.
    Expression formula(const TransformedTarget& target, const std::vector<double>& root,
                       const std::vector<const Column*>& terms) {
        std::vector<const double*> pointers;
        for (const Column* c : terms) pointers.push_back(c->values.data());
        if (!fit_.fit(pointers, target.value.data(), root.empty() ? nullptr : root.data(), rows_)) return {};
        const double offset = fit_.coefficients()[0];
        std::vector<double> slopes;
        std::vector<Expression> plain;
        std::vector<Power> powers;
        for (std::size_t k = 0; k < terms.size(); ++k) {
            const double c = fit_.coefficients()[k + 1];
            if (terms[k]->is_log && target.transform == Transform::log) {
                powers.push_back({terms[k]->e, c});
            } else {
                slopes.push_back(c);
                plain.push_back(terms[k]->is_log ? vocabulary_.log(terms[k]->e) : terms[k]->e);
            }
        }
        if (target.transform != Transform::log) {
            return tidy(
                formula_of_y(linear_combination(offset, slopes, plain, vocabulary_), target, view_, vocabulary_));
        }
        std::vector<Power> all = view_.unit;
        for (const Power& p : powers) all.push_back({p.base, nearest_simple_exponent(p.exponent, 0.15)});
        if (!plain.empty()) all.push_back({vocabulary_.exp(linear_combination(0, slopes, plain, vocabulary_)), 1});
        return tidy(power_product(target.sign * value(Op::Exp, offset), all, vocabulary_));
    }

    [[nodiscard]] Expression tidy(const Expression& e) const {
        return e.nodes.empty() ? e : simplify(e, vocabulary_.operators());
    }

    /// T = c0 + sum p_i ln x_i + h: everything without its part along the logarithms, then one column.
    void beside_powers(const TransformedTarget& target) {
        const std::vector<double> root = root_weights(target);
        const std::size_t d = view_.variables.size();
        if (d > 8 || rows_ < d + 12) return;
        std::vector<Column> logs;
        for (const Variable& v : view_.variables) {
            Column c{v.expression, {}, false, true, 0};
            for (const std::uint32_t row : library_.screen_rows()) {
                if (!(v.values[row] > 0)) return;
                c.values.push_back(value(Op::Log, v.values[row]));
            }
            logs.push_back(std::move(c));
        }
        std::vector<const double*> block;
        for (const Column& c : logs) block.push_back(c.values.data());
        const double* w = root.empty() ? nullptr : root.data();
        if (!fit_.fit(block, target.value.data(), w, rows_)) return;
        const std::vector<double> rest(fit_.residuals().begin(), fit_.residuals().end());
        const double total = fit_.residual_sum();
        if (!(total > 0)) return;
        std::vector<std::pair<double, const Column*>> order;
        for (const Column& c : columns_) {
            if (!c.inner) continue;
            if (!fit_.fit(block, c.values.data(), w, rows_)) continue;
            const double norm = fit_.residual_sum();
            double spread = 0;
            for (std::size_t k = 0; k < rows_; ++k) spread += (w ? w[k] * w[k] : 1) * c.values[k] * c.values[k];
            if (!(norm > 1e-6 * spread)) continue;
            const double along = dot(rest.data(), fit_.residuals().data(), rows_);
            order.emplace_back(1 - along * along / (norm * total), &c);
        }
        polisher_.work().used += static_cast<double>(columns_.size() * rows_ * (d + 1)) * 2;
        std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
            return a.first < b.first || (a.first == b.first && exact_hash(a.second->e) < exact_hash(b.second->e));
        });
        std::vector<Expression> starts;
        for (const auto& candidate : order) {
            if (candidate.first > 0.6 || starts.size() >= 3 * kPolished) break;
            const Column* const c = candidate.second;  // Clang captures no structured binding under -fopenmp
            std::vector<const double*> columns = block;
            columns.push_back(c->values.data());
            if (!fit_.fit(columns, target.value.data(), w, rows_)) continue;
            const double last = fit_.coefficients()[d + 1];
            std::vector<Power> free = view_.unit, simple = view_.unit;
            std::vector<double> slopes, simple_slopes;
            std::vector<Expression> terms;
            for (std::size_t j = 0; j < d; ++j) {
                const double p = fit_.coefficients()[j + 1];
                free.push_back({logs[j].e, p});
                simple.push_back({logs[j].e, nearest_simple_exponent(p, 0.2)});
                slopes.push_back(p);
                simple_slopes.push_back(std::abs(p) < 0.2 ? 0 : nearest_simple_exponent(p, 0.2));
                terms.push_back(vocabulary_.log(logs[j].e));
            }
            const double simple_last = nearest_simple_exponent(last, 0.2);
            if (target.transform == Transform::log) {
                const auto factor = target.sign * value(Op::Exp, fit_.coefficients()[0]);
                const auto with = [&](std::vector<Power> powers, double exponent) {
                    powers.push_back(c->is_log ? Power{c->e, exponent}
                                               : Power{vocabulary_.exp(vocabulary_.scale(last, c->e)), 1});
                    starts.push_back(tidy(power_product(factor, powers, vocabulary_)));
                };
                with(simple, simple_last);
                with(free, last);
            } else if (c->is_log) {
                terms.push_back(vocabulary_.log(c->e));
                for (const bool rounded : {true, false}) {
                    std::vector<double> s = rounded ? simple_slopes : slopes;
                    s.push_back(rounded ? simple_last : last);
                    starts.push_back(
                        tidy(formula_of_y(linear_combination(fit_.coefficients()[0], s, terms, vocabulary_), target,
                                          view_, vocabulary_)));
                }
            }
        }
        polisher_.submit(std::move(starts), "powers and inner constants", 40);
    }
};

}  // namespace

void parametric(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows, double noise) {
    if (view.variables.empty() || screen_rows.size() < 6) return;
    const eval::FlushSubnormals guard(eval::kernels());
    ParametricSearch(view, polisher, screen_rows, noise).run();
}

}  // namespace balmer::search
