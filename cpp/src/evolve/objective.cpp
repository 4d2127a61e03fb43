#include "balmer/evolve/objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "eval/known_columns.hpp"
#include "fit/simplex_fit.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

double LeastSquares::loss(std::span<const Expression> roles, double bound, FitWorkspace<double>& workspace) const {
    return evaluator_.mean_squared_error(roles[0], evaluator_.data().n_rows(), workspace.evaluation, bound);
}

FitResult LeastSquares::fit(std::span<Expression> roles, const FitOptions& options,
                            FitWorkspace<double>& workspace) const {
    return fit_constants(roles[0], evaluator_, options, workspace);
}

MeanLoss::MeanLoss(const Dataset<double>& data, const OperatorSet& operators, const Loss* loss, double share,
                   const WholeLoss* whole, std::span<const Op> frequent)
    : evaluator_(data, operators), loss_(loss), whole_(whole), share_(share) {
    const bool least_squares = loss == nullptr && whole == nullptr;
    if (least_squares) known_ = std::make_unique<eval::KnownColumns<double>>(data, frequent, operators);
}

MeanLoss::~MeanLoss() = default;

double MeanLoss::loss(std::span<const Expression> roles, double bound, FitWorkspace<double>& workspace) const {
    if (whole_ != nullptr) return whole_loss(roles[0], workspace);
    const std::size_t rows = evaluator_.data().n_rows();
    return loss_ == nullptr
               ? eval::mean_squared_error(evaluator_, roles[0], rows, workspace.evaluation, bound, known_.get())
               : mean_loss(roles[0], evaluator_, *loss_, rows, workspace.evaluation, bound);
}

FitResult MeanLoss::fit(std::span<Expression> roles, const FitOptions& options, FitWorkspace<double>& workspace) const {
    if (whole_ != nullptr) return fit_whole(roles[0], options, workspace);
    return loss_ == nullptr ? fit_constants(roles[0], evaluator_, options, workspace)
                            : fit_constants(roles[0], evaluator_, *loss_, options, workspace);
}

double MeanLoss::whole_loss(const Expression& expression, FitWorkspace<double>& workspace) const {
    std::vector<double> prediction(evaluator_.data().n_rows());
    evaluator_.evaluate(expression, prediction, workspace.evaluation);
    if (!std::ranges::all_of(prediction, [](double value) { return std::isfinite(value); })) return kInfinity;
    const double loss = (*whole_)(prediction);
    return std::isnan(loss) ? kInfinity : loss;
}

/// Least squares is where predictions come near the target, so the search begins there if that is better.
FitResult MeanLoss::fit_whole(Expression& expression, const FitOptions& options,
                              FitWorkspace<double>& workspace) const {
    FitResult result;
    result.loss = whole_loss(expression, workspace);
    result.evaluations = 1;
    const std::size_t n = std::min(expression.constants.size(), options.free_constants);
    if (n == 0) return result;
    const auto constants = std::span(expression.constants).first(n);
    Expression near = expression;
    FitOptions quick;
    quick.max_iterations = options.max_iterations;
    quick.free_constants = n;
    result.evaluations += fit_constants(near, evaluator_, quick, workspace).evaluations + 1;
    if (const double loss = whole_loss(near, workspace); loss < result.loss) {
        std::copy_n(near.constants.begin(), n, constants.begin());
        result.loss = loss;
    }
    const FitResult found = fit_by_simplex(
        constants, result.loss,
        [&](std::span<const double> values) {
            std::ranges::copy(values, near.constants.begin());
            return whole_loss(near, workspace);
        },
        options);
    result.status = found.status;
    result.loss = found.loss;
    result.iterations = found.iterations;
    result.evaluations += found.evaluations;
    return result;
}

double MeanLoss::loss_of_constant() const {
    const double mean = evaluator_.data().target_mean();
    FitWorkspace<double> workspace;
    double best = std::numeric_limits<double>::infinity();
    for (const double start : {mean, 1.0, 0.0}) {  // the loss may not be defined at the mean of the target
        Expression constant = Expression::constant(start);
        const FitResult result = fit({&constant, 1}, {}, workspace);
        if (std::isfinite(result.loss)) best = std::min(best, result.loss);
    }
    return best;
}

double MeanLoss::loss_at_distance(double distance) const {
    if (whole_ != nullptr) return -kInfinity;
    if (loss_ == nullptr) return distance * distance;
    if (!loss_->shape().towards_target) return -std::numeric_limits<double>::infinity();
    const Dataset<double>& data = evaluator_.data();
    const std::size_t rows = data.n_rows();
    std::vector<double> columns(3 * rows), losses(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        columns[i] = data.target()[i] + distance;
        columns[rows + i] = data.target()[i];
        columns[2 * rows + i] = data.weights() != nullptr ? data.weights()[i] : 1;
    }
    const Dataset<double> table = Dataset<double>::view({columns.data(), rows, 3, 1, rows});
    Workspace<double> workspace;
    Evaluator<double>(table).evaluate(loss_->row(0, true), losses, workspace);
    double sum = 0;
    for (const double loss : losses) sum += loss;
    return std::isfinite(sum) ? sum / data.weight_sum(rows) : -std::numeric_limits<double>::infinity();
}

namespace {

Dataset<float> in_single_precision(const Dataset<double>& data) {
    const std::size_t rows = data.n_rows();
    std::vector<double> features;
    features.reserve(rows * data.n_features());
    for (const double* column : data.columns()) features.insert(features.end(), column, column + rows);
    const std::span<const double> weights =
        data.weights() == nullptr ? std::span<const double>{} : std::span{data.weights(), rows};
    return Dataset<float>(MatrixView<double>{features.data(), rows, data.n_features(), 1, rows}, {data.target(), rows},
                          weights);
}

}  // namespace

bool SinglePrecision::can_hold(const Dataset<double>& data) {
    // Squares of a product of two columns stay within 1e-38 and 1e38.
    constexpr double kLargest = 1e9, kSmallest = 1e-9;
    const auto held = [&](const double* column) {
        double largest = 0;
        for (std::size_t i = 0; i < data.n_rows(); ++i) largest = std::max(largest, std::abs(column[i]));
        return largest == 0 || (largest <= kLargest && largest >= kSmallest);
    };
    return std::ranges::all_of(data.columns(), held) && held(data.target()) &&
           (data.weights() == nullptr || held(data.weights()));
}

SinglePrecision::SinglePrecision(const Dataset<double>& data, const OperatorSet& operators, const Loss* loss,
                                 double share)
    : exact_(data, operators, loss, share),
      data_(in_single_precision(data)),
      evaluator_(data_, operators),
      loss_(loss) {}

double SinglePrecision::loss(std::span<const Expression> roles, double bound, FitWorkspace<double>&) const {
    thread_local Workspace<float> workspace;  // that of the caller is for doubles
    return loss_ == nullptr ? evaluator_.mean_squared_error(roles[0], data_.n_rows(), workspace, bound)
                            : mean_loss(roles[0], evaluator_, *loss_, data_.n_rows(), workspace, bound);
}

double OfTemplate::loss(std::span<const Expression> roles, double bound, FitWorkspace<double>& workspace) const {
    const std::optional<Composed> composed = structure_.compose(roles);
    return composed ? formulas_->loss({&composed->expression, 1}, bound, workspace) : kInfinity;
}

FitResult OfTemplate::fit(std::span<Expression> roles, const FitOptions& options,
                          FitWorkspace<double>& workspace) const {
    std::optional<Composed> composed = structure_.compose(roles);
    if (!composed) {
        FitResult none;
        none.status = FitStatus::not_finite;
        return none;
    }
    FitOptions of_formula = options;
    of_formula.free_constants = composed->n_free;
    const FitResult result = formulas_->fit({&composed->expression, 1}, of_formula, workspace);
    Template::take_back(*composed, roles);
    return result;
}

}  // namespace balmer
