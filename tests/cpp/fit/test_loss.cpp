#include "balmer/fit/loss.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/core/rng.hpp"
#include "balmer/eval/isa.hpp"
#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

struct Formula {
    const char* text;
    std::function<double(double p, double t)> value;
    double p_low = -5, p_high = 5;
    bool margin = false;  ///< targets of -1 and 1
    bool positive_target = false;
};

const std::vector<Formula>& formulas() {
    using std::abs, std::exp, std::log, std::pow, std::max;
    static const std::vector<Formula> list = {
        {"L2DistLoss()", [](double p, double t) { return (p - t) * (p - t); }},
        {"L1DistLoss", [](double p, double t) { return abs(p - t); }},
        {"LPDistLoss{3}()", [](double p, double t) { return pow(abs(p - t), 3); }},
        {"LPDistLoss(1.5)", [](double p, double t) { return pow(abs(p - t), 1.5); }},
        {"LPDistLoss{0.5}()", [](double p, double t) { return pow(abs(p - t), 0.5); }},
        {"HuberLoss(1.35)",
         [](double p, double t) {
             const double r = abs(p - t);
             return r <= 1.35 ? r * r / 2 : 1.35 * (r - 1.35 / 2);
         }},
        {"LogCoshLoss", [](double p, double t) { return log(std::cosh(p - t)); }},
        {"LogitDistLoss()", [](double p, double t) { return -log(4 * exp(p - t) / pow(1 + exp(p - t), 2)); }},
        {"QuantileLoss(0.3)", [](double p, double t) { return (t - p) * (0.3 - (t - p < 0 ? 1 : 0)); }},
        {"PinballLoss(0.9)", [](double p, double t) { return (t - p) * (0.9 - (t - p < 0 ? 1 : 0)); }},
        {"L1EpsilonInsLoss(0.4)", [](double p, double t) { return max(0.0, abs(p - t) - 0.4); }},
        {"L2EpsilonInsLoss(0.4)", [](double p, double t) { return pow(max(0.0, abs(p - t) - 0.4), 2); }},
        {"PeriodicLoss(2.5)", [](double p, double t) { return 1 - std::cos(2 * std::numbers::pi * (p - t) / 2.5); }},
        {"StudentTLoss(3, 0.7)", [](double p, double t) { return 2 * log(1 + pow((p - t) / 0.7, 2) / 3); }},
        {"CauchyLoss(2)", [](double p, double t) { return log(1 + pow((p - t) / 2, 2)); }},
        {"TukeyLoss()",
         [](double p, double t) {
             const double c = 4.685, u = (p - t) / c;
             return abs(u) < 1 ? c * c / 6 * (1 - pow(1 - u * u, 3)) : c * c / 6;
         }},
        {"LogRatioLoss", [](double p, double t) { return pow(log(p / t), 2); }, 0.1, 5, false, true},
        {"PoissonLoss", [](double p, double t) { return exp(p) - t * p; }},
        {"PoissonDevianceLoss", [](double p, double t) { return 2 * (t * log(t / p) - t + p); }, 0.1, 5, false, true},
        {"GammaDevianceLoss", [](double p, double t) { return 2 * (log(p / t) + t / p - 1); }, 0.1, 5, false, true},
        {"ZeroOneLoss", [](double p, double t) { return t * p < 0 ? 1.0 : 0.0; }, -5, 5, true},
        {"PerceptronLoss", [](double p, double t) { return max(0.0, -t * p); }, -5, 5, true},
        {"LogitMarginLoss", [](double p, double t) { return log(1 + exp(-t * p)); }, -5, 5, true},
        {"L1HingeLoss", [](double p, double t) { return max(0.0, 1 - t * p); }, -5, 5, true},
        {"L2HingeLoss", [](double p, double t) { return pow(max(0.0, 1 - t * p), 2); }, -5, 5, true},
        {"SmoothedL1HingeLoss(0.5)",
         [](double p, double t) {
             const double a = t * p;
             return a >= 0.5 ? pow(max(0.0, 1 - a), 2) / (2 * 0.5) : 1 - 0.25 - a;
         },
         -5, 5, true},
        {"ModifiedHuberLoss", [](double p, double t) { return t * p >= -1 ? pow(max(0.0, 1 - t * p), 2) : -4 * t * p; },
         -5, 5, true},
        {"L2MarginLoss", [](double p, double t) { return pow(1 - t * p, 2); }, -5, 5, true},
        {"ExpLoss", [](double p, double t) { return exp(-t * p); }, -5, 5, true},
        {"SigmoidLoss", [](double p, double t) { return 1 - std::tanh(t * p); }, -5, 5, true},
        {"DWDMarginLoss(2)",
         [](double p, double t) {
             const double a = t * p;
             return a <= 2.0 / 3 ? 1 - a : 4.0 / 27 / (a * a);
         },
         -5, 5, true},
        {"CrossEntropyLoss", [](double p, double t) { return -t * log(p) - (1 - t) * log(1 - p); }, 0.01, 0.99, false,
         true},
    };
    return list;
}

double target_for(const Formula& f, Rng& rng) {
    if (f.margin) return rng.below(2) == 0 ? -1 : 1;
    if (f.positive_target) return f.p_high < 1 ? rng.uniform() : 0.1 + 3 * rng.uniform();
    return 2 * rng.normal();
}

TEST_CASE("every named loss is its formula, and its derivatives are those of the formula") {
    CHECK(formulas().size() >= named_losses().size());
    for (const Formula& f : formulas()) {
        const std::string text = f.text;
        CAPTURE(text);
        const Loss loss(f.text);
        Rng rng(3, 0);
        int slopes = 0;
        for (int k = 0; k < 300; ++k) {
            const double t = target_for(f, rng), p = f.p_low + (f.p_high - f.p_low) * rng.uniform();
            CAPTURE(p);
            CAPTURE(t);
            const double expected = f.value(p, t);
            CHECK(std::abs(loss(p, t) - expected) <= 1e-13 * (1 + std::abs(expected)));
            CHECK(loss(p, t, 2.5) == doctest::Approx(2.5 * expected).epsilon(1e-12));
            // Slopes by central differences where these are one number for two widths: not beside a kink.
            const auto slope = [&](const auto& of, double h) { return (of(p + h) - of(p - h)) / (2 * h); };
            for (int order = 1; order <= 2; ++order) {
                const auto lower = [&](double x) { return order == 1 ? f.value(x, t) : loss(x, t, 1, 1); };
                const double wide = slope(lower, 2e-4), narrow = slope(lower, 1e-4);
                if (!(std::abs(wide - narrow) <= 1e-5 * (1 + std::abs(narrow)))) continue;
                CHECK(std::abs(loss(p, t, 1, order) - narrow) <= 1e-4 * (1 + std::abs(narrow)));
                ++slopes;
            }
        }
        CHECK(slopes > 300);
    }
}

TEST_CASE("a named loss stays finite and exact far out") {
    CHECK(Loss("LogCoshLoss")(1e4, 0) == 1e4 - std::numbers::ln2);
    CHECK(Loss("LogCoshLoss")(1e4, 0, 1, 1) == 1);
    CHECK(Loss("LogCoshLoss")(1e-9, 0) == doctest::Approx(0.5e-18).epsilon(1e-12));
    CHECK(Loss("LogitDistLoss")(-1e4, 0) == doctest::Approx(1e4 - 2 * std::numbers::ln2).epsilon(1e-15));
    CHECK(Loss("LogitMarginLoss")(-1e4, 1) == 1e4);
    CHECK(Loss("LogitMarginLoss")(1e4, 1) == 0);
    CHECK(Loss("LogitMarginLoss")(-1e4, 1, 1, 1) == -1);
    CHECK(Loss("PoissonDevianceLoss")(2, 0) == 4);
    CHECK(std::isnan(Loss("PoissonDevianceLoss")(-2, 0)));
    CHECK(std::isnan(Loss("CrossEntropyLoss")(1.5, 1)));
    CHECK(Loss("CrossEntropyLoss")(0.25, 1) == doctest::Approx(std::log(4.0)));
}

TEST_CASE("a loss may be written as a formula, with the weight if it is wanted") {
    const Loss plain("loss(prediction, target) = (prediction - target)^2 + target");
    CHECK(plain(3, 1) == 5);
    CHECK(plain(3, 1, 0.5) == 2.5);
    CHECK(plain(3, 1, 0.5, 1) == 2);
    const Loss weighted("(x, y, w) -> w^2 * abs(x - y)");
    CHECK(weighted(3, 1, 3) == 18);
    CHECK(weighted(3, 1, 3, 1) == 9);
    OperatorSet operators;
    operators.define("clip(x) = min(x, 4)");
    const Loss own("(p, t) -> clip(square(p - t))", operators);
    CHECK(own(1, 0) == 1);
    CHECK(own(10, 0) == 4);
    CHECK(Loss("  HuberLoss( 2*0.5 ) ").text() == "HuberLoss( 2*0.5 )");
    CHECK(Loss("HuberLoss(2*0.5)")(3, 0) == 2.5);
    CHECK(Loss("HuberLoss")(3, 0) == 2.5);
}

TEST_CASE("wrong losses are refused, and the message helps") {
    const auto refused = [](const char* text, const char* with) {
        CAPTURE(text);
        CHECK_THROWS_WITH_AS((void)Loss(text), doctest::Contains(with), std::invalid_argument);
    };
    refused("HuberLos(1)", "did you mean 'HuberLoss'?");
    refused("mse", "there is no loss 'mse'");
    refused("L2DistLoss(3)", "takes 0 parameters, but 'L2DistLoss(3)' has 1");
    refused("QuantileLoss()", "needs a parameter");
    refused("QuantileLoss(1.5)", "between 0 and 1");
    refused("HuberLoss(-1)", "above 0");
    refused("HuberLoss(x0)", "is not a number");
    refused("HuberLoss(1", "lacks a ')'");
    refused("HuberLoss(1) * 2", "goes on after its end");
    refused("", "neither a name nor a definition");
    refused("p - t", "neither a name nor a definition");
    refused("loss(p) = p", "has 1 parameter:");
    refused("(p, t) -> t", "does not depend on the prediction 'p'");
    refused("(p, t) -> gamma(p) - t", "digamma");
    CHECK_THROWS_AS((void)Loss("(p, t) -> p -"), ParseError);
}

TEST_CASE("the shape of a loss is seen") {
    struct Expected {
        const char* text;
        double least_squares;
        bool smooth, convex, piecewise_linear;
        std::size_t kinks;
    };
    const Expected list[] = {
        {"L2DistLoss", 1, true, true, false, 0},
        {"LPDistLoss{2}()", 1, true, true, false, 0},
        {"(p, t) -> 3 * (p^2 - 2*p*t + t^2)", 3, true, true, false, 0},
        {"(p, t, w) -> w * square(t - p) / 2", 0.5, true, true, false, 0},
        {"(p, t, w) -> square(t - p)", 0, true, true, false, 0},
        {"L1DistLoss", 0, false, true, true, 1},
        {"LPDistLoss{3}()", 0, true, true, false, 0},
        {"LPDistLoss{0.5}()", 0, false, false, false, 1},
        {"HuberLoss(1.35)", 0, true, true, false, 0},
        {"LogCoshLoss", 0, true, true, false, 0},
        {"LogitDistLoss", 0, true, true, false, 0},
        {"QuantileLoss(0.3)", 0, false, true, true, 1},
        {"L1EpsilonInsLoss(0.4)", 0, false, true, true, 2},
        {"L2EpsilonInsLoss(0.4)", 0, true, true, false, 0},
        {"PeriodicLoss(2.5)", 0, true, false, false, 0},
        {"StudentTLoss(3)", 0, true, false, false, 0},
        {"TukeyLoss", 0, true, false, false, 0},
        {"PoissonLoss", 0, true, true, false, 0},
        {"PoissonDevianceLoss", 0, true, true, false, 0},
        {"CrossEntropyLoss", 0, true, true, false, 0},
        {"PerceptronLoss", 0, false, true, true, 1},
        {"L1HingeLoss", 0, false, true, true, 1},
        {"L2HingeLoss", 0, true, true, false, 0},
        {"LogitMarginLoss", 0, true, true, false, 0},
        {"SigmoidLoss", 0, true, false, false, 0},
        {"ModifiedHuberLoss", 0, true, true, false, 0},
        {"(p, t) -> max(abs(p - t), 0.5 * abs(p - t) + 1)", 0, false, true, true, 3},
        {"(p, t) -> abs(p / t - 1)", 0, false, true, true, 1},
        {"(p, t) -> abs(p - t) + square(p - t)", 0, false, true, false, 1},
    };
    for (const Expected& e : list) {
        const std::string text = e.text;
        CAPTURE(text);
        const LossShape shape = Loss(e.text).shape();
        CHECK(shape.least_squares == doctest::Approx(e.least_squares).epsilon(1e-12));
        CHECK(shape.smooth == e.smooth);
        CHECK(shape.convex == e.convex);
        CHECK(shape.piecewise_linear == e.piecewise_linear);
        CHECK(shape.continuous);
        CHECK(shape.kinks.size() == e.kinks);
        CHECK(shape.kinks_known == (e.kinks > 0));
    }
    CHECK_FALSE(Loss("ZeroOneLoss").shape().continuous);
    CHECK_FALSE(Loss("LPDistLoss{1.5}()").shape().bounded_curvature);
    CHECK(Loss("HuberLoss").shape().bounded_curvature);
    CHECK(Loss("L1DistLoss").shape().kinks[0].place == Kink::Place::offset);
    CHECK(Loss("L1DistLoss").shape().kinks[0].value == 0);
    CHECK(Loss("L1HingeLoss").shape().kinks[0].at(-1) == -1);
    CHECK(Loss("L1HingeLoss").shape().kinks[0].at(4) == doctest::Approx(0.25));
    CHECK_FALSE(Loss("PoissonLoss").shape().non_negative);
    CHECK(Loss("PoissonDevianceLoss").shape().non_negative);
}

struct Rows {
    std::vector<double> x, y, w;
    explicit Rows(std::size_t n, std::uint64_t seed = 5) {
        Rng rng(seed, 0);
        for (std::size_t i = 0; i < n; ++i) {
            x.push_back(rng.normal());
            y.push_back(rng.normal());
            w.push_back(rng.uniform() * 2);
        }
    }
    [[nodiscard]] MatrixView<double> view() const { return {x.data(), x.size(), 1, 1, x.size()}; }
};

TEST_CASE_TEMPLATE("the mean loss is the sum over the sum of weights", T, double, float) {
    const double tolerance = sizeof(T) == 8 ? 1e-13 : 1e-5;
    const Expression e = parse("x0 * 1.5 + 0.25");
    for (const std::size_t n : {1UL, 17UL, 300UL, 1000UL}) {
        const Rows rows(n);
        for (const bool weighted : {false, true}) {
            const Dataset<T> data(rows.view(), rows.y, weighted ? rows.w : std::vector<double>{});
            const Evaluator<T> evaluator(data);
            Workspace<T> workspace;
            for (const char* text :
                 {"L1DistLoss", "HuberLoss(0.5)", "L2DistLoss", "(p, t, w) -> sqrt(w) * square(p - t)"}) {
                CAPTURE(text);
                CAPTURE(n);
                const Loss loss(text);
                double sum = 0, weights = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    const double w = weighted ? rows.w[i] : 1;
                    sum += loss(rows.x[i] * 1.5 + 0.25, rows.y[i], w);
                    weights += w;
                }
                const double mean = mean_loss(e, evaluator, loss, n, workspace);
                CHECK(mean == doctest::Approx(sum / weights).epsilon(tolerance));
                CHECK(mean_loss(e, evaluator, loss, n, workspace, mean * 1.001) == mean);
                CHECK(mean_loss(e, evaluator, loss, n, workspace, mean * 0.5) == kInf);
                if (n > 10) {
                    CHECK(mean_loss(e, evaluator, loss, n - 7, workspace) != mean);
                }
            }
        }
    }
}

TEST_CASE("a loss that may be negative is not given up early") {
    const Rows rows(200);
    const Dataset<double> data(rows.view(), rows.y);
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    const Loss loss("(p, t) -> p");
    const Expression e = parse("x0 - 0.5");
    const double mean = mean_loss(e, evaluator, loss, 200, workspace);
    CHECK(mean < 0);
    CHECK(mean_loss(e, evaluator, loss, 200, workspace, mean) == mean);
}

TEST_CASE("a prediction that is not finite makes the mean infinite, whatever the loss says") {
    const Rows rows(40);
    const Dataset<double> data(rows.view(), rows.y);
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    CHECK(mean_loss(parse("1 / (x0 - x0)"), evaluator, Loss("TukeyLoss"), 40, workspace) == kInf);
    CHECK(mean_loss(parse("log(x0)"), evaluator, Loss("L1DistLoss"), 40, workspace) == kInf);
    CHECK(mean_loss(parse("x0"), evaluator, Loss("LogRatioLoss"), 40, workspace) == kInf);
}

TEST_CASE("mean losses are the same bits on every instruction set") {
    const Rows rows(777);
    const Dataset<double> data(rows.view(), rows.y, rows.w);
    const Evaluator<double> evaluator(data);
    const std::string before(isa());
    for (const Formula& f : formulas()) {
        const Loss loss(f.text);
        std::vector<double> means;
        for (const std::string_view set : available_isas()) {
            force_isa(set);
            Workspace<double> workspace;
            means.push_back(mean_loss(parse("sin(x0) * 1.7 + 0.1"), evaluator, loss, 777, workspace));
        }
        for (const double mean : means) CHECK(mean == means[0]);
    }
    force_isa(before);
}

}  // namespace
}  // namespace balmer
