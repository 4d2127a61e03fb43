#include "balmer/fit/fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "balmer/core/rng.hpp"
#include "fit/frequency_scan.hpp"
#include "fit/levenberg_marquardt.hpp"
#include "fit/same_loss.hpp"

namespace balmer {

std::string_view name(FitStatus status) noexcept {
    switch (status) {
        case FitStatus::converged_loss:
            return "converged_loss";
        case FitStatus::converged_step:
            return "converged_step";
        case FitStatus::max_iterations:
            return "max_iterations";
        case FitStatus::not_finite:
            return "not_finite";
        case FitStatus::abandoned:
            return "abandoned";
        case FitStatus::nothing_to_fit:
            return "nothing_to_fit";
    }
    return "";
}

template <class T>
FitWorkspace<T>::FitWorkspace() : impl_(std::make_unique<Impl>()) {}
template <class T>
FitWorkspace<T>::~FitWorkspace() = default;
template <class T>
FitWorkspace<T>::FitWorkspace(FitWorkspace&&) noexcept = default;
template <class T>
FitWorkspace<T>& FitWorkspace<T>::operator=(FitWorkspace&&) noexcept = default;

namespace {

using fit::Formula;
using fit::LevenbergMarquardt;
using fit::RowRuns;

/// Starts are tried on this many rows at least: runs spread over all of them, so that rows in the order of time or of size
/// are no trap. They cost less than all rows only where there are some times more.
constexpr std::size_t kRuns = 4, kRunRows = 32, kScreenRunRows = 16, kWorthSampling = 4;
/// What is left of max_iterations after the sample, at least.
constexpr int kLeastSteps = 2;

/// A new start is the most promising of so many.
constexpr int kDraws = 3;
/// A fit that leaves less of the variance than this is not in a wrong minimum.
constexpr double kGoodShare = 1e-6;
/// A new start has to lower the loss on the sample to this share.
constexpr double kMuchBetter = 0.5;

template <class T>
std::size_t check_rows(const Evaluator<T>& evaluator, const FitOptions& options) {
    const Dataset<T>& data = evaluator.data();
    if (data.target() == nullptr) {
        throw std::invalid_argument("the data have no target to fit to: give one when the Dataset is made");
    }
    return options.rows == 0 ? data.n_rows() : std::min(options.rows, data.n_rows());
}

/// A start near `centre`: scattered by a third of each nonlinear constant, by two thirds or by itself (number 0, 1, 2), and by
/// a tenth of that beside, so that constants near 0 move too.
void scatter(const std::vector<double>& centre, const std::vector<bool>& linear, int number, Rng& rng,
             std::vector<double>& start) {
    const double width = static_cast<double>(1 + number) / 3;
    start = centre;
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (!linear[i]) {
            start[i] += width * (rng.normal() * start[i] + 0.1 * rng.normal());
        }
    }
}

/// The fit of one formula: what its stages share.
template <class T>
class Fit {
   public:
    Fit(Formula<T>& formula, const FitOptions& options, typename FitWorkspace<T>::Impl& memory)
        : formula_(formula),
          options_(options),
          m_(memory),
          rows_(formula.rows),
          good_(kGoodShare * formula.evaluator.data().target_variance()) {}

    /// Starts at memory.start, leaves the best constants in memory.best.
    FitResult run() {
        const bool nonlinear = std::find(m_.linear.begin(), m_.linear.end(), false) != m_.linear.end();
        m_.first = m_.start;
        const std::size_t length = std::max(kRunRows, padded(2 * m_.start.size()));
        const RowRuns sample = RowRuns::spread(rows_, kRuns, length);
        FitResult result;
        if (nonlinear && options_.max_iterations > 0 && sample.count() * kWorthSampling <= rows_) {
            result = run_from_sample(sample);
        } else {
            result = on_all_rows(options_);
            if (nonlinear && options_.restarts > 0 && is_open(result)) {
                result = restarted(result);
            }
        }
        const bool all_free = m_.first.size() == formula_.expression.constants.size();
        if (nonlinear && options_.scan_frequencies && all_free && is_open(result)) {
            result = with_other_frequencies(result);
        }
        result.iterations = iterations_;
        result.evaluations = static_cast<int>(std::ceil(passes_));
        return result;
    }

   private:
    /// Whether other starts may do better.
    [[nodiscard]] bool is_open(const FitResult& result) const noexcept {
        return result.status != FitStatus::not_finite && result.status != FitStatus::abandoned && result.loss > good_;
    }

    FitResult on(RowRuns rows, const FitOptions& options, bool near = false) {
        LevenbergMarquardt<T> minimiser(formula_, rows, options, m_);
        if (near) {
            minimiser.expect_near();
        }
        const FitResult result = minimiser.run();
        projected_start_ = minimiser.projected_start();
        iterations_ += result.iterations;
        passes_ += result.evaluations * static_cast<double>(rows.count()) / static_cast<double>(rows_);
        return result;
    }

    FitResult on_all_rows(const FitOptions& options, bool near = false) {
        const FitResult result = on(rows_, options, near);
        m_.best = m_.current.constants;
        return result;
    }

    /// Options for a fit that shall tell which starts are worth more.
    [[nodiscard]] FitOptions rough() const {
        FitOptions rough = options_;
        rough.loss_tolerance = std::max(options_.loss_tolerance, 1e-6);
        return rough;
    }

    /// Finds the constants on a sample of the rows, where a pass costs little, and lets them settle on all rows.
    FitResult run_from_sample(RowRuns sample) {
        FitOptions rough = this->rough();
        rough.bound = std::numeric_limits<double>::infinity();
        FitOptions settle = options_;
        const FitResult first = on(sample, rough);
        int steps = first.iterations;
        m_.best = m_.current.constants;
        double loss = first.loss;
        const double start = projected_start_;
        if (options_.restarts > 0 && is_open(first)) {
            scatter_starts(sample, loss, [&](const FitResult& trial) {
                m_.best = m_.current.constants;
                steps = trial.iterations;
                return loss = trial.loss;
            });
        }
        // The minimum of the sample is below that of all rows by about loss * constants / rows of the sample.
        constexpr double kChance = 4;
        const double chance = kChance * static_cast<double>(m_.first.size()) / static_cast<double>(sample.count());
        if (first.status == FitStatus::not_finite || !(loss * (1 + chance) < start)) {  // it was there already
            m_.start = m_.first;
            return on_all_rows(options_);
        }
        settle.max_iterations = std::max(kLeastSteps, options_.max_iterations - steps);
        settle.abandon_after = std::min(settle.abandon_after, 1);
        m_.start = m_.best;
        const FitResult result = on_all_rows(settle, true);
        if (result.status != FitStatus::not_finite && !first_is_below(result.loss)) {
            return result;
        }
        m_.start = m_.first;
        return on_all_rows(options_);
    }

    /// Whether the constants that were given have a smaller loss on all rows. A pass that mostly ends early.
    [[nodiscard]] bool first_is_below(double loss) {
        const Dataset<T>& data = formula_.evaluator.data();
        const double weight = data.weight_sum(rows_);
        return fit::sum_of_squares(formula_.program, data, rows_, m_.first, loss * weight) < loss * weight;
    }

    /// The best from `result` at memory.best and from the frequencies that a scan recommends.
    FitResult with_other_frequencies(FitResult result) {
        Expression first = formula_.expression;
        first.constants = m_.first;
        for (const std::vector<double>& start : fit::frequency_starts(first, formula_.evaluator, rows_)) {
            m_.start = start;
            const FitResult trial = on(rows_, options_);
            if (trial.loss < result.loss) {
                result = trial;
                m_.best = m_.current.constants;
            }
            if (!is_open(result)) {
                break;
            }
        }
        return result;
    }

    /// Other starts, when the first has led to `result` and memory.best.
    FitResult restarted(FitResult result) {
        const RowRuns sample = RowRuns::spread(rows_, kRuns, kScreenRunRows);
        FitOptions none = options_;
        none.max_iterations = 0;
        m_.start = m_.best;
        const double loss = on(sample, none).loss;
        scatter_starts(sample, loss, [&](const FitResult& trial) {
            m_.start = m_.current.constants;
            const FitResult full = on(rows_, options_);
            if (!(full.loss < result.loss)) {
                return result.loss > good_ ? loss : 0;
            }
            result = full;
            m_.best = m_.current.constants;
            return full.loss > good_ ? trial.loss : 0;
        });
        return result;
    }

    /// Other starts, each fitted on the sample: when its loss there is much below `loss`, `take(its result)` says what the
    /// next have to beat.
    template <class Take>
    void scatter_starts(RowRuns sample, double loss, const Take& take) {
        FitOptions rough = this->rough();
        Rng rng(0, 0);
        for (int k = 0; k < options_.restarts && loss > good_; ++k) {
            draw_start(sample, k, rng);
            rough.bound = loss;
            const FitResult trial = on(sample, rough);
            if (trial.status != FitStatus::not_finite && trial.loss < kMuchBetter * loss) {
                loss = take(trial);
            }
        }
    }

    /// The most promising of a few starts in memory.start: near memory.first, every fourth time near memory.best.
    void draw_start(RowRuns sample, int k, Rng& rng) {
        double least = std::numeric_limits<double>::infinity();
        m_.chosen = m_.first;
        for (int draw = 0; draw < kDraws; ++draw) {
            scatter(k % 4 != 3 ? m_.first : m_.best, m_.linear, draw, rng, m_.start);
            LevenbergMarquardt<T> minimiser(formula_, sample, options_, m_);
            const double loss = minimiser.probe();
            passes_ += static_cast<double>(sample.count()) / static_cast<double>(rows_);
            if (loss < least) {
                least = loss;
                m_.chosen = m_.start;
            }
        }
        std::swap(m_.start, m_.chosen);
    }

    Formula<T>& formula_;
    const FitOptions& options_;
    typename FitWorkspace<T>::Impl& m_;
    std::size_t rows_;
    double good_;
    double projected_start_ = 0;  // of the last fit
    int iterations_ = 0;
    double passes_ = 0;  // over all rows; a sample counts as its share
};

}  // namespace

template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const FitOptions& options,
                        FitWorkspace<T>& workspace) {
    const std::size_t rows = check_rows(evaluator, options);
    const std::size_t n = std::min(expression.constants.size(), options.free_constants);
    if (n == 0) {
        FitResult result;
        result.loss = evaluator.mean_squared_error(expression, rows, workspace.evaluation);
        result.evaluations = 1;
        return result;
    }
    auto& memory = workspace.impl();
    memory.start.assign(expression.constants.begin(), expression.constants.begin() + static_cast<std::ptrdiff_t>(n));
    memory.analysis.find(expression, evaluator.operators(), n, memory.linear);
    Formula<T> formula{expression, evaluator, workspace.evaluation.program(), rows, n};
    formula.compile(eval::Range::plain);
    FitResult result = Fit<T>(formula, options, memory).run();
    const auto take = [&] {
        const std::vector<double>& found = result.status == FitStatus::not_finite ? memory.first : memory.best;
        std::copy(found.begin(), found.end(), expression.constants.begin());
    };
    take();
    if (formula.range == eval::Range::plain && formula.may_be_rescued()) {
        const double loss = evaluator.mean_squared_error(expression, rows, workspace.evaluation);
        ++result.evaluations;
        if (!fit::same_loss<T>(loss, result.loss)) {
            memory.start = memory.first;
            formula.compile(eval::Range::extended);
            result = Fit<T>(formula, options, memory).run();
            take();
        }
    }
    return result;
}

template <class T>
std::vector<double> standard_errors(const Expression& expression, const Evaluator<T>& evaluator,
                                    FitWorkspace<T>& workspace, std::size_t free_constants) {
    const std::size_t rows = check_rows(evaluator, {});
    const std::size_t n = std::min(expression.constants.size(), free_constants);
    if (n == 0) {
        return {};
    }
    auto& memory = workspace.impl();
    const Dataset<T>& data = evaluator.data();
    Formula<T> formula{expression, evaluator, workspace.evaluation.program(), rows, n};
    formula.compile(formula.may_be_rescued() ? eval::Range::extended : eval::Range::plain);
    std::vector<double> errors(n, std::numeric_limits<double>::quiet_NaN());
    memory.order.resize(n);
    std::iota(memory.order.begin(), memory.order.end(), std::size_t{0});
    const std::span<const std::size_t> order(memory.order);
    const auto constants = std::span(expression.constants).first(n);
    // Rows of weight 0 are no observations.
    double observations = static_cast<double>(rows);
    if (const T* w = data.weights(); w != nullptr) {
        observations -= static_cast<double>(std::count(w, w + rows, T(0)));
    }
    const double freedom = observations - static_cast<double>(n);
    if (!(freedom > 0)) {
        return errors;
    }
    // From J'WJ, a fraction of the cost, where its digits are good for ten of the errors.
    constexpr double kWellConditioned = 1e-6, kNoLimit = std::numeric_limits<double>::infinity();
    fit::TriangularModel& model = memory.current.model;
    double sum = 0;
    bool known = fit::evaluate(formula.program, data, rows, constants, kNoLimit, memory.scratch, memory.equations);
    if (known) {
        model.set(memory.equations, order, 0);
        sum = memory.equations.sum;
        known = !model.deficient() && model.smallest_pivot() > kWellConditioned;
    }
    if (!known) {
        if (!fit::evaluate(formula.program, data, rows, constants, order, memory.scratch, memory.factor)) {
            return errors;
        }
        model.set(memory.factor, order, 0);
        sum = memory.factor.sum;
    }
    model.inverse_diagonal(errors);
    for (double& e : errors) {
        e = std::sqrt(e * sum / freedom);
    }
    return errors;
}

template class FitWorkspace<double>;
template class FitWorkspace<float>;
template FitResult fit_constants<double>(Expression&, const Evaluator<double>&, const FitOptions&,
                                         FitWorkspace<double>&);
template FitResult fit_constants<float>(Expression&, const Evaluator<float>&, const FitOptions&, FitWorkspace<float>&);
template std::vector<double> standard_errors<double>(const Expression&, const Evaluator<double>&, FitWorkspace<double>&,
                                                     std::size_t);
template std::vector<double> standard_errors<float>(const Expression&, const Evaluator<float>&, FitWorkspace<float>&,
                                                    std::size_t);

}  // namespace balmer
