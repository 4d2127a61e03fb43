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
    converged_loss,  ///< no step promises more than loss_tolerance of the loss, or more than rounding errors of the target
    converged_step,  ///< the step was shorter than step_tolerance of the constants, or no step helped
    max_iterations,  ///< the budget ran out
    not_finite,      ///< the start has no finite loss: the constants are as they were
    abandoned,       ///< the loss stayed above `bound`
    nothing_to_fit,  ///< the expression has no constants
};
[[nodiscard]] std::string_view name(FitStatus status) noexcept;

struct FitOptions {
    int max_iterations = 50;  ///< accepted and rejected steps together, those on a sample of the rows included
    /// Stop when the Gauss-Newton step promises less than loss_tolerance * loss. Near a minimum the constants are then off by
    /// about sqrt(loss_tolerance * (rows - constants)) standard errors: 1e-10 is enough to compare losses, the loss itself
    /// shows no more than 1e-15, but constants settle further.
    double loss_tolerance = 1e-22;
    double step_tolerance = 1e-13;  ///< stop when |step| <= step_tolerance * |c| for each constant that is not linear
    std::size_t rows = 0;           ///< fit on this prefix of the rows; 0: all
    /// Constants of this index and above stay as they are. (In what a Template composes, an index may stand in several places.)
    std::size_t free_constants = std::numeric_limits<std::size_t>::max();
    double bound = std::numeric_limits<double>::infinity();  ///< abandon after abandon_after steps if the loss is above
    int abandon_after = 5;
    /// Further starts, scattered around the first one, while more than 1e-6 of the variance is left: against wrong minima.
    /// Each costs a fit on a sample of 64 to 128 rows; what does better there settles on all rows.
    int restarts = 0;
    /// While more than 1e-6 of the variance is left: look at all frequencies of each sine and cosine, up to 200 periods over
    /// the range of their arguments (fewer for few rows or rows at equal distances), and start again from the most promising
    /// ones. Hundreds of passes for each sine.
    bool scan_frequencies = false;
};

struct FitResult {
    FitStatus status = FitStatus::nothing_to_fit;
    double loss = std::numeric_limits<double>::infinity();  ///< weighted mean of squared residuals over the rows used
    int iterations = 0;
    int evaluations = 0;  ///< passes over the rows, those for the Jacobian included; a sample counts as its share
};

/// Scratch memory of a fit by another loss than least squares (fit/general_fit.cpp).
struct LossScratch {
    LossScratch() = default;
    LossScratch(const LossScratch&) = delete;
    LossScratch& operator=(const LossScratch&) = delete;
    virtual ~LossScratch() = default;
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
    std::unique_ptr<LossScratch> loss;  ///< made by the first fit that needs it
    struct Impl;
    [[nodiscard]] Impl& impl() noexcept { return *impl_; }

   private:
    std::unique_ptr<Impl> impl_;
};

/// Fits the constants of `expression` to the target of the evaluator's data, in place, by weighted least squares.
///
/// Variable projection (Golub & Pereyra 1973; Kaufman 1975): constants that enter linearly follow the others, which move by
/// Levenberg-Marquardt on what is left of the sum of squares when the linear ones are at their optimum, with Moré's
/// scaling and Nielsen's damping (Madsen, Nielsen & Tingleff 2004). A step needs one pass over the rows, for values and a
/// reverse sweep for derivatives; where columns of the Jacobian are nearly dependent, the pass factors the Jacobian itself
/// instead of forming normal equations. From 512 rows on the constants first move on 128 rows, spread over all, and settle on
/// all of them if that helped. Never ends with a larger loss than it began with. Reuse of `workspace` allocates
/// nothing. Throws std::invalid_argument if the data have no target.
template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const FitOptions& options,
                        FitWorkspace<T>& workspace);

/// Standard errors of the constants at a least-squares fit, from (J'WJ)^-1 s^2 with s^2 = sum w r^2 / (n - p);
/// NaN for a constant that the data do not determine. Constants from index `free_constants` on were not fitted and have none.
template <class T>
[[nodiscard]] std::vector<double> standard_errors(const Expression& expression, const Evaluator<T>& evaluator,
                                                  FitWorkspace<T>& workspace,
                                                  std::size_t free_constants = std::numeric_limits<std::size_t>::max());

}  // namespace balmer
