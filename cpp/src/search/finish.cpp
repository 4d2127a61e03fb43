#include "search/finish.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "balmer/expr/simplify.hpp"
#include "search/compose.hpp"
#include "search/linear_fit.hpp"
#include "search/rewrite.hpp"
#include "search/shortest_form.hpp"

namespace balmer::search {
namespace {

constexpr int kMostRounds = 12;
constexpr double kErrors = 3;  // a constant is rounded to what lies within this many standard errors
constexpr double kCoincidence = 0.15;
constexpr double kTied = 0.2;  // relative difference of two factors that are tried as one
constexpr int kDenominators[] = {1, 2, 3, 4, 5, 6, 8, 9, 10, 12};

/// A formula with its loss and its price.
struct Draft {
    Expression e;
    double loss = INFINITY;
    double description = INFINITY;
};

class Finisher {
   public:
    explicit Finisher(Polisher& polisher) : polisher_(polisher), archive_(polisher.archive()) {}

    /// Offers what comes of the formula to the archive.
    void run(const Found& found) {
        if (!polisher_.vocabulary().admissible(found.expression)) return;
        Draft draft = shortened(absorbed(judged(found.expression, 30)));
        archive_.offer(as_found(draft));
        for (int round = 0; round < kMostRounds && !polisher_.stopped(); ++round) {
            Draft better = without_a_part(draft);
            if (better.description >= draft.description) break;
            draft = absorbed(std::move(better));
        }
        for (int round = 0; round < kMostRounds && !polisher_.stopped(); ++round) {
            Draft better = with_a_round_constant(draft);
            if (better.description >= draft.description) break;
            draft = std::move(better);
        }
        draft = shortened(std::move(draft));
        archive_.put_in_place_of_twin(as_found(draft));
    }

   private:
    Polisher& polisher_;
    SeedArchive& archive_;
    LinearFit fit_;
    std::vector<double> values_, jacobian_, residual_, root_weight_;

    [[nodiscard]] Found as_found(const Draft& draft) const {
        return {draft.e, polisher_.vocabulary().complexity(draft.e), draft.loss, 0, "finish"};
    }

    [[nodiscard]] std::size_t rows() const { return polisher_.evaluator().data().n_rows(); }

    void price(Draft& draft) {
        if (!std::isfinite(draft.loss)) {
            draft.description = INFINITY;
            return;
        }
        draft.description = description_length(draft.e, std::max(draft.loss, archive_.exact_loss()), archive_.scale(),
                                               steps(draft.e, draft.loss));
    }

    /// How far each constant alone may move before the data object: one over the root of the Fisher information. (Not the
    /// standard error: that of two constants that can stand in for each other is infinite, and would make them free.)
    std::vector<double> steps(const Expression& e, double loss) {
        std::vector<double> out;
        if (e.constants.empty() || !differentiate(e)) return out;
        const double sigma = std::sqrt(std::max(loss, archive_.exact_loss()));
        for (std::size_t k = 0; k < e.constants.size(); ++k) {
            double sum = 0;
            for (std::size_t i = 0; i < rows(); ++i) {
                const double slope = jacobian_[k * rows() + i] * (root_weight_.empty() ? 1 : root_weight_[i]);
                sum += slope * slope;
            }
            out.push_back(sigma / std::sqrt(sum));
        }
        return out;
    }

    /// Standard errors of the constants that are free, the fixed ones being what they are; NaN where the data say nothing.
    std::vector<double> errors_of(const Expression& e, double loss, const std::vector<bool>& fixed) {
        std::vector<double> out(e.constants.size(), NAN);
        if (!differentiate(e)) return out;
        std::vector<const double*> columns;
        std::vector<std::size_t> which;
        for (std::size_t k = 0; k < e.constants.size(); ++k) {
            if (fixed[k]) continue;
            columns.push_back(&jacobian_[k * rows()]);
            which.push_back(k);
        }
        const auto n = static_cast<double>(rows()), p = static_cast<double>(which.size());
        if (!fit_.fit(columns, residual_.data(), root_weight_.empty() ? nullptr : root_weight_.data(), rows(), false))
            return out;
        const double sigma = std::sqrt(std::max(loss, archive_.exact_loss()) * n / std::max(n - p, 1.0));
        for (std::size_t k = 0; k < which.size(); ++k) out[which[k]] = sigma * fit_.unit_error(k + 1);
        return out;
    }

    /// Values, residuals and derivatives of the formula on all rows. False if something is not finite.
    bool differentiate(const Expression& e) {
        const Dataset<double>& data = polisher_.evaluator().data();
        const std::size_t n = rows(), p = e.constants.size();
        values_.resize(n);
        jacobian_.resize(n * p);
        residual_.resize(n);
        root_weight_.clear();
        for (std::size_t i = 0; data.weights() && i < n; ++i) root_weight_.push_back(std::sqrt(data.weights()[i]));
        polisher_.evaluator().evaluate_with_jacobian(e, values_, jacobian_, polisher_.workspace().evaluation);
        polisher_.work().used += static_cast<double>(e.size() * n) * 4;
        for (std::size_t k = 0; k < p; ++k) difference(e, k);
        for (std::size_t i = 0; i < n; ++i) residual_[i] = data.target()[i] - values_[i];
        return std::all_of(residual_.begin(), residual_.end(), [](double r) { return std::isfinite(r); });
    }

    /// The formula, fitted and priced.
    Draft judged(Expression e, int iterations, double bound = INFINITY) {
        Draft draft;
        if (!polisher_.vocabulary().admissible(e)) return draft;
        FitOptions options;
        options.max_iterations = iterations;
        options.bound = bound;
        options.abandon_after = 3;
        draft.loss = polisher_.evaluator().mean_squared_error(e, rows(), polisher_.workspace().evaluation);
        int evaluations = 1;
        if (!e.constants.empty() && draft.loss > 1e-3 * archive_.exact_loss()) {
            const FitResult result = fit_constants(e, polisher_.evaluator(), options, polisher_.workspace());
            if (result.loss < draft.loss) draft.loss = result.loss;
            evaluations += result.evaluations;
        }
        polisher_.work().used += static_cast<double>(e.size() * rows()) * evaluations;
        draft.e = polisher_.vocabulary().simplified(e);
        if (draft.loss <= bound) price(draft);
        return draft;
    }

    /// The loss at which a formula with `saved` fewer nodes would cost as much: beyond it a fit is not worth finishing.
    [[nodiscard]] double affordable(const Draft& draft, std::size_t saved_nodes, std::size_t saved_constants) const {
        const double saved = archive_.scale().structure * static_cast<double>(saved_nodes) *
                                 balmer::apply(Op::Log, archive_.scale().symbols) +
                             25 * static_cast<double>(saved_constants);
        return std::max(draft.loss, archive_.exact_loss()) *
               balmer::apply(Op::Exp, std::min(2 * saved / archive_.scale().rows + 0.01, 600.0));
    }

    /// Without constants that only scale others: with them a fit has no unique solution.
    Draft absorbed(Draft draft) {
        Draft trial{with_factors_absorbed(draft.e, polisher_.vocabulary()), draft.loss, INFINITY};
        if (trial.e == draft.e || !polisher_.vocabulary().admissible(trial.e)) return draft;
        price(trial);
        return trial.description < draft.description ? trial : draft;
    }

    /// The same formula, written with less.
    Draft shortened(Draft draft) {
        const auto is_positive = [&](const Expression& e) {
            values_.resize(rows());
            polisher_.evaluator().evaluate(e, values_, polisher_.workspace().evaluation);
            polisher_.work().used += static_cast<double>(e.size() * rows());
            return std::ranges::all_of(values_, [](double v) { return v > 0; });
        };
        Draft trial{shortest_form(draft.e, polisher_.vocabulary(), is_positive), INFINITY, INFINITY};
        if (trial.e == draft.e || !polisher_.vocabulary().admissible(trial.e)) return draft;
        trial.loss = polisher_.evaluator().mean_squared_error(trial.e, rows(), polisher_.workspace().evaluation);
        constexpr double kRounding = 1e-6;
        if (!(trial.loss <= std::max((1 + kRounding) * draft.loss, archive_.exact_loss()))) return draft;
        price(trial);
        return trial.description < draft.description ? trial : draft;
    }

    /// The best of the smaller formulas that are near to this one.
    Draft without_a_part(const Draft& draft) {
        const Vocabulary& v = polisher_.vocabulary();
        std::vector<Expression> trials = without_one_part(draft.e, v);
        for (Expression& tied : with_one_factor(draft.e, kTied, v)) trials.push_back(std::move(tied));
        Draft best;
        for (const Expression& shorter : trials) {
            if (polisher_.stopped()) break;
            const double bound =
                affordable(draft, draft.e.size() - shorter.size(),
                           draft.e.constants.size() - std::min(shorter.constants.size(), draft.e.constants.size()));
            Draft trial = judged(shorter, 12, bound);
            if (std::tie(trial.description, trial.loss) < std::tie(best.description, best.loss))
                best = std::move(trial);
        }
        return best;
    }

    /// The derivative by differences where the exact one overflows on the way.
    void difference(const Expression& e, std::size_t k) {
        const std::size_t n = rows();
        double* column = &jacobian_[k * n];
        if (std::all_of(column, column + n, [](double v) { return std::isfinite(v); })) return;
        Expression moved = e;
        const double step = 1e-6 * std::max(std::abs(e.constants[k]), 1e-300);
        moved.constants[k] += step;
        polisher_.evaluator().evaluate(moved, {column, n}, polisher_.workspace().evaluation);
        for (std::size_t i = 0; i < n; ++i) column[i] = (column[i] - values_[i]) / step;
    }

    /// Gauss-Newton for the constants that are free; `fixed` ones keep their values. Returns the loss.
    double fit_free(Expression& e, const std::vector<bool>& fixed) {
        const std::size_t n = rows(), p = e.constants.size();
        const auto loss_of = [&](const Expression& f) {
            return polisher_.evaluator().mean_squared_error(f, n, polisher_.workspace().evaluation);
        };
        double loss = loss_of(e);
        if (!std::isfinite(loss)) return loss;
        for (int step = 0; step < 4; ++step) {
            if (!differentiate(e)) return loss;
            std::vector<const double*> columns;
            std::vector<std::size_t> which;
            for (std::size_t k = 0; k < p; ++k) {
                if (fixed[k]) continue;
                columns.push_back(&jacobian_[k * n]);
                which.push_back(k);
            }
            if (columns.empty()) return loss;
            if (!fit_.fit(columns, residual_.data(), root_weight_.empty() ? nullptr : root_weight_.data(), n, false)) {
                return loss;
            }
            Expression next = e;
            for (std::size_t k = 0; k < which.size(); ++k) next.constants[which[k]] += fit_.coefficients()[k + 1];
            const double next_loss = loss_of(next);
            if (!(next_loss < loss)) return loss;
            const bool done = next_loss > 0.999999 * loss;
            e = std::move(next);
            loss = next_loss;
            if (done) break;
        }
        return loss;
    }

    /// All constants that may be rounded, at once: where they depend on each other, rounding one alone moves the others away.
    Draft all_round(const Draft& draft, const std::vector<double>& errors, std::vector<bool> fixed) {
        Draft trial{draft.e, INFINITY, INFINITY};
        int rounded = 0;
        for (std::size_t k = 0; k < fixed.size(); ++k) {
            if (fixed[k]) continue;
            const double c = draft.e.constants[k];
            const double error = std::isfinite(errors[k]) ? errors[k] : 0.005 * std::abs(c);
            const double candidate = simple_number(c, error, is_exponent(draft.e, k));
            if (candidate == c) continue;
            trial.e.constants[k] = candidate;
            fixed[k] = true;
            ++rounded;
        }
        if (rounded < 2) return trial;
        trial.loss = fit_free(trial.e, fixed);
        trial.e = shorter_powers(trial.e);
        if (polisher_.vocabulary().admissible(trial.e)) price(trial);
        return trial;
    }

    /// The best of the formulas with one more constant at a simple number.
    Draft with_a_round_constant(const Draft& draft) {
        Draft best;
        if (draft.e.constants.empty()) return best;
        std::vector<bool> simple(draft.e.constants.size());
        for (std::size_t k = 0; k < simple.size(); ++k) {
            simple[k] = std::abs(draft.e.constants[k]) <= 1e6 && is_simple(draft.e.constants[k]);
        }
        const std::vector<double> errors = errors_of(draft.e, draft.loss, simple);
        best = all_round(draft, errors, simple);
        for (std::size_t k = 0; k < simple.size(); ++k) {
            if (simple[k]) continue;
            const double c = draft.e.constants[k];
            // Where a derivative overflows there is no error to go by: a hundredth is tried, and the price decides.
            const double error = std::isfinite(errors[k]) ? errors[k] : 0.005 * std::abs(c);
            const double candidate = simple_number(c, error, is_exponent(draft.e, k));
            if (candidate == c) continue;
            Draft trial{draft.e, INFINITY, INFINITY};
            trial.e.constants[k] = candidate;
            std::vector<bool> fixed = simple;
            fixed[k] = true;
            trial.loss = fit_free(trial.e, fixed);
            trial.e = shorter_powers(trial.e);
            if (!polisher_.vocabulary().admissible(trial.e)) continue;
            price(trial);
            if (std::tie(trial.description, trial.loss) < std::tie(best.description, best.loss))
                best = std::move(trial);
        }
        return best;
    }

    static bool is_exponent(const Expression& e, std::size_t constant) {
        for (std::size_t i = 1; i < e.size(); ++i) {
            if (e.nodes[i].op == Op::Pow && e.nodes[i - 1].op == Op::Constant && e.nodes[i - 1].index == constant)
                return true;
        }
        return false;
    }

    /// x ^ 2 as square(x), x ^ 0.5 as sqrt(x), ... where the vocabulary has a shorter way.
    [[nodiscard]] Expression shorter_powers(const Expression& e) const {
        const Vocabulary& v = polisher_.vocabulary();
        Expression out = simplify(e, v.operators());
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (out.nodes[i].op != Op::Pow || out.nodes[i - 1].op != Op::Constant) continue;
            const double p = out.constants[out.nodes[i - 1].index];
            if (!is_simple(p)) continue;
            const Expression base = out.subtree(out.operand(i, 0));
            const Expression power = v.power(base, p);
            if (power.nodes.empty() || v.complexity(power) >= v.complexity(out.subtree(i))) continue;
            if (i == out.root()) {
                out = power;
            } else {
                out.replace(i, power);
            }
            i = 0;
        }
        // -1 * a + b as b - a.
        for (std::size_t i = 0; i < out.size() && v.has(Op::Sub); ++i) {
            if (out.nodes[i].op != Op::Add) continue;
            for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
                Expression negative = out.subtree(out.operand(i, k));
                if (negative.nodes.back().op != Op::Mul) continue;
                if (take_factor(negative) != -1) continue;
                const Expression difference = v.subtract(out.subtree(out.operand(i, 1 - k)), negative);
                if (v.complexity(difference) >= v.complexity(out.subtree(i))) continue;
                if (i == out.root()) {
                    out = difference;
                } else {
                    out.replace(i, difference);
                }
                i = 0;
                break;
            }
        }
        return simplify(out, v.operators());
    }
};

}  // namespace

double simple_number(double c, double error, bool exponent) {
    if (std::abs(c) > 1e6) return c;
    for (const int q : kDenominators) {
        const double candidate = std::nearbyint(c * q) / q;
        if (candidate == 0 || std::abs(candidate - c) > std::max(kErrors * error, 1e-9 * std::abs(c))) continue;
        const double density = q == 1 ? 1 : 0.6 * q * q;  // of fractions with denominators up to q
        if (4 * error * density <= (exponent && q <= 2 ? 0.5 : kCoincidence)) return candidate;
    }
    return c;
}

bool is_simple(double c) {
    return std::ranges::any_of(kDenominators,
                               [c](int q) { return c * q == std::nearbyint(c * q) || c == std::nearbyint(c * q) / q; });
}

void finish(Polisher& polisher, std::size_t count) {
    SeedArchive& archive = polisher.archive();
    // The best of all, and the best of each complexity that no smaller one beats.
    std::vector<Found> chosen;
    double least_loss = INFINITY;
    std::vector<Found> all;
    for (const std::vector<Found>& entries : archive.by_complexity()) {
        for (const Found& found : entries) all.push_back(found);
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Found& a, const Found& b) { return a.description < b.description; });
    for (std::size_t k = 0; k < std::min(all.size(), count); ++k) chosen.push_back(all[k]);
    for (const std::vector<Found>& entries : archive.by_complexity()) {
        if (entries.empty() || entries[0].loss >= least_loss || chosen.size() >= 2 * count) continue;
        least_loss = entries[0].loss;
        chosen.push_back(entries[0]);
    }
    Finisher finisher(polisher);
    for (const Found& found : chosen) {
        if (polisher.stopped()) break;
        finisher.run(found);
    }
}

}  // namespace balmer::search
