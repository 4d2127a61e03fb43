// Losses: what one row costs, as a formula of prediction and target.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/operator_set.hpp"
#include "balmer/fit/fit.hpp"

namespace balmer {

/// A loss that has a name, as in LossFunctions.jl.
struct NamedLoss {
    std::string_view name;        ///< "HuberLoss"
    std::string_view alias;       ///< another name, or empty
    std::string_view definition;  ///< (p, t, parameters...) -> formula
    struct Parameter {
        double low, high;  ///< lies between, exclusive
        double standard;   ///< what stands for one that is not given; NaN: must be given
    };
    std::array<Parameter, 2> parameters;
    int n_parameters;
};
[[nodiscard]] std::span<const NamedLoss> named_losses() noexcept;

/// Where the slope of a loss jumps, as a prediction for each target t.
struct Kink {
    enum class Place : std::uint8_t {
        offset,     ///< at t + value
        fixed,      ///< at value
        ratio,      ///< at t * value
        reciprocal  ///< at value / t
    };
    Place place;
    double value;
    [[nodiscard]] double at(double target) const noexcept;
};

/// What is known of a loss as a function of the prediction: found by looking at a grid of predictions and targets, so
/// a property of the formula on that grid, not a proof.
struct LossShape {
    double least_squares = 0;       ///< the loss is this times (prediction - target)^2; 0: it is another one
    bool smooth = false;            ///< the slope has no jump
    bool continuous = false;        ///< the loss has no jump
    bool convex = false;            ///< the slope never falls
    bool piecewise_linear = false;  ///< between the kinks the slope is constant
    bool non_negative = false;
    bool towards_target = false;     ///< the slope has the sign of prediction - target, or is 0
    bool bounded_curvature = false;  ///< the second derivative stays finite where the prediction meets the target
    bool kinks_known = false;        ///< `kinks` holds all
    std::vector<Kink> kinks;
};

/// An elementwise loss. A value; const use from several threads is safe. It holds built-in operators only, so it works
/// with an evaluator of any OperatorSet.
class Loss {
   public:
    /// `text` is a name with its parameters, "HuberLoss(1.35)", "LPDistLoss{3}()", or a definition,
    /// "loss(prediction, target) = (prediction - target)^2" or "(x, y, w) -> w * abs(x - y)". A third parameter is the
    /// weight of the row; without one the loss is multiplied by the weight. The mean is the sum over rows divided by
    /// the sum of weights in both cases. Definitions may use all of `operators`.
    ///
    /// Throws std::invalid_argument for an unknown name (the nearest is suggested), parameters that are missing or out
    /// of range, a definition that does not take 2 or 3 parameters or does not depend on the first, ParseError for a
    /// text that cannot be read, and what `derivative` throws.
    explicit Loss(std::string_view text, const OperatorSet& operators = OperatorSet::builtin());

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// What a row adds to the sum, or its first or second derivative by the prediction (`order` 1, 2): a formula of
    /// (prediction, target, weight) as features 0, 1, 2. `weighted`: whether the rows have weights other than 1.
    [[nodiscard]] const Expression& row(int order, bool weighted) const noexcept {
        return rows_[static_cast<std::size_t>(order)][weighted ? 1 : 0];
    }

    [[nodiscard]] const LossShape& shape() const noexcept { return shape_; }
    [[nodiscard]] bool is_least_squares() const noexcept { return shape_.least_squares > 0; }

    /// The value for one row, or a derivative by the prediction; the same bits on every machine.
    [[nodiscard]] double operator()(double prediction, double target, double weight = 1, int order = 0) const;

   private:
    std::string text_;
    std::array<std::array<Expression, 2>, 3> rows_;
    LossShape shape_;
};

/// The loss of `expression` over the first `rows` rows: sum of losses over sum of weights; infinite where it is not
/// finite, and anything above `bound` may come out infinite. Throws std::invalid_argument if the data have no target.
template <class T>
[[nodiscard]] double mean_loss(const Expression& expression, const Evaluator<T>& evaluator, const Loss& loss,
                               std::size_t rows, Workspace<T>& workspace,
                               double bound = std::numeric_limits<double>::infinity());

/// Fits the constants of `expression` to the target of the evaluator's data, in place, by the mean of `loss`.
///
/// Least squares goes the way of fit.hpp. Smooth losses: Levenberg-Marquardt on the generalised Gauss-Newton model (the
/// curvature of the loss along the Jacobian), first with curvatures that majorise, for robust losses, then with the
/// true ones. Losses with kinks: the same on smoothed losses, less and less smooth, then descent over the vertices of
/// the linearised problem, exact for piecewise linear losses (L1, quantile) and constants that enter linearly.
///
/// `bound`, `rows` and the tolerances of `options` mean what they mean there. Never ends with a larger loss than it
/// began with. Same results on every instruction set. Throws std::invalid_argument if the data have no target.
template <class T>
FitResult fit_constants(Expression& expression, const Evaluator<T>& evaluator, const Loss& loss,
                        const FitOptions& options, FitWorkspace<T>& workspace);

}  // namespace balmer
