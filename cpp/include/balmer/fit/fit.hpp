// The constants of one expression, fitted to a target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "balmer/eval/evaluator.hpp"

namespace balmer {

/// Why a fit stopped.
enum class FitStatus : std::uint8_t {
    converged_loss,   ///< the loss fell by less than loss_tolerance of itself, or reached the rounding floor of the target
    converged_step,   ///< the step was shorter than step_tolerance of the constants
    max_iterations,   ///< the budget ran out
    not_finite,       ///< the start has no finite loss: the constants are as they were
    abandoned,        ///< the loss stayed above `bound`
    nothing_to_fit,   ///< the expression has no constants
};
[[nodiscard]] std::string_view name(FitStatus status) noexcept;

struct FitOptions {
    int max_iterations = 50;        ///< accepted and rejected steps together
    double loss_tolerance = 1e-13;  ///< stop when loss_old - loss_new < loss_tolerance * loss_old
    double step_tolerance = 1e-13;  ///< stop when |step| < step_tolerance * (|c| + step_tolerance), each constant scaled
    std::size_t rows = 0;           ///< fit on this prefix of the rows; 0: all
    double bound = std::numeric_limits<double>::infinity();  ///< abandon after abandon_after steps if the loss is above
    int abandon_after = 5;
};

struct FitResult {
    FitStatus status = FitStatus::nothing_to_fit;
    double loss = std::numeric_limits<double>::infinity();  ///< weighted mean of squared residuals over the rows used
    int iterations = 0;
    int evaluations = 0;  ///< passes over the rows, those for the Jacobian included
};

/// Scratch memory of one thread for fits over expressions of any size.
template <class T>
class FitWorkspace {
   public:
    FitWorkspace();
    ~FitWorkspace();
    FitWorkspace(FitWorkspace&&) noexcept;
    FitWorkspace& operator=(FitWorkspace&&) noexcept;

    Workspace<T> evaluation;
    struct Impl;
    [[nodiscard]] Impl& impl() noexcept { return *impl_; }

   private:
    std::unique_ptr<Impl> impl_;
};

/// Fits the constants of `expression` to the target of the evaluator's data, in place, by weighted least squares.
///
/// Variable projection (Golub & Pereyra 1973; Kaufman 1975): constants that enter linearly are solved for exactly at
/// every step; the others move by Levenberg-Marquardt with Moré's scaling and Nielsen's damping, whose normal equations
/// come from a reverse sweep over blocks of rows. Never ends with a larger loss than it began with. Reuse of `workspace`
/// allocates nothing. Throws std::invalid_argument if the data have no target.
template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const FitOptions& options,
                        FitWorkspace<T>& workspace);

/// Standard errors of the constants at a least-squares fit, from (J'WJ)^-1 s^2 with s^2 = sum w r^2 / (n - p);
/// NaN for a constant that the data do not determine.
template <class T>
[[nodiscard]] std::vector<double> standard_errors(const Expression& expression, const Evaluator<T>& evaluator,
                                                  FitWorkspace<T>& workspace);

}  // namespace balmer
