// The constants of many expressions over the same rows.
#pragma once

#include <span>
#include <vector>

#include "balmer/expr/operator_set.hpp"
#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"

namespace balmer {

/// One expression of a batch, and what became of it.
struct FitJob {
    Expression expression;                   ///< gets the new constants
    const OperatorSet* operators = nullptr;  ///< of the expression; must outlive the call
    std::span<const double> target;          ///< one value per row; empty: the target of all
    FitResult result;
    std::vector<double> standard_errors;  ///< NaN for other losses than least squares
};

/// Fits the constants of each job, as fit_constants does, on `n_threads` threads. What comes out does not depend on their
/// number. X, `target` and `weights` are as in Dataset, which is copied once for each thread if jobs have targets of their
/// own. `loss` null: least squares. Throws std::invalid_argument where Dataset or fit_constants would; the jobs are then
/// fitted in part.
void fit_all(std::span<FitJob> jobs, MatrixView<double> X, std::span<const double> target,
             std::span<const double> weights, const FitOptions& options, const Loss* loss, int n_threads = 1);

}  // namespace balmer
