// Fits by any elementwise loss.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "balmer/fit/loss.hpp"
#include "fit/curvature_solver.hpp"
#include "fit/kink_polish.hpp"
#include "fit/linear_constants.hpp"
#include "fit/loss_model.hpp"
#include "fit/same_loss.hpp"

namespace balmer {
namespace {

using fit::CurvatureSolver;
using fit::LossExpansion;
using fit::LossMemory;
using fit::LossModel;

/// A trial step is taken when it saves at least this share of what the quadratic model promised.
constexpr double kAcceptance = 1e-4;
constexpr double kLargestDamping = 1e16;

/// Of the sum of losses: savings below it drown in rounding. The options may ask for more, then the last step is taken
/// unseen, if it does no harm.
constexpr double kRounding = 1e-15;

/// A loss with kinks is smoothed over these parts of the mean distance from the kinks, one after the other.
constexpr double kSmoothing[] = {1, 0.1, 1e-2, 1e-3};

/// Linearised problems of the polish, when constants are not all linear.
constexpr int kMaxProblems = 60, kMaxRounds = 6;

/// Levenberg-Marquardt for one expression and one loss.
template <class T>
class LossFit {
   public:
    LossFit(LossModel<T>& model, const Evaluator<T>& evaluator, const Loss& loss, LossMemory<T>& memory,
            const FitOptions& options)
        : model_(model),
          shape_(loss.shape()),
          m_(memory),
          options_(options),
          weight_(evaluator.data().weight_sum(model.rows())),
          target_size_(std::sqrt(evaluator.data().target_variance() +
                                 evaluator.data().target_mean() * evaluator.data().target_mean())),
          n_(memory.constants.size()),
          all_linear_(std::find(memory.linear.begin(), memory.linear.end(), false) == memory.linear.end()) {}

    /// Starts at memory.constants, and at memory.start if that is not empty, and leaves the best constants in the
    /// former.
    FitResult run();

   private:
    bool expand(const std::vector<double>& constants, double smoothing, LossExpansion& out) {
        ++result_.evaluations;
        return model_.expand(constants, smoothing, out);
    }

    /// The damped step in m_.step; what the model says it saves, or a negative number if the model has no minimum.
    double damped_step(const std::vector<double>& matrix, double lambda, bool positive);

    /// Steps until converged or until `budget` of them are spent.
    FitStatus descend(double smoothing, int budget, double tolerance);
    FitStatus descend_through_smoothing();

    LossModel<T>& model_;
    const LossShape& shape_;
    LossMemory<T>& m_;
    const FitOptions& options_;
    double weight_, target_size_;
    std::size_t n_;
    bool all_linear_;
    CurvatureSolver solver_;
    FitResult result_;
};

template <class T>
double LossFit<T>::damped_step(const std::vector<double>& matrix, double lambda, bool positive) {
    m_.matrix = matrix;
    m_.step = m_.current.gradient;
    for (std::size_t i = 0; i < n_; ++i) {
        m_.matrix[i * n_ + i] += lambda * m_.scale[i];
    }
    if (!solver_.factor(m_.matrix, n_) && !positive) {
        return -1;
    }
    solver_.solve(m_.step);
    double predicted = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        predicted += m_.step[i] * (m_.current.gradient[i] + lambda * m_.scale[i] * m_.step[i]);
    }
    return predicted / 2;
}

template <class T>
FitStatus LossFit<T>::descend(double smoothing, int budget, double tolerance) {
    const auto widen = [&]() {  // Moré's scaling: the largest curvature met so far
        for (std::size_t i = 0; i < n_; ++i) {
            const std::size_t at = i * n_ + i;
            m_.scale[i] = std::max({m_.scale[i], m_.current.majorant[at], std::abs(m_.current.curvature[at])});
        }
    };
    m_.scale.assign(n_, 0.0);
    widen();
    double lambda = all_linear_ ? 1e-6 : 1e-3, growth = 2;
    bool newton = false;  // the true curvatures; the majorising ones after a failure and at the start
    bool was_small = false;
    for (int spent = 0; spent < budget; ++spent, ++result_.iterations) {
        if (result_.iterations == options_.abandon_after && m_.current.sum > options_.bound * weight_) {
            return FitStatus::abandoned;
        }
        double predicted = damped_step(newton ? m_.current.curvature : m_.current.majorant, lambda, !newton);
        if (newton && !(predicted > 0)) {
            newton = false;
            predicted = damped_step(m_.current.majorant, lambda, true);
        }
        bool short_step = true;
        for (std::size_t i = 0; i < n_; ++i) {
            const double c = std::abs(m_.constants[i]);
            short_step = short_step && std::abs(m_.step[i]) <= options_.step_tolerance * (c + options_.step_tolerance);
        }
        if (short_step || !(predicted > 0)) {
            return FitStatus::converged_step;
        }
        m_.trial_constants = m_.constants;
        for (std::size_t i = 0; i < n_; ++i) {
            m_.trial_constants[i] += m_.step[i];
        }
        const bool finite = expand(m_.trial_constants, smoothing, m_.trial);
        const double saved = m_.current.sum - m_.trial.sum;
        const double size = std::abs(m_.current.sum);
        const bool last = predicted < std::max(0.1 * tolerance, kRounding) * size;
        const double ratio = saved / predicted;
        if (finite && saved >= 0 && (ratio > kAcceptance || last)) {
            const bool small = saved < std::max(tolerance, kRounding) * size;
            std::swap(m_.current, m_.trial);
            std::swap(m_.constants, m_.trial_constants);
            widen();
            if (last || (small && (newton || was_small))) {
                ++result_.iterations;
                return FitStatus::converged_loss;
            }
            const double slope = 2 * std::min(ratio, 1.0) - 1;
            lambda *= std::max(all_linear_ ? 0.1 : 1.0 / 3, 1 - slope * slope * slope);
            growth = 2;
            was_small = small;
            newton = true;
        } else {
            if (last) {
                return FitStatus::converged_loss;
            }
            if (newton) {
                newton = false;
            } else {
                lambda *= growth;
                growth *= 2;
            }
            if (lambda > kLargestDamping) {
                return FitStatus::converged_step;
            }
        }
    }
    return FitStatus::max_iterations;
}

template <class T>
FitStatus LossFit<T>::descend_through_smoothing() {
    const double distance = m_.current.distance;
    const double smallest = 64 * static_cast<double>(std::numeric_limits<T>::epsilon()) * target_size_;
    const int budget = std::max(1, options_.max_iterations / 8);
    for (const double part : kSmoothing) {
        const double smoothing = part * distance;
        if (!(smoothing > smallest) || result_.iterations >= options_.max_iterations) {
            break;
        }
        if (!expand(m_.constants, smoothing, m_.current)) {
            break;
        }
        if (descend(smoothing, std::min(budget, options_.max_iterations - result_.iterations), 1e-4) ==
            FitStatus::abandoned) {
            return FitStatus::abandoned;
        }
    }
    expand(m_.constants, 0, m_.current);
    if (shape_.convex && shape_.kinks_known && shape_.continuous) {
        const double tolerance = std::max(options_.loss_tolerance, 10 * kRounding);
        const bool exact = all_linear_ && shape_.piecewise_linear;
        // Linear problems shorten their box in a curved valley; steps of the smoothed loss go on along it.
        for (int round = 0; round < (exact ? 1 : kMaxRounds); ++round) {
            const double before = m_.current.sum;
            result_.evaluations +=
                polish_kinks(model_, shape_, all_linear_, std::min(kMaxProblems, options_.max_iterations + 1),
                             tolerance, m_.constants, m_.current, m_.trial);
            constexpr double kWorthARound = 1e-9;
            const double smoothing = kSmoothing[2] * m_.current.distance;
            if (exact || (round > 0 && before - m_.current.sum <= kWorthARound * std::abs(before)) ||
                result_.iterations >= options_.max_iterations || !(smoothing > smallest) ||
                !expand(m_.constants, smoothing, m_.current)) {
                break;
            }
            descend(smoothing, std::min(budget, options_.max_iterations - result_.iterations), 1e-9);
            expand(m_.constants, 0, m_.current);
        }
        expand(m_.constants, 0, m_.current);
        if (shape_.piecewise_linear) {
            return FitStatus::converged_loss;
        }
    }
    const int left = options_.max_iterations - result_.iterations;
    const FitStatus status = left > 0 ? descend(0, left, options_.loss_tolerance) : FitStatus::max_iterations;
    if (shape_.kinks_known && shape_.continuous && !shape_.convex && status != FitStatus::abandoned) {
        result_.evaluations += fit::snap_to_kinks(model_, shape_, m_.constants, m_.current, m_.trial);
    }
    return status;
}

template <class T>
FitResult LossFit<T>::run() {
    const auto finish = [&](FitStatus status) {
        result_.status = status;
        result_.loss = m_.current.sum / weight_;
        return result_;
    };
    bool finite = expand(m_.constants, 0, m_.current);
    if (!m_.start.empty() && expand(m_.start, 0, m_.trial) && (!finite || m_.trial.sum < m_.current.sum)) {
        std::swap(m_.current, m_.trial);
        m_.constants = m_.start;
        finite = true;
    }
    if (!finite) {
        return finish(FitStatus::not_finite);
    }
    if (shape_.non_negative && m_.current.sum == 0) {
        return finish(FitStatus::converged_loss);
    }
    if (shape_.smooth && shape_.bounded_curvature) {
        return finish(descend(0, options_.max_iterations, options_.loss_tolerance));
    }
    return finish(descend_through_smoothing());
}

/// How many of the constants are fitted.
std::ptrdiff_t free_constants(const Expression& expression, const FitOptions& options) {
    return static_cast<std::ptrdiff_t>(std::min(expression.constants.size(), options.free_constants));
}

/// Where least squares would go from here: for losses of the distance a start that brings the linear constants to the
/// right scale.
template <class T>
void find_start(const Expression& expression, const Evaluator<T>& evaluator, const Loss& loss,
                const FitOptions& options, FitWorkspace<T>& workspace, std::vector<double>& start, FitResult& spent) {
    start.clear();
    if (!loss.shape().towards_target) {
        return;
    }
    Expression copy = expression;
    FitOptions first = options;
    first.max_iterations = std::min(options.max_iterations, 10);
    first.bound = std::numeric_limits<double>::infinity();
    const FitResult result = fit_constants(copy, evaluator, first, workspace);
    spent.evaluations += result.evaluations;
    if (result.status != FitStatus::not_finite) {
        start.assign(copy.constants.begin(), copy.constants.begin() + free_constants(expression, options));
    }
}

}  // namespace

template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const Loss& loss,
                        const FitOptions& options, FitWorkspace<T>& workspace) {
    const LossShape& shape = loss.shape();
    if (loss.is_least_squares()) {
        FitOptions scaled = options;
        scaled.bound = options.bound / shape.least_squares;
        FitResult result = fit_constants(expression, evaluator, scaled, workspace);
        result.loss *= shape.least_squares;
        return result;
    }
    const Dataset<T>& data = evaluator.data();
    if (data.target() == nullptr) {
        throw std::invalid_argument("the data have no target to fit to: give one when the Dataset is made");
    }
    const std::size_t rows = options.rows == 0 ? data.n_rows() : std::min(options.rows, data.n_rows());
    const std::ptrdiff_t n = free_constants(expression, options);
    if (n == 0) {
        FitResult result;
        result.loss = mean_loss(expression, evaluator, loss, rows, workspace.evaluation);
        result.evaluations = 1;
        return result;
    }
    if (dynamic_cast<LossMemory<T>*>(workspace.loss.get()) == nullptr) {
        workspace.loss = std::make_unique<LossMemory<T>>();
    }
    auto& memory = dynamic_cast<LossMemory<T>&>(*workspace.loss);
    FitResult spent;
    find_start(expression, evaluator, loss, options, workspace, memory.start, spent);
    fit::LinearConstants().find(expression, evaluator.operators(), static_cast<std::size_t>(n), memory.linear);
    const auto run = [&](eval::Range range) {
        memory.constants.assign(expression.constants.begin(), expression.constants.begin() + n);
        LossModel<T> model(expression, evaluator, loss, rows, range, workspace.evaluation.program(), memory);
        return LossFit<T>(model, evaluator, loss, memory, options).run();
    };
    const std::vector<double> start = expression.constants;
    FitResult result;
    const auto run_and_take = [&](eval::Range range) {
        expression.constants = start;
        result = run(range);
        if (result.status == FitStatus::not_finite) return;
        std::copy(memory.constants.begin(), memory.constants.end(), expression.constants.begin());
    };
    run_and_take(eval::Range::plain);
    if (eval::has_extended_form(expression, evaluator.operators(), data.is_extreme())) {
        const double seen = mean_loss(expression, evaluator, loss, rows, workspace.evaluation);
        if (result.status == FitStatus::not_finite || !fit::same_loss<T>(seen, result.loss)) {
            run_and_take(eval::Range::extended);
        }
    }
    result.evaluations += spent.evaluations;
    return result;
}

template FitResult fit_constants<double>(Expression&, const Evaluator<double>&, const Loss&, const FitOptions&,
                                         FitWorkspace<double>&);
template FitResult fit_constants<float>(Expression&, const Evaluator<float>&, const Loss&, const FitOptions&,
                                        FitWorkspace<float>&);

}  // namespace balmer
