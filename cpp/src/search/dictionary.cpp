#include "search/dictionary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "balmer/expr/simplify.hpp"
#include "search/model.hpp"
#include "search/terms.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kMostColumns = 120, kMostRows = 600;
constexpr std::size_t kMostTerms = 12, kMostVariables = 40;
constexpr std::size_t kMostOfEach = 30;  // terms of a numerator and of a denominator
constexpr int kRoundsUnderNoise = 6;

class DictionarySearch {
   public:
    DictionarySearch(const View& view, Polisher& polisher, double noise)
        : view_(view),
          polisher_(polisher),
          vocabulary_(polisher.vocabulary()),
          noise_(noise),
          rows_(std::min(view.target.size(), kMostRows)) {}

    void run() {
        const ViewSample sample = sample_of(view_, first_rows(), noise_);
        const std::vector<std::vector<Term>> levels = dictionaries(view_, vocabulary_, rows_, kMostColumns);
        for (std::size_t t = 0; t < kTransforms && !polisher_.stopped(); ++t) {
            const auto transform = static_cast<Transform>(t);
            if (!expressible(transform, vocabulary_)) continue;
            const TransformedTarget target = transform_target(transform, sample.target, sample.weight, sample.noise);
            if (target.value.empty()) continue;
            for (const std::vector<Term>& columns : levels) {
                const bool logs = !columns.empty() && columns[0].is_log;
                if (logs && transform != Transform::log && transform != Transform::identity) continue;
                eliminate(target, columns);
                if (polisher_.archive().exact()) return;
            }
        }
        if (noise_ > 0) return;
        static constexpr std::array kOfQuotients = {
            Transform::identity,       Transform::cos, Transform::sin, Transform::square,
            Transform::inverse_square, Transform::exp};
        for (const Transform transform : kOfQuotients) quotients(transform, sample, levels, Denominators::usual);
    }

    void run_for_any_denominator() {
        const ViewSample sample = sample_of(view_, first_rows(), 0);
        quotients(Transform::identity, sample, dictionaries(view_, vocabulary_, rows_, kMostColumns),
                  Denominators::others);
    }

    void run_noisy_quotients() {
        const ViewSample sample = sample_of(view_, first_rows(), noise_);
        const TransformedTarget target =
            transform_target(Transform::identity, sample.target, sample.weight, sample.noise);
        if (target.value.empty()) return;
        for (const std::vector<Term>& terms : dictionaries(view_, vocabulary_, rows_, kMostOfEach)) {
            if (terms.empty() || terms[0].is_log) continue;
            noisy_quotient(target, terms, nullptr);
            for (const Term& scale : terms) {
                if (polisher_.stopped()) return;
                if (scale.nodes == 1) noisy_quotient(target, terms, &scale);
            }
        }
    }

   private:
    /// With a constant or a variable alone among the terms, or without.
    enum class Denominators : std::uint8_t { usual, others };

    const View& view_;
    Polisher& polisher_;
    const Vocabulary& vocabulary_;
    double noise_;
    std::size_t rows_;
    LinearFit fit_;
    const Term* scale_ = nullptr;  // of a rational: what the target was multiplied with

    [[nodiscard]] std::vector<std::uint32_t> first_rows() const {
        std::vector<std::uint32_t> rows(rows_);
        std::iota(rows.begin(), rows.end(), 0U);
        return rows;
    }

    void quotients(Transform transform, const ViewSample& sample, const std::vector<std::vector<Term>>& levels,
                   Denominators denominators) {
        if (!expressible(transform, vocabulary_)) return;
        const TransformedTarget target = transform_target(transform, sample.target, sample.weight, 0);
        if (target.value.empty()) return;
        for (const std::vector<Term>& columns : levels) {
            if (polisher_.archive().exact() || polisher_.stopped()) return;
            if (columns.empty() || columns[0].is_log || columns.size() > kMostOfEach) continue;
            rational(target, columns, denominators);
        }
    }

    /// Price of a fit with these columns, in terms of the residual of T.
    [[nodiscard]] double price(const std::vector<const Term*>& active, double rest, double quantum) const {
        const DescriptionScale& scale = polisher_.archive().scale();
        double nodes = 1;
        for (const Term* c : active) nodes += c->nodes + 3;
        const auto n = static_cast<double>(rows_);
        DescriptionScale own = scale;
        own.rows = n;
        own.quantum = quantum;
        return description_length(nodes, static_cast<double>(active.size() + 1), rest / n, own);
    }

    bool fit(const std::vector<double>& target, const std::vector<double>& root_weight,
             const std::vector<const Term*>& active) {
        std::vector<const double*> pointers;
        for (const Term* c : active) pointers.push_back(c->values.data());
        polisher_.work().used += static_cast<double>(rows_ * (active.size() + 1) * (active.size() + 1)) * 0.5;
        return fit_.fit(pointers, target.data(), root_weight.data(), rows_);
    }

    /// Rows beyond the number of columns, without which an exact fit means nothing.
    [[nodiscard]] std::size_t spare_rows() const noexcept { return rows_ < 40 ? 4 : rows_ / 3; }

    /// T g = P - T Q, linear in the coefficients of numerator and denominator. Exact data only: with noise T on the right side
    /// would bias the fit.
    void rational(const TransformedTarget& target, const std::vector<Term>& above, Denominators denominators) {
        std::vector<const Term*> scales;  // what the coefficient 1 of the denominator belongs to
        if (denominators == Denominators::usual) scales.push_back(nullptr);
        for (const Term& c : above) {
            if ((c.nodes == 1) == (denominators == Denominators::usual)) scales.push_back(&c);
        }
        for (const Term* g : scales) {
            TransformedTarget scaled = target;
            for (std::size_t i = 0; g && i < rows_; ++i) scaled.value[i] *= g->values[i];
            std::vector<Term> columns = above;
            if (g) add_below(columns, {Expression::constant(1), {}}, target.value);
            for (const Term& c : above) {
                if (&c != g) add_below(columns, c, target.value);
            }
            if (columns.size() > kMostColumns) return;
            scale_ = g;
            eliminate(scaled, columns);
            scale_ = nullptr;
            if (polisher_.archive().exact() || polisher_.stopped()) return;
        }
    }

    /// T = P / Q under noise: Gauss-Newton steps on all coefficients, each with backward elimination. Of Q the coefficient of
    /// `scale` is 1 (null: that of the constant).
    void noisy_quotient(const TransformedTarget& target, const std::vector<Term>& above, const Term* scale) {
        std::vector<double> fitted = target.value, denominator(rows_, 1.0), root_weight(rows_), value(rows_);
        if (scale) denominator = scale->values;
        scale_ = scale;
        for (int round = 0; round < kRoundsUnderNoise; ++round) {
            for (std::size_t i = 0; i < rows_; ++i) {
                root_weight[i] = std::sqrt(target.weight[i]) / std::abs(denominator[i]);
                value[i] = (target.value[i] - fitted[i]) * denominator[i] + fitted[i] * (scale ? scale->values[i] : 1);
            }
            std::vector<Term> terms = above;
            // The numerator first: with the noisy target itself as what the denominator multiplies, the fit would be biased.
            if (round > 0 && scale) add_below(terms, {Expression::constant(1), {}}, fitted);
            for (const Term& term : above) {
                if (round > 0 && &term != scale) add_below(terms, term, fitted);
            }
            double spread = 0;
            const std::vector<const Term*> chosen = select(value, terms, root_weight, spread);
            if (chosen.empty()) break;
            std::vector<double> numerator(rows_, fit_.coefficients()[0]);
            for (std::size_t i = 0; i < rows_; ++i) denominator[i] = scale ? scale->values[i] : 1;
            for (std::size_t k = 0; k < chosen.size(); ++k) {
                const double c = fit_.coefficients()[k + 1];
                for (std::size_t i = 0; i < rows_; ++i) {
                    if (!chosen[k]->below) {
                        numerator[i] += c * chosen[k]->values[i];
                    } else if (fitted[i] != 0) {
                        denominator[i] -= c * chosen[k]->values[i] / fitted[i];
                    }
                }
            }
            if (!keeps_sign(denominator)) break;
            for (std::size_t i = 0; i < rows_; ++i) fitted[i] = numerator[i] / denominator[i];
            if (round + 1 < kRoundsUnderNoise || !std::ranges::any_of(chosen, &Term::below)) continue;
            const double free = static_cast<double>(rows_) - static_cast<double>(chosen.size()) - 1;
            constexpr double kSignificant = 3;  // standard errors
            offer_rational(target, chosen, kSignificant * std::sqrt(fit_.residual_sum() / free) * fit_.unit_error(0));
        }
        scale_ = nullptr;
    }

    /// Adds the term of the denominator that `term` is in the numerator, for a target with these values.
    static void add_below(std::vector<Term>& terms, const Term& term, const std::vector<double>& target) {
        Term below{term.e, target, false, term.nodes, term.exponents, true};
        for (std::size_t i = 0; i < target.size(); ++i) below.values[i] *= term.values.empty() ? -1 : -term.values[i];
        if (usable(below.values)) terms.push_back(std::move(below));
    }

    /// Whether a denominator stays away from zero.
    [[nodiscard]] static bool keeps_sign(const std::vector<double>& values) {
        constexpr double kNearZero = 1e-3;
        double largest = 0;
        for (const double v : values) largest = std::max(largest, std::abs(v));
        return std::ranges::all_of(values, [&](double v) {
            return std::isfinite(v) && std::abs(v) > kNearZero * largest && (v > 0) == (values[0] > 0);
        });
    }

    /// `negligible`: an offset of the numerator that is left out.
    void offer_rational(const TransformedTarget& target, const std::vector<const Term*>& active, double negligible) {
        std::vector<const Term*> above, below;
        std::vector<double> a, b;
        double constant_below = scale_ ? 0 : 1;
        if (scale_) {
            below.push_back(scale_);
            b.push_back(1);
        }
        for (std::size_t k = 0; k < active.size(); ++k) {
            const double c = fit_.coefficients()[k + 1];
            if (!active[k]->below) {
                above.push_back(active[k]);
                a.push_back(c);
            } else if (active[k]->e.nodes[0].op == Op::Constant) {
                constant_below = c;
            } else {
                below.push_back(active[k]);
                b.push_back(c);
            }
        }
        if (below.empty()) return;
        double offset = fit_.coefficients()[0];
        if (std::abs(offset) < negligible) offset = 0;
        std::vector<Expression> found = {quotient(target, offset, a, above, constant_below, b, below)};
        // P / Q = r + (P - r Q) / Q: shorter where P has r times some terms of Q.
        for (std::size_t k = 0; k < above.size(); ++k) {
            for (std::size_t j = 0; j < below.size(); ++j) {
                if (!(above[k]->e == below[j]->e)) continue;
                const double r = a[k] / b[j];
                std::vector<const Term*> rest = above;
                std::vector<double> c = a;
                for (std::size_t q = 0; q < below.size(); ++q) {
                    const auto same =
                        std::find_if(rest.begin(), rest.end(), [&](const Term* p) { return p->e == below[q]->e; });
                    const auto place = static_cast<std::size_t>(same - rest.begin());
                    if (same == rest.end()) {
                        rest.push_back(below[q]);
                        c.push_back(-r * b[q]);
                    } else {
                        const double left = c[place] - r * b[q];
                        c[place] = std::abs(left) < 1e-7 * std::abs(c[place]) ? 0 : left;
                    }
                }
                const double constant = offset - r * constant_below;
                const auto terms = std::count_if(c.begin(), c.end(), [](double v) { return v != 0; });
                if (static_cast<std::size_t>(terms) >= above.size()) continue;
                const double kept = std::abs(constant) < 1e-7 * std::abs(r) ? 0 : constant;
                found.push_back(quotient(target, kept, c, rest, constant_below, b, below, r));
            }
        }
        std::erase_if(found, [](const Expression& e) { return e.nodes.empty(); });
        if (!found.empty()) polisher_.submit(std::move(found), "dictionary");
    }

    /// added + (offset + sum a above) / (constant + sum b below), each sum in its shorter form.
    [[nodiscard]] Expression quotient(const TransformedTarget& target, double offset, const std::vector<double>& a,
                                      const std::vector<const Term*>& above, double constant,
                                      const std::vector<double>& b, const std::vector<const Term*>& below,
                                      double added = 0) const {
        const auto sum = [&](double c0, const std::vector<double>& c, const std::vector<const Term*>& columns) {
            std::vector<Expression> terms;
            std::vector<const Term*> used;
            std::vector<double> factors;
            for (std::size_t k = 0; k < columns.size(); ++k) {
                if (c[k] == 0) continue;
                terms.push_back(columns[k]->e);
                used.push_back(columns[k]);
                factors.push_back(c[k]);
            }
            const Expression plain = linear_combination(c0, factors, terms, vocabulary_);
            const Expression nested = used.empty() ? Expression{} : horner(c0, used, factors);
            return vocabulary_.cheapest({&plain, &nested});
        };
        const Expression ratio = vocabulary_.divide(sum(offset, a, above), sum(constant, b, below));
        const Expression e = formula_of_y(vocabulary_.offset(added, ratio), target, view_, vocabulary_);
        return e.nodes.empty() ? e : simplify(e, vocabulary_.operators());
    }

    void eliminate(const TransformedTarget& target, const std::vector<Term>& columns) {
        std::vector<double> root_weight(rows_);
        for (std::size_t i = 0; i < rows_; ++i) root_weight[i] = noise_ > 0 ? std::sqrt(target.weight[i]) : 1;
        double spread = 0;
        const std::vector<const Term*> chosen = select(target.value, columns, root_weight, spread);
        if (chosen.empty()) return;
        if (std::ranges::any_of(chosen, &Term::below)) {
            if (fit_.residual_sum() >= 1e-16 * spread) return;
            double largest = 0;
            for (std::size_t k = 0; k < chosen.size(); ++k) {
                if (!chosen[k]->below) largest = std::max(largest, std::abs(fit_.coefficients()[k + 1]));
            }
            offer_rational(target, chosen, 1e-9 * largest);
        } else if (!scale_) {
            offer(target, chosen, fit_.residual_sum());
        }
    }

    /// Backward elimination, on the triangle of all columns: that costs no more than the first fit. What is left is fitted
    /// last; `spread` is the variance of the target times the rows. Empty if nothing explains half of it.
    std::vector<const Term*> select(const std::vector<double>& target, const std::vector<Term>& columns,
                                    const std::vector<double>& root_weight, double& spread) {
        if (columns.size() + 1 + spare_rows() > rows_) return {};
        std::vector<const double*> pointers;
        for (const Term& c : columns) pointers.push_back(c.values.data());
        ReducedProblem problem;
        polisher_.work().used += static_cast<double>(rows_ * (columns.size() + 1) * (columns.size() + 1)) * 0.5;
        if (!fit_.reduce(pointers, target.data(), root_weight.data(), rows_, problem) || !fit_.fit(problem, {}))
            return {};
        spread = fit_.residual_sum();
        const double quantum = 1e-20 * spread / static_cast<double>(rows_);
        std::vector<std::size_t> active(problem.columns.size());
        std::iota(active.begin(), active.end(), std::size_t{0});
        if (active.empty() || !fit_.fit(problem, active) || fit_.residual_sum() > 0.5 * spread) return {};
        const auto columns_of = [&](const std::vector<std::size_t>& places) {
            std::vector<const Term*> chosen;
            for (const std::size_t k : places) chosen.push_back(&columns[problem.columns[k]]);
            return chosen;
        };
        double best = price(columns_of(active), fit_.residual_sum(), quantum);
        while (active.size() > 1) {
            // The least significant first, many at a time while that costs nothing.
            std::vector<std::pair<double, std::size_t>> order;
            for (std::size_t k = 0; k < active.size(); ++k) {
                order.emplace_back(std::abs(fit_.coefficients()[k + 1]) / fit_.unit_error(k + 1), k);
            }
            std::sort(order.begin(), order.end());
            bool removed = false;
            for (std::size_t many = std::max<std::size_t>(1, active.size() / 3); many >= 1 && !removed; many /= 2) {
                std::vector<std::size_t> fewer;
                for (std::size_t k = 0; k < active.size(); ++k) {
                    const bool gone = std::any_of(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(many),
                                                  [&](const auto& o) { return o.second == k; });
                    if (!gone) fewer.push_back(active[k]);
                }
                const auto size = static_cast<double>(active.size());
                polisher_.work().used += 0.5 * size * size * static_cast<double>(problem.target.size());
                if (!fit_.fit(problem, fewer)) continue;
                const double p = price(columns_of(fewer), fit_.residual_sum(), quantum);
                if (p > best) continue;
                best = p;
                active = std::move(fewer);
                removed = true;
            }
            if (!removed) break;
        }
        std::vector<const Term*> chosen = columns_of(active);
        if (active.size() > kMostTerms || !fit(target, root_weight, chosen)) return {};
        return chosen;
    }

    struct Monomial {
        std::vector<int> exponents;
        double coefficient;
    };

    /// A polynomial with common variables taken out, again and again: shorter than the sum of its terms.
    [[nodiscard]] Expression nested(double offset, const std::vector<Monomial>& terms) const {
        std::size_t most = 1, which = 0;
        const std::size_t d = view_.variables.size();
        for (std::size_t j = 0; j < d; ++j) {
            const auto count = static_cast<std::size_t>(
                std::count_if(terms.begin(), terms.end(), [&](const Monomial& t) { return t.exponents[j] > 0; }));
            if (count > most) {
                most = count;
                which = j;
            }
        }
        if (most < 2) {
            std::vector<Expression> parts;
            std::vector<double> coefficients;
            for (const Monomial& t : terms) {
                std::vector<Power> powers;
                for (std::size_t j = 0; j < d; ++j) {
                    powers.push_back({view_.variables[j].expression, static_cast<double>(t.exponents[j])});
                }
                parts.push_back(power_product(1, powers, vocabulary_));
                coefficients.push_back(t.coefficient);
            }
            return linear_combination(offset, coefficients, parts, vocabulary_);
        }
        std::vector<Monomial> inside, outside;
        double inner_offset = 0;
        int common = 1000;
        for (const Monomial& t : terms) {
            if (t.exponents[which] > 0) common = std::min(common, t.exponents[which]);
        }
        for (const Monomial& t : terms) {
            Monomial m = t;
            if (t.exponents[which] == 0) {
                outside.push_back(m);
                continue;
            }
            m.exponents[which] -= common;
            if (std::all_of(m.exponents.begin(), m.exponents.end(), [](int e) { return e == 0; })) {
                inner_offset += m.coefficient;
            } else {
                inside.push_back(m);
            }
        }
        Expression core = nested(inner_offset, inside);
        const double factor = take_factor(core);
        const Power powers[] = {{view_.variables[which].expression, static_cast<double>(common)}, {core, 1}};
        const Expression product = power_product(factor, powers, vocabulary_);
        if (outside.empty()) return vocabulary_.offset(offset, product);
        return vocabulary_.add(product, nested(offset, outside));
    }

    [[nodiscard]] Expression horner(double offset, const std::vector<const Term*>& active,
                                    const std::vector<double>& coefficients) const {
        std::vector<Monomial> terms;
        for (std::size_t k = 0; k < active.size(); ++k) {
            if (active[k]->exponents.empty()) return {};
            double c = coefficients[k];
            if (std::abs(c - std::nearbyint(c)) < 1e-9) c = std::nearbyint(c);
            terms.push_back({active[k]->exponents, c});
        }
        return nested(offset, terms);
    }

    void offer(const TransformedTarget& target, const std::vector<const Term*>& active, double rest) {
        std::vector<double> coefficients(fit_.coefficients().begin() + 1, fit_.coefficients().end());
        const double offset = fit_.coefficients()[0];
        const double sigma =
            std::sqrt(rest / std::max(1.0, static_cast<double>(rows_) - static_cast<double>(active.size()) - 1));
        std::vector<Expression> found;
        if (active[0]->is_log) {
            std::vector<Power> free, simple;
            for (std::size_t k = 0; k < active.size(); ++k) {
                const double reach = std::max(1e-9, 3 * sigma * fit_.unit_error(k + 1));
                free.push_back({active[k]->e, coefficients[k]});
                simple.push_back({active[k]->e, nearest_simple_exponent(coefficients[k], std::min(reach, 0.25))});
            }
            for (const std::vector<Power>& powers : {simple, free}) {
                if (target.transform == Transform::log) {
                    std::vector<Power> all = view_.unit;
                    all.insert(all.end(), powers.begin(), powers.end());
                    found.push_back(power_product(target.sign * balmer::apply(Op::Exp, offset), all, vocabulary_));
                } else {
                    const Expression product = vocabulary_.log(power_product(1, powers, vocabulary_));
                    found.push_back(formula_of_y(vocabulary_.offset(offset, product), target, view_, vocabulary_));
                    if (balmer::apply(Op::Exp, offset) > 0) {
                        found.push_back(formula_of_y(
                            vocabulary_.log(power_product(balmer::apply(Op::Exp, offset), powers, vocabulary_)), target,
                            view_, vocabulary_));
                    }
                }
            }
            if (target.transform != Transform::log) {
                std::vector<Expression> terms;
                for (const Term* c : active) terms.push_back(vocabulary_.log(c->e));
                found.push_back(formula_of_y(linear_combination(offset, coefficients, terms, vocabulary_), target,
                                             view_, vocabulary_));
            }
        } else {
            std::vector<Expression> terms;
            double scale = 0;
            for (std::size_t k = 0; k < active.size(); ++k) {
                terms.push_back(active[k]->e);
                scale = std::max(scale, std::abs(coefficients[k]));
            }
            const Expression nested = formula_of_y(horner(offset, active, coefficients), target, view_, vocabulary_);
            if (!nested.nodes.empty()) found.push_back(nested);
            const bool no_offset = std::abs(offset) < 1e-9 * scale || std::abs(offset) < 3 * sigma * fit_.unit_error(0);
            found.push_back(
                formula_of_y(linear_combination(offset, coefficients, terms, vocabulary_), target, view_, vocabulary_));
            if (no_offset) {
                found.push_back(
                    formula_of_y(linear_combination(0, coefficients, terms, vocabulary_), target, view_, vocabulary_));
                found.push_back(formula_of_y(horner(0, active, coefficients), target, view_, vocabulary_));
            }
        }
        for (Expression& e : found) {
            if (!e.nodes.empty()) e = simplify(e, vocabulary_.operators());
        }
        polisher_.submit(std::move(found), "dictionary");
    }
};

}  // namespace

void dictionary(const View& view, Polisher& polisher, double noise) {
    if (view.variables.empty() || view.variables.size() > kMostVariables) return;
    DictionarySearch(view, polisher, noise).run();
}

void noisy_quotients(const View& view, Polisher& polisher, double noise) {
    if (view.variables.empty() || view.variables.size() > kMostVariables) return;
    DictionarySearch(view, polisher, noise).run_noisy_quotients();
}

void dictionary_of_any_denominator(const View& view, Polisher& polisher) {
    if (view.variables.empty() || view.variables.size() > kMostVariables) return;
    DictionarySearch(view, polisher, 0).run_for_any_denominator();
}

}  // namespace balmer::search
