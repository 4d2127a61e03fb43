#include "balmer/fit/fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "balmer/core/rng.hpp"
#include "eval/program.hpp"
#include "fit/linear_constants.hpp"
#include "fit/normal_equations.hpp"
#include "fit/triangular_model.hpp"

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

namespace {

/// Constants, and what a pass over the rows there told.
struct Point {
    std::vector<double> constants;
    double sum = 0;              // of squares
    fit::TriangularModel model;  // around them

    /// The sum of squares once the linear constants are at their optimum: the functional that variable projection
    /// minimises. It is exact, for the sum is quadratic in them, and costs no pass.
    [[nodiscard]] double projected() const noexcept { return std::max(0.0, sum - model.linear_gain()); }

    /// Points are swapped: each must have room, lest one allocates in a later fit.
    void reserve(std::size_t n) {
        constants.reserve(n);
        model.reserve(n);
    }
};

}  // namespace

template <class T>
struct FitWorkspace<T>::Impl {
    fit::LinearConstants analysis;
    fit::PassScratch scratch;
    fit::NormalEquations equations;
    fit::RowFactor factor;
    Point current, trial, spare;
    std::vector<bool> linear;
    std::vector<std::size_t> order;  // linear constants first
    std::vector<double> start, step, damping, first, best;
};

template <class T>
FitWorkspace<T>::FitWorkspace() : impl_(std::make_unique<Impl>()) {}
template <class T>
FitWorkspace<T>::~FitWorkspace() = default;
template <class T>
FitWorkspace<T>::FitWorkspace(FitWorkspace&&) noexcept = default;
template <class T>
FitWorkspace<T>& FitWorkspace<T>::operator=(FitWorkspace&&) noexcept = default;

namespace {

/// A trial step is taken when it saves at least this share of what the model promised.
constexpr double kAcceptance = 1e-4;
constexpr double kFirstDamping = 1e-2, kLeastDamping = 1e-14, kLargestDamping = 1e16;

/// Damping falls to this share of itself after a step that did what was promised, and grows by this factor after one that did
/// not, by twice that after the next, and so on. Nielsen has 1/3 and 2, which needs more steps on the expressions of a search.
constexpr double kRelief = 0.1, kGrowth = 3;

/// A new start is tried on this many rows first.
constexpr std::size_t kScreenRows = 64;
/// A fit that leaves less of the variance than this is not in a wrong minimum.
constexpr double kGoodShare = 1e-6;

/// Linear constants are put right by a pass of their own when that saves more than this share of the sum of squares: the
/// derivatives by the others scale with them. Otherwise the next step takes them along.
constexpr double kWorthAPass = 0.1;

/// One pass brings linear constants to their optimum, and one more for each 16 digits by which they become smaller.
constexpr int kRepeats = 8;

/// Squared sine of an angle between columns below which J'J has lost too many digits, and the factor of J is used.
constexpr double kIllConditioned = 1e-11;

/// The expression as a program. It is compiled as written; once something is not finite, and the extended range may help,
/// with that, which is slower.
template <class T>
struct Formula {
    const Expression& expression;
    const Evaluator<T>& evaluator;
    eval::Program<T>& program;
    std::size_t rows;
    eval::Range range = eval::Range::extended;

    void compile(eval::Range wanted) {
        range = wanted;
        program.compile(expression, evaluator.operators(), evaluator.data().columns(), rows,
                        eval::Derivatives::constants, range);
    }
    [[nodiscard]] bool may_be_rescued() const {
        return eval::has_extended_form(expression, evaluator.operators(), evaluator.data().is_extreme());
    }
    /// Whether there was another range to go to.
    bool extend() {
        if (range == eval::Range::extended || !may_be_rescued()) {
            return false;
        }
        compile(eval::Range::extended);
        return true;
    }
};

/// One fit: Levenberg-Marquardt on the projected sum of squares.
template <class T>
class LevenbergMarquardt {
   public:
    LevenbergMarquardt(Formula<T>& formula, std::size_t rows, const FitOptions& options,
                       typename FitWorkspace<T>::Impl& memory);

    /// Starts at memory.start and leaves the best constants in memory.current.
    FitResult run();

   private:
    enum class Step : std::uint8_t { taken, refused, settled };

    /// Fills in what a pass tells at point.constants; false if something is not finite or the sum is above `limit`.
    bool evaluate(Point& point, double limit);

    /// Moves the linear constants of `point` to their optimum as long as that saves more than `worth` of its sum: more than
    /// once where the first solution is off by its rounding, as when it is much smaller than what it replaces.
    void solve_linear(Point& point, double worth, int repeats);

    void update_damping();
    bool is_short() const;
    Step try_step(double predicted);
    FitResult finish(FitStatus status);

    Formula<T>& formula_;
    const Dataset<T>& data_;
    std::size_t rows_;
    const FitOptions& options_;
    typename FitWorkspace<T>::Impl& m_;
    std::size_t n_, n_linear_ = 0;
    double weight_;   // sum of the weights
    double squares_;  // of the target, weighted
    double floor_;    // a sum of squares that is rounding of the target
    double start_sum_ = std::numeric_limits<double>::infinity();
    double lambda_ = kFirstDamping, growth_ = kGrowth;
    bool by_rows_ = false, dependent_ = false;  // how to evaluate: see `evaluate`
    FitResult result_;
};

template <class T>
LevenbergMarquardt<T>::LevenbergMarquardt(Formula<T>& formula, std::size_t rows, const FitOptions& options,
                                          typename FitWorkspace<T>::Impl& memory)
    : formula_(formula),
      data_(formula.evaluator.data()),
      rows_(rows),
      options_(options),
      m_(memory),
      n_(memory.start.size()),
      weight_(data_.weight_sum(rows)) {
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
void LevenbergMarquardt<T>::solve_linear(Point& point, double worth, int repeats) {
    for (int repeat = 0; repeat < repeats; ++repeat) {
        if (n_linear_ == 0 || !(point.model.linear_gain() > worth * point.sum + floor_)) {
            return;
        }
        point.model.linear_step(m_.step);
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
    solve_linear(m_.trial, kWorthAPass, kRepeats);
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
FitResult LevenbergMarquardt<T>::run() {
    if (!evaluate(m_.current, std::numeric_limits<double>::infinity())) {
        return finish(FitStatus::not_finite);
    }
    start_sum_ = m_.current.sum;
    if (n_linear_ == n_) {
        solve_linear(m_.current, std::max(options_.loss_tolerance, 1e-15), kRepeats);
        return finish(FitStatus::converged_loss);
    }
    solve_linear(m_.current, kWorthAPass, kRepeats);
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

template <class T>
std::size_t check_rows(const Evaluator<T>& evaluator, const FitOptions& options) {
    const Dataset<T>& data = evaluator.data();
    if (data.target() == nullptr) {
        throw std::invalid_argument("the data have no target to fit to: give one when the Dataset is made");
    }
    return options.rows == 0 ? data.n_rows() : std::min(options.rows, data.n_rows());
}

/// A start near `centre`: scattered in turn by a third of each nonlinear constant, by two thirds, by itself, and by a tenth
/// of that beside, so that constants near 0 move too.
void scatter(const std::vector<double>& centre, const std::vector<bool>& linear, int number, Rng& rng,
             std::vector<double>& start) {
    const double width = static_cast<double>(1 + number % 3) / 3;
    start = centre;
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (!linear[i]) {
            start[i] += width * (rng.normal() * start[i] + 0.1 * rng.normal());
        }
    }
}

/// Other starts, when the first (memory.start) has led to `result` and memory.best: near the one and near the other, each is
/// fitted on few rows, then on all if it does better there. The best constants end in memory.best.
template <class T>
FitResult restart(Formula<T>& formula, std::size_t rows, const FitOptions& options, const FitResult& result,
                  typename FitWorkspace<T>::Impl& memory) {
    FitResult best = result;
    FitOptions screen = options;
    const std::size_t few = std::min(rows, kScreenRows);
    const double good = kGoodShare * formula.evaluator.data().target_variance();
    memory.first = memory.start;
    memory.start = memory.best;
    screen.max_iterations = 0;
    double bound = LevenbergMarquardt<T>(formula, few, screen, memory).run().loss;
    screen.max_iterations = options.max_iterations;
    screen.loss_tolerance = std::max(options.loss_tolerance, 1e-6);
    Rng rng(0, 0);
    for (int k = 0; k < options.restarts && best.loss > good; ++k) {
        scatter(k % 2 == 0 ? memory.first : memory.best, memory.linear, k / 2, rng, memory.start);
        screen.bound = bound;
        const FitResult trial = LevenbergMarquardt<T>(formula, few, screen, memory).run();
        best.iterations += trial.iterations;
        best.evaluations += trial.evaluations;
        constexpr double kMuchBetter = 0.5;
        if (trial.status == FitStatus::not_finite || !(trial.loss < kMuchBetter * bound)) {
            continue;
        }
        memory.start = memory.current.constants;
        const FitResult full = LevenbergMarquardt<T>(formula, rows, options, memory).run();
        best.iterations += full.iterations;
        best.evaluations += full.evaluations;
        if (full.loss < best.loss) {
            best.loss = full.loss;
            best.status = full.status;
            memory.best = memory.current.constants;
            bound = trial.loss;
        }
    }
    return best;
}

}  // namespace

template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const FitOptions& options,
                        FitWorkspace<T>& workspace) {
    const std::size_t rows = check_rows(evaluator, options);
    if (expression.constants.empty()) {
        FitResult result;
        result.loss = evaluator.mean_squared_error(expression, rows, workspace.evaluation);
        result.evaluations = 1;
        return result;
    }
    auto& memory = workspace.impl();
    memory.start = expression.constants;
    memory.analysis.find(expression, evaluator.operators(), memory.linear);
    Formula<T> formula{expression, evaluator, workspace.evaluation.program(), rows};
    formula.compile(eval::Range::plain);
    FitResult result = LevenbergMarquardt<T>(formula, rows, options, memory).run();
    if (result.status == FitStatus::not_finite) {
        return result;
    }
    memory.best = memory.current.constants;
    const bool nonlinear = std::find(memory.linear.begin(), memory.linear.end(), false) != memory.linear.end();
    if (options.restarts > 0 && nonlinear && result.status != FitStatus::abandoned) {
        result = restart(formula, rows, options, result, memory);
    }
    expression.constants = memory.best;
    return result;
}

template <class T>
std::vector<double> standard_errors(const Expression& expression, const Evaluator<T>& evaluator,
                                    FitWorkspace<T>& workspace) {
    const std::size_t rows = check_rows(evaluator, {});
    const std::size_t n = expression.constants.size();
    if (n == 0) {
        return {};
    }
    auto& memory = workspace.impl();
    const Dataset<T>& data = evaluator.data();
    Formula<T> formula{expression, evaluator, workspace.evaluation.program(), rows};
    formula.compile(formula.may_be_rescued() ? eval::Range::extended : eval::Range::plain);
    std::vector<double> errors(n, std::numeric_limits<double>::quiet_NaN());
    memory.order.resize(n);
    std::iota(memory.order.begin(), memory.order.end(), std::size_t{0});
    const std::span<const std::size_t> order(memory.order);
    // Rows of weight 0 are no observations.
    double observations = static_cast<double>(rows);
    if (const T* w = data.weights(); w != nullptr) {
        observations -= static_cast<double>(std::count(w, w + rows, T(0)));
    }
    const double freedom = observations - static_cast<double>(n);
    if (!(freedom > 0) ||
        !fit::evaluate(formula.program, data, rows, expression.constants, order, memory.scratch, memory.factor)) {
        return errors;
    }
    memory.current.model.set(memory.factor, order, 0);
    memory.current.model.inverse_diagonal(errors);
    for (double& e : errors) {
        e = std::sqrt(e * memory.factor.sum / freedom);
    }
    return errors;
}

template class FitWorkspace<double>;
template class FitWorkspace<float>;
template FitResult fit_constants<double>(Expression&, const Evaluator<double>&, const FitOptions&,
                                         FitWorkspace<double>&);
template FitResult fit_constants<float>(Expression&, const Evaluator<float>&, const FitOptions&, FitWorkspace<float>&);
template std::vector<double> standard_errors<double>(const Expression&, const Evaluator<double>&,
                                                     FitWorkspace<double>&);
template std::vector<double> standard_errors<float>(const Expression&, const Evaluator<float>&, FitWorkspace<float>&);

}  // namespace balmer
