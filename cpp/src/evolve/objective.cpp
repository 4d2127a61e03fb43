#include "balmer/evolve/objective.hpp"

namespace balmer {

double LeastSquares::loss(std::span<const Expression> roles, double bound, FitWorkspace<double>& workspace) const {
    return evaluator_.mean_squared_error(roles[0], evaluator_.data().n_rows(), workspace.evaluation, bound);
}

FitResult LeastSquares::fit(std::span<Expression> roles, const FitOptions& options,
                            FitWorkspace<double>& workspace) const {
    return fit_constants(roles[0], evaluator_, options, workspace);
}

}  // namespace balmer
