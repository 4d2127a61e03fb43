#include "balmer/fit/fit.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "eval/program.hpp"
#include "fit/linear_constants.hpp"
#include "fit/normal_equations.hpp"

namespace balmer {

using fit::NormalEquations;
using fit::SymmetricSolver;

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
struct FitWorkspace<T>::Impl {
    AlignedVector<double> lanes;
    NormalEquations current, trial, spare;
    SymmetricSolver solver;
    fit::LinearConstants analysis;
    std::vector<bool> linear;
    std::vector<std::size_t> linear_index;
    std::vector<double> constants, trial_constants, spare_constants, step, linear_step, scale, matrix;
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

/// A trial step is taken when it saves at least this share of what the quadratic model promised.
constexpr double kAcceptance = 1e-4;
constexpr double kFirstDamping = 1e-3, kLargestDamping = 1e16;

/// One fit: the state of Levenberg-Marquardt with the linear constants projected out.
template <class T>
class LevenbergMarquardt {
   public:
    LevenbergMarquardt(const Evaluator<T>& evaluator, eval::Program<T>& program, std::size_t rows,
                       typename FitWorkspace<T>::Impl& memory)
        : data_(evaluator.data()), program_(program), rows_(rows), m_(memory), n_(memory.constants.size()) {
        m_.linear_index.clear();
        for (std::size_t i = 0; i < n_; ++i) {
            if (m_.linear[i]) {
                m_.linear_index.push_back(i);
            }
        }
        m_.scale.assign(n_, 0.0);
    }

    /// Starts at memory.constants and leaves the best constants there.
    FitResult run(const FitOptions& options);

   private:
    /// The quadratic model at `constants`: one pass over the rows.
    bool model(std::span<const double> constants, NormalEquations& out) {
        ++result_.evaluations;
        return accumulate(program_, data_, rows_, constants, m_.lanes, out);
    }

    /// What the sum of squares would fall by if the linear constants moved to their optimum; their step goes to linear_step.
    double linear_gain(const NormalEquations& equations);

    /// Moves the linear constants to their optimum if that saves more than `worth` of the sum of squares.
    bool solve_linear(std::vector<double>& constants, NormalEquations& equations, double worth);

    /// The step with damping `lambda`, in m_.step; returns the saving that the model predicts.
    double damped_step(double lambda);

    /// Evaluates the point a step away; false if it is not finite.
    bool try_step();

    void accept();

    const Dataset<T>& data_;
    eval::Program<T>& program_;
    std::size_t rows_;
    typename FitWorkspace<T>::Impl& m_;
    std::size_t n_;
    FitResult result_;
};

template <class T>
double LevenbergMarquardt<T>::linear_gain(const NormalEquations& equations) {
    const std::size_t count = m_.linear_index.size();
    m_.matrix.resize(count * count);
    m_.linear_step.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        m_.linear_step[i] = equations.gradient[m_.linear_index[i]];
        for (std::size_t j = 0; j < count; ++j) {
            m_.matrix[i * count + j] = equations.at(m_.linear_index[i], m_.linear_index[j]);
        }
    }
    m_.solver.factor(m_.matrix, count);
    m_.solver.solve(m_.linear_step);
    double gain = 0;
    for (std::size_t i = 0; i < count; ++i) {
        gain += m_.linear_step[i] * equations.gradient[m_.linear_index[i]];
    }
    return gain;
}

template <class T>
bool LevenbergMarquardt<T>::solve_linear(std::vector<double>& constants, NormalEquations& equations, double worth) {
    if (m_.linear_index.empty() || !(linear_gain(equations) > worth * equations.sum)) {
        return false;
    }
    m_.spare_constants = constants;
    for (std::size_t i = 0; i < m_.linear_index.size(); ++i) {
        m_.spare_constants[m_.linear_index[i]] += m_.linear_step[i];
    }
    if (!model(m_.spare_constants, m_.spare) || !(m_.spare.sum < equations.sum)) {
        return false;
    }
    std::swap(equations, m_.spare);
    std::swap(constants, m_.spare_constants);
    return true;
}

template <class T>
double LevenbergMarquardt<T>::damped_step(double lambda) {
    m_.matrix = m_.current.matrix;
    m_.step = m_.current.gradient;
    for (std::size_t i = 0; i < n_; ++i) {
        m_.matrix[i * n_ + i] += lambda * m_.scale[i];
    }
    m_.solver.factor(m_.matrix, n_);
    m_.solver.solve(m_.step);
    double predicted = 0;
    for (std::size_t i = 0; i < n_; ++i) {
        predicted += m_.step[i] * (m_.current.gradient[i] + lambda * m_.scale[i] * m_.step[i]);
    }
    return predicted;
}

template <class T>
bool LevenbergMarquardt<T>::try_step() {
    m_.trial_constants = m_.constants;
    for (std::size_t i = 0; i < n_; ++i) {
        m_.trial_constants[i] += m_.step[i];
    }
    if (!model(m_.trial_constants, m_.trial)) {
        return false;
    }
    // The step moved the linear constants along; a pass to put them right is worth it only if much is left to gain.
    constexpr double kWorthAPass = 1e-2;
    solve_linear(m_.trial_constants, m_.trial, kWorthAPass);
    return true;
}

template <class T>
void LevenbergMarquardt<T>::accept() {
    for (std::size_t i = 0; i < n_; ++i) {  // Moré's scaling: the largest curvature met so far; linear constants move freely
        m_.scale[i] = m_.linear[i] ? 0 : std::max(m_.scale[i], m_.current.at(i, i));
    }
}

template <class T>
FitResult LevenbergMarquardt<T>::run(const FitOptions& options) {
    const double weight = data_.weight_sum(rows_);
    const auto finish = [&](FitStatus status) {
        result_.status = status;
        result_.loss = m_.current.sum / weight;
        return result_;
    };
    if (!model(m_.constants, m_.current)) {
        return finish(FitStatus::not_finite);
    }
    // Below this the residuals are rounding errors of the target itself.
    constexpr double kRounding = 1.1e-16;
    const double mean = data_.target_mean();
    const double floor = weight * kRounding * kRounding * (data_.target_variance() + mean * mean);
    const double worth = std::max(options.loss_tolerance, 1e-15);
    const bool only_linear = m_.linear_index.size() == n_;
    for (int repeat = 0; repeat < (only_linear ? 4 : 2); ++repeat) {  // again: the first solution is off by its rounding
        if (!solve_linear(m_.constants, m_.current, worth)) {
            break;
        }
    }
    if (only_linear || m_.current.sum <= floor) {
        return finish(FitStatus::converged_loss);
    }
    accept();
    double lambda = kFirstDamping, growth = 2;
    for (; result_.iterations < options.max_iterations; ++result_.iterations) {
        if (result_.iterations == options.abandon_after && m_.current.sum > options.bound * weight) {
            return finish(FitStatus::abandoned);
        }
        const double predicted = damped_step(lambda);
        bool short_step = true;
        for (std::size_t i = 0; i < n_; ++i) {
            const double c = std::abs(m_.constants[i]);
            short_step = short_step && std::abs(m_.step[i]) <= options.step_tolerance * (c + options.step_tolerance);
        }
        if (short_step || !(predicted > 0)) {
            return finish(FitStatus::converged_step);
        }
        const bool finite = try_step();
        const double saved = m_.current.sum - m_.trial.sum;
        const double ratio = saved / predicted;
        if (finite && saved > 0 && ratio > kAcceptance) {
            const bool small = saved < options.loss_tolerance * m_.current.sum;
            std::swap(m_.current, m_.trial);
            std::swap(m_.constants, m_.trial_constants);
            accept();
            const double slope = 2 * std::min(ratio, 1.0) - 1;
            lambda *= std::max(1.0 / 3, 1 - slope * slope * slope);
            growth = 2;
            if (small || m_.current.sum <= floor) {
                ++result_.iterations;
                return finish(FitStatus::converged_loss);
            }
        } else {
            lambda *= growth;
            growth *= 2;
            if (lambda > kLargestDamping) {
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
    memory.constants = expression.constants;
    memory.analysis.find(expression, evaluator.operators(), memory.linear);
    auto& program = workspace.evaluation.program();
    const auto run = [&](eval::Range range) {
        program.compile(expression, evaluator.operators(), evaluator.data().columns(), rows,
                        eval::Derivatives::constants, range);
        return LevenbergMarquardt<T>(evaluator, program, rows, memory).run(options);
    };
    FitResult result = run(eval::Range::plain);
    if (result.status == FitStatus::not_finite &&
        eval::has_extended_form(expression, evaluator.operators(), evaluator.data().is_extreme())) {
        result = run(eval::Range::extended);
    }
    if (result.status != FitStatus::not_finite) {
        expression.constants = memory.constants;
    }
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
    auto& program = workspace.evaluation.program();
    program.compile(expression, evaluator.operators(), evaluator.data().columns(), rows, eval::Derivatives::constants);
    std::vector<double> errors(n, std::numeric_limits<double>::quiet_NaN());
    if (rows <= n || !accumulate(program, evaluator.data(), rows, expression.constants, memory.lanes, memory.current)) {
        return errors;
    }
    // Rows of weight 0 are no observations.
    double observations = static_cast<double>(rows);
    if (const T* w = evaluator.data().weights(); w != nullptr) {
        observations -= static_cast<double>(std::count(w, w + rows, T(0)));
    }
    const double variance = memory.current.sum / (observations - static_cast<double>(n));
    memory.solver.factor(memory.current.matrix, n);
    errors = memory.solver.inverse_diagonal();
    for (double& e : errors) {
        e = variance >= 0 ? std::sqrt(e * variance) : std::numeric_limits<double>::quiet_NaN();
    }
    return errors;
}

template class FitWorkspace<double>;
template class FitWorkspace<float>;
template FitResult fit_constants<double>(Expression&, const Evaluator<double>&, const FitOptions&, FitWorkspace<double>&);
template FitResult fit_constants<float>(Expression&, const Evaluator<float>&, const FitOptions&, FitWorkspace<float>&);
template std::vector<double> standard_errors<double>(const Expression&, const Evaluator<double>&, FitWorkspace<double>&);
template std::vector<double> standard_errors<float>(const Expression&, const Evaluator<float>&, FitWorkspace<float>&);

}  // namespace balmer
