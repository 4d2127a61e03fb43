#include "fit/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>

namespace balmer::fit {

namespace {

/// A trial step is taken when it saves at least this share of what the model promised.
constexpr double kAcceptance = 1e-4;
constexpr double kLeastDamping = 1e-14, kLargestDamping = 1e16;

/// Damping falls to this share of itself after a step that did what was promised. Nielsen has 1/3.
constexpr double kRelief = 0.1;

/// Linear constants are put right by a pass of their own when that saves more than this share of the sum of squares, and one
/// of them changes by more than this share: the derivatives by the others scale with them. Otherwise the next step takes them
/// along.
constexpr double kWorthAPass = 0.1;

/// One pass brings linear constants to their optimum, and one more for each 16 digits by which they become smaller.
constexpr int kRepeats = 8;

/// Squared sine of an angle between columns below which J'J has lost too many digits, and the factor of J is used.
constexpr double kIllConditioned = 1e-11;

/// Sum of the weights of the rows.
template <class T>
double weight_of(const Dataset<T>& data, RowRuns rows) {
    double sum = 0;
    rows.for_each_run([&](std::size_t first, std::size_t n) {
        sum += data.weight_sum(first + n) - data.weight_sum(first);
        return true;
    });
    return sum;
}

}  // namespace

template <class T>
LevenbergMarquardt<T>::LevenbergMarquardt(Formula<T>& formula, RowRuns rows, const FitOptions& options,
                                          typename FitWorkspace<T>::Impl& memory)
    : formula_(formula),
      data_(formula.evaluator.data()),
      rows_(rows),
      options_(options),
      m_(memory),
      n_(memory.start.size()),
      weight_(weight_of(data_, rows)) {
    m_.order.clear();
    for (const bool linear : {true, false}) {
        for (std::size_t i = 0; i < n_; ++i) {
            if (m_.linear[i] == linear) {
                m_.order.push_back(i);
            }
        }
        if (linear) {
            n_linear_ = m_.order.size();
        }
    }
    const double mean = data_.target_mean(), epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    squares_ = weight_ * (data_.target_variance() + mean * mean);
    floor_ = epsilon * epsilon * squares_;
    for (Point* point : {&m_.current, &m_.trial, &m_.spare}) {
        point->reserve(n_);
    }
    m_.current.constants = m_.start;
    m_.damping.assign(n_, 0.0);
    m_.step.resize(n_);
}

template <class T>
bool LevenbergMarquardt<T>::evaluate(Point& point, double limit) {
    if (!by_rows_) {
        ++result_.evaluations;
        const bool finite =
            fit::evaluate(formula_.program, data_, rows_, point.constants, limit, m_.scratch, m_.equations);
        point.sum = m_.equations.sum;
        if (!finite) {
            return std::isnan(point.sum) && formula_.extend() && evaluate(point, limit);
        }
        point.model.set(m_.equations, m_.order, n_linear_);
        const bool doubtful = point.model.deficient() || point.model.smallest_pivot() < kIllConditioned;
        if (!doubtful || dependent_) {
            return true;
        }
    }
    // Are the columns dependent, or nearly so? If they are, that is a property of the formula, and asked once.
    ++result_.evaluations;
    const std::span<const std::size_t> order(m_.order);
    if (!fit::evaluate(formula_.program, data_, rows_, point.constants, order, m_.scratch, m_.factor)) {
        point.sum = m_.factor.sum;
        return false;
    }
    point.sum = m_.factor.sum;
    point.model.set(m_.factor, m_.order, n_linear_);
    by_rows_ = point.model.smallest_pivot() < kIllConditioned;
    dependent_ = !by_rows_;
    return point.sum <= limit;
}

template <class T>
void LevenbergMarquardt<T>::solve_linear(Point& point, double worth, int repeats, Near near) {
    for (int repeat = 0; repeat < repeats; ++repeat) {
        if (n_linear_ == 0 || !(point.model.linear_gain() > worth * point.sum + floor_)) {
            return;
        }
        point.model.linear_step(m_.step);
        if (near == Near::waits && !moves_much(point)) {
            return;
        }
        m_.spare.constants.resize(n_);
        for (std::size_t i = 0; i < n_; ++i) {
            m_.spare.constants[i] = point.constants[i] + m_.step[i];
        }
        if (!evaluate(m_.spare, point.sum)) {
            return;
        }
        std::swap(point, m_.spare);
    }
}

/// Whether m_.step changes a linear constant by more than kWorthAPass of it.
template <class T>
bool LevenbergMarquardt<T>::moves_much(const Point& point) const {
    for (std::size_t k = 0; k < n_linear_; ++k) {
        const std::size_t i = m_.order[k];
        if (std::abs(m_.step[i]) > kWorthAPass * std::abs(point.constants[i])) {
            return true;
        }
    }
    return false;
}

/// Moré's scaling: the largest curvature met so far, of the nonlinear constants; linear ones move freely.
template <class T>
void LevenbergMarquardt<T>::update_damping() {
    for (std::size_t k = n_linear_; k < n_; ++k) {
        m_.damping[k] = std::max(m_.damping[k], m_.current.model.curvature(k));
    }
}

template <class T>
bool LevenbergMarquardt<T>::is_short() const {
    for (std::size_t k = n_linear_; k < n_; ++k) {
        const std::size_t i = m_.order[k];
        if (!(std::abs(m_.step[i]) <= options_.step_tolerance * std::abs(m_.current.constants[i]))) {
            return false;
        }
    }
    return true;
}

template <class T>
FitResult LevenbergMarquardt<T>::finish(FitStatus status) {
    constexpr double kWorthALastPass = 1e-3;
    if (status == FitStatus::converged_loss || status == FitStatus::converged_step ||
        status == FitStatus::max_iterations) {
        solve_linear(m_.current, kWorthALastPass, 1);
    }
    // Steps are judged by projected sums, and at the end not at all: what comes out may be above the start by rounding, or
    // as long as linear constants have not followed.
    if (m_.current.sum > start_sum_) {
        m_.current.sum = start_sum_;
        m_.current.constants = m_.start;
    }
    result_.status = status;
    result_.loss = status == FitStatus::not_finite ? std::numeric_limits<double>::infinity() : m_.current.sum / weight_;
    return result_;
}

template <class T>
typename LevenbergMarquardt<T>::Step LevenbergMarquardt<T>::try_step(double predicted) {
    m_.trial.constants.resize(n_);
    for (std::size_t i = 0; i < n_; ++i) {
        m_.trial.constants[i] = m_.current.constants[i] + m_.step[i];
    }
    // A sum of squares is known to about this; changes below it say nothing.
    const double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    const double noise = 8 * epsilon * (std::sqrt(m_.current.sum * squares_) + m_.current.sum);
    const bool blind = predicted < noise;
    // With linear constants the sum may rise now, to fall when they follow.
    const double limit = n_linear_ == 0 ? m_.current.sum + noise : std::numeric_limits<double>::infinity();
    if (!evaluate(m_.trial, limit)) {
        return Step::refused;
    }
    solve_linear(m_.trial, kWorthAPass, kRepeats, Near::waits);
    const double saved = m_.current.projected() - m_.trial.projected();
    if (blind) {
        // The model still tells how far the minimum is. Go on as long as that shrinks well.
        if (saved < -noise || !(m_.trial.model.gain() < 0.5 * m_.current.model.gain())) {
            return Step::settled;
        }
        std::swap(m_.current, m_.trial);
        lambda_ = kLeastDamping;
        return Step::taken;
    }
    const double ratio = saved / predicted;
    if (!(ratio > kAcceptance)) {
        return Step::refused;
    }
    std::swap(m_.current, m_.trial);
    const double slope = 2 * std::min(ratio, 1.0) - 1;
    lambda_ = std::max(kLeastDamping, lambda_ * std::max(kRelief, 1 - slope * slope * slope));
    growth_ = kGrowth;
    return Step::taken;
}

template <class T>
double LevenbergMarquardt<T>::probe() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return evaluate(m_.current, kInfinity) ? m_.current.projected() / weight_ : kInfinity;
}

template <class T>
FitResult LevenbergMarquardt<T>::run() {
    if (!evaluate(m_.current, std::numeric_limits<double>::infinity())) {
        return finish(FitStatus::not_finite);
    }
    start_sum_ = m_.current.sum;
    projected_start_ = m_.current.projected();
    if (n_linear_ == n_) {
        solve_linear(m_.current, std::max(options_.loss_tolerance, 1e-15), kRepeats);
        return finish(FitStatus::converged_loss);
    }
    solve_linear(m_.current, kWorthAPass, kRepeats, Near::waits);
    update_damping();
    for (; result_.iterations < options_.max_iterations; ++result_.iterations) {
        if (result_.iterations == options_.abandon_after && m_.current.projected() > options_.bound * weight_) {
            return finish(FitStatus::abandoned);
        }
        if (m_.current.model.gain() <= options_.loss_tolerance * m_.current.sum + floor_) {
            return finish(FitStatus::converged_loss);
        }
        const double predicted = m_.current.model.damped_step(lambda_, m_.damping, m_.step);
        if (is_short()) {
            return finish(FitStatus::converged_step);
        }
        switch (try_step(predicted)) {
            case Step::settled:
                return finish(FitStatus::converged_loss);
            case Step::taken:
                update_damping();
                break;
            case Step::refused:
                lambda_ *= growth_;
                growth_ *= 2;
                if (lambda_ > kLargestDamping) {
                    return finish(FitStatus::converged_step);
                }
        }
    }
    return finish(FitStatus::max_iterations);
}

template class LevenbergMarquardt<double>;
template class LevenbergMarquardt<float>;

}  // namespace balmer::fit
