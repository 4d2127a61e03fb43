// The losses that have names. Those of LossFunctions.jl keep the names and formulas that they have there; p is the
// prediction, t the target. Formulas are written so that neither they nor their derivatives overflow where the loss
// does not, and so that a loss that means nothing at a prediction (a negative rate) is NaN there.
#include <limits>

#include "balmer/fit/loss.hpp"

namespace balmer {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr NamedLoss::Parameter kAbsent{0, 0, kNone};
constexpr NamedLoss::Parameter kPositive{0, kInf, kNone};

constexpr NamedLoss::Parameter positive(double standard) { return {0, kInf, standard}; }

constexpr NamedLoss plain(std::string_view name, std::string_view definition, std::string_view alias = {}) {
    return {name, alias, definition, {kAbsent, kAbsent}, 0};
}

constexpr NamedLoss with(std::string_view name, std::string_view definition, NamedLoss::Parameter parameter,
                         std::string_view alias = {}) {
    return {name, alias, definition, {parameter, kAbsent}, 1};
}

constexpr NamedLoss kLosses[] = {
    // ---- of the distance p - t ----
    plain("L2DistLoss", "(p, t) -> square(p - t)"),
    plain("L1DistLoss", "(p, t) -> abs(p - t)"),
    with("LPDistLoss", "(p, t, P) -> abs(p - t)^P", kPositive),
    with("HuberLoss", "(p, t, d) -> where(abs(p - t) <= d, square(p - t) / 2, d * (abs(p - t) - d / 2))", positive(1)),
    // log(cosh(r)) = log1p(2 sinh(r / 2)^2); from r = 20 on it is r - log(2) to the last bit.
    plain("LogCoshLoss",
          "(p, t) -> where(abs(p - t) < 20, log1p(2 * square(sinh((p - t) / 2))), abs(p - t) - 0.6931471805599453)"),
    plain(
        "LogitDistLoss",
        "(p, t) -> where(abs(p - t) < 40, 2 * log1p(2 * square(sinh((p - t) / 4))), abs(p - t) - 1.3862943611198906)"),
    with("QuantileLoss", "(p, t, q) -> where(p > t, (1 - q) * (p - t), q * (t - p))", {0, 1, kNone}, "PinballLoss"),
    with("L1EpsilonInsLoss", "(p, t, e) -> max(0, abs(p - t) - e)", kPositive, "EpsilonInsLoss"),
    with("L2EpsilonInsLoss", "(p, t, e) -> square(max(0, abs(p - t) - e))", kPositive),
    with("PeriodicLoss", "(p, t, c) -> 2 * square(sin((p - t) * (3.141592653589793 / c)))", positive(1)),
    {"StudentTLoss", {}, "(p, t, n, s) -> (n + 1) / 2 * log1p(square((p - t) / s) / n)", {kPositive, positive(1)}, 2},
    with("CauchyLoss", "(p, t, s) -> log1p(square((p - t) / s))", positive(1)),
    with("TukeyLoss",
         "(p, t, c) -> where(abs(p - t) < c, square(c) / 6 * (1 - cube(1 - square((p - t) / c))), square(c) / 6)",
         positive(4.685)),
    // ---- of rates, counts, probabilities ----
    plain("LogRatioLoss", "(p, t) -> square(log(p / t))"),
    plain("PoissonLoss", "(p, t) -> exp(p) - t * p"),
    plain("PoissonDevianceLoss", "(p, t) -> 2 * (where(t > 0, t * log(t / p), 0 * sqrt(p)) - t + p)"),
    plain("GammaDevianceLoss", "(p, t) -> 2 * (log(p / t) + t / p - 1)"),
    plain("CrossEntropyLoss",
          "(p, t) -> 0 * sqrt(p * (1 - p)) - where(t > 0, t * log(p), 0) - where(t < 1, (1 - t) * log(1 - p), 0)"),
    // ---- of the margin t * p, for targets of -1 and 1 ----
    plain("ZeroOneLoss", "(p, t) -> where(t * p < 0, 1, 0)"),
    plain("PerceptronLoss", "(p, t) -> max(0, -(t * p))"),
    plain("LogitMarginLoss", "(p, t) -> where(t * p > 0, log1p(exp(-(t * p))), log1p(exp(t * p)) - t * p)"),
    plain("L1HingeLoss", "(p, t) -> max(0, 1 - t * p)", "HingeLoss"),
    plain("L2HingeLoss", "(p, t) -> square(max(0, 1 - t * p))"),
    with("SmoothedL1HingeLoss",
         "(p, t, g) -> where(t * p >= 1 - g, square(max(0, 1 - t * p)) / (2 * g), 1 - g / 2 - t * p)", kPositive),
    plain("ModifiedHuberLoss", "(p, t) -> where(t * p >= -1, square(max(0, 1 - t * p)), -4 * (t * p))"),
    plain("L2MarginLoss", "(p, t) -> square(1 - t * p)"),
    plain("ExpLoss", "(p, t) -> exp(-(t * p))"),
    plain("SigmoidLoss", "(p, t) -> 1 - tanh(t * p)"),
    with("DWDMarginLoss", "(p, t, q) -> where(t * p <= q / (q + 1), 1 - t * p, q^q / (q + 1)^(q + 1) / (t * p)^q)",
         kPositive),
};

}  // namespace

std::span<const NamedLoss> named_losses() noexcept { return kLosses; }

}  // namespace balmer
