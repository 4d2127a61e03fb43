#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/isa.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/fit/loss.hpp"
#include "random_expression.hpp"
#include "sanitized.hpp"

namespace balmer {
namespace {

struct Problem {
    std::vector<double> x, y, w;
    [[nodiscard]] MatrixView<double> view() const { return {x.data(), x.size(), 1, 1, x.size()}; }
    [[nodiscard]] Dataset<double> data() const { return Dataset<double>(view(), y, w); }
};

struct Fitted {
    std::vector<double> constants;
    FitResult result;
};

Fitted fit(const Problem& problem, const char* text, const char* loss, int max_iterations = 50) {
    const Dataset<double> data = problem.data();
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    Expression e = parse(text);
    FitOptions options;
    options.max_iterations = max_iterations;
    const Loss l(loss);
    const FitResult result = fit_constants(e, evaluator, l, options, workspace);
    CHECK(result.loss ==
          doctest::Approx(mean_loss(e, evaluator, l, problem.x.size(), workspace.evaluation)).epsilon(1e-12));
    return {e.constants, result};
}

Problem line_with_outliers(std::size_t n, double intercept, double slope, double noise, std::uint64_t seed) {
    Problem p;
    Rng rng(seed, 0);
    for (std::size_t i = 0; i < n; ++i) {
        p.x.push_back(10 * rng.uniform());
        p.y.push_back(intercept + slope * p.x[i] + noise * rng.normal());
        if (i % 7 == 0) p.y[i] += 40 + 10 * rng.uniform();
    }
    return p;
}

/// The smallest value v of the sample for which the weights of values up to v reach `part` of all.
double weighted_quantile(const Problem& p, double part) {
    std::vector<std::size_t> order(p.y.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p.y[a] < p.y[b]; });
    const auto weight = [&](std::size_t i) { return p.w.empty() ? 1.0 : p.w[i]; };
    double total = 0, sum = 0;
    for (std::size_t i = 0; i < p.y.size(); ++i) total += weight(i);
    for (const std::size_t i : order) {
        sum += weight(i);
        if (sum >= part * total) return p.y[i];
    }
    return p.y[order.back()];
}

TEST_CASE("robust losses find the line that least squares misses") {
    const Problem p = line_with_outliers(210, 1.5, -2, 0.1, 1);
    const Fitted squares = fit(p, "0.1 + 0.1 * x0", "L2DistLoss");
    CHECK(std::abs(squares.constants[0] - 1.5) > 2);
    for (const char* loss :
         {"L1DistLoss", "HuberLoss(0.15)", "StudentTLoss(2, 0.1)", "CauchyLoss(0.2)", "TukeyLoss(1)"}) {
        const std::string name = loss;
        CAPTURE(name);
        const Fitted f = fit(p, "0.1 + 0.1 * x0", loss);
        CHECK(f.constants[0] == doctest::Approx(1.5).epsilon(0.05));
        CHECK(f.constants[1] == doctest::Approx(-2).epsilon(0.02));
        CHECK(f.result.status != FitStatus::max_iterations);
    }
}

TEST_CASE("the L1 fit of a constant is the weighted median, exactly") {
    for (const std::size_t n : {1UL, 2UL, 3UL, 51UL, 400UL, 1001UL}) {
        for (const bool weighted : {false, true}) {
            Problem p;
            Rng rng(n, weighted ? 1 : 0);
            for (std::size_t i = 0; i < n; ++i) {
                p.x.push_back(0);
                p.y.push_back(std::exp(3 * rng.normal()));
                if (weighted) p.w.push_back(0.01 + rng.uniform());
            }
            CAPTURE(n);
            CAPTURE(weighted);
            const Fitted f = fit(p, "7", "L1DistLoss");
            const double median = weighted_quantile(p, 0.5);
            if (n % 2 == 1 || weighted) {
                CHECK(f.constants[0] == doctest::Approx(median).epsilon(1e-14));
            } else {  // every value between the two middle ones is as good
                Problem at = p;
                double best = 0;
                for (const double y : p.y) best += std::abs(y - median) / static_cast<double>(n);
                CHECK(f.result.loss == doctest::Approx(best).epsilon(1e-13));
            }
        }
    }
}

TEST_CASE("the fit of a constant by the quantile loss is the quantile, exactly") {
    Problem p;
    Rng rng(9, 0);
    for (int i = 0; i < 1001; ++i) {
        p.x.push_back(0);
        p.y.push_back(100 + rng.normal() * (1 + rng.uniform()));
    }
    for (const double q : {0.05, 0.25, 0.5, 0.9, 0.99}) {
        const Fitted f = fit(p, "1", ("QuantileLoss(" + std::to_string(q) + ")").c_str());
        CHECK(f.constants[0] == doctest::Approx(weighted_quantile(p, q)).epsilon(1e-14));
    }
}

TEST_CASE("data in which many rows are the same do not stop the descent") {
    Problem p;
    Rng rng(4, 0);
    for (int i = 0; i < 300; ++i) {  // whole numbers: most vertices are shared by several rows
        p.x.push_back(static_cast<double>(rng.below(5)));
        p.y.push_back(2 * p.x.back() + static_cast<double>(rng.below(7)) - 3);
    }
    const Fitted f = fit(p, "0.3 + 0.7 * x0", "L1DistLoss");
    // Among lines through two of the points is an optimal one.
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (p.x[i] == p.x[j]) continue;
            const double b = (p.y[i] - p.y[j]) / (p.x[i] - p.x[j]), a = p.y[i] - b * p.x[i];
            double sum = 0;
            for (std::size_t k = 0; k < 300; ++k) sum += std::abs(p.y[k] - a - b * p.x[k]);
            best = std::min(best, sum / 300);
        }
    }
    CHECK(f.result.loss == doctest::Approx(best).epsilon(1e-13));
}

TEST_CASE("the L1 optimum of a line interpolates two rows and no edge leads down") {
    for (std::uint64_t seed = 0; seed < test::repeats(20U, 4U); ++seed) {
        const Problem p = line_with_outliers(60, -3, 0.5, 1, 100 + seed);
        const Fitted f = fit(p, "1 + 1 * x0", "L1DistLoss");
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < 60; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const double b = (p.y[i] - p.y[j]) / (p.x[i] - p.x[j]), a = p.y[i] - b * p.x[i];
                double sum = 0;
                for (std::size_t k = 0; k < 60; ++k) sum += std::abs(p.y[k] - a - b * p.x[k]);
                best = std::min(best, sum / 60);
            }
        }
        CHECK(f.result.loss == doctest::Approx(best).epsilon(1e-13));
    }
}

TEST_CASE("losses steeper than L1 at the target end at a vertex, below that of L1") {
    for (std::uint64_t seed = 0; seed < test::repeats(10U, 2U); ++seed) {
        const Problem p = line_with_outliers(60, -3, 0.5, 1, 200 + seed);
        const Fitted l1 = fit(p, "1 + 1 * x0", "L1DistLoss");
        const Fitted root = fit(p, "1 + 1 * x0", "LPDistLoss{0.5}()");
        const Loss loss("LPDistLoss{0.5}()");
        int met = 0;
        double of_l1 = 0;
        for (std::size_t i = 0; i < p.x.size(); ++i) {
            met += std::abs(root.constants[0] + root.constants[1] * p.x[i] - p.y[i]) < 1e-12 ? 1 : 0;
            of_l1 += loss(l1.constants[0] + l1.constants[1] * p.x[i], p.y[i]) / 60;
        }
        CHECK(met >= 2);
        CHECK(root.result.loss <= of_l1 * 1.02);
    }
}

TEST_CASE("nonlinear constants: the L1 fit of an exponential with outliers meets the clean rows") {
    Problem p;
    Rng rng(2, 0);
    for (int i = 0; i < 100; ++i) {
        p.x.push_back(i * 0.04);
        p.y.push_back(3 * std::exp(-1.3 * p.x.back()) + 0.5 + (i % 6 == 0 ? 2 + rng.uniform() : 0.0));
    }
    for (const char* loss : {"L1DistLoss", "QuantileLoss(0.4)"}) {
        const std::string name = loss;
        CAPTURE(name);
        const Fitted f = fit(p, "1 * exp(-0.5 * x0) + 0.1", loss);
        CHECK(f.constants[0] == doctest::Approx(3).epsilon(1e-9));
        CHECK(f.constants[1] == doctest::Approx(-1.3).epsilon(1e-9));
        CHECK(f.constants[2] == doctest::Approx(0.5).epsilon(1e-9));
    }
}

TEST_CASE("Poisson regression solves the score equations") {
    Problem p;
    Rng rng(8, 0);
    for (int i = 0; i < 500; ++i) {
        p.x.push_back(2 * rng.uniform());
        p.y.push_back(rng.poisson(std::exp(0.4 + 0.9 * p.x.back())));
        p.w.push_back(0.5 + rng.uniform());
    }
    const Fitted rate = fit(p, "0.1 + 0.1 * x0", "PoissonLoss");
    const Fitted mean = fit(p, "exp(0.1 + 0.1 * x0)", "PoissonDevianceLoss");
    double score[2] = {0, 0}, size = 0;
    for (std::size_t i = 0; i < 500; ++i) {
        const double residual = p.w[i] * (p.y[i] - std::exp(rate.constants[0] + rate.constants[1] * p.x[i]));
        score[0] += residual;
        score[1] += residual * p.x[i];
        size += std::abs(residual) * p.x[i];
    }
    CHECK(std::abs(score[0]) < 1e-9 * size);
    CHECK(std::abs(score[1]) < 1e-9 * size);
    CHECK(mean.constants[0] == doctest::Approx(rate.constants[0]).epsilon(1e-6));
    CHECK(mean.constants[1] == doctest::Approx(rate.constants[1]).epsilon(1e-6));
}

TEST_CASE("logistic regression and the hinge separate classes") {
    Problem p;
    Rng rng(12, 0);
    for (int i = 0; i < 300; ++i) {
        p.x.push_back(rng.normal());
        p.y.push_back(p.x.back() + 0.5 * rng.normal() > 0.3 ? 1 : -1);
    }
    for (const char* loss : {"LogitMarginLoss", "L1HingeLoss", "L2HingeLoss", "ExpLoss", "DWDMarginLoss(1)",
                             "SmoothedL1HingeLoss(0.5)", "ModifiedHuberLoss", "SigmoidLoss"}) {
        const std::string name = loss;
        CAPTURE(name);
        const Fitted f = fit(p, "0.1 + 0.2 * x0", loss);
        CHECK(-f.constants[0] / f.constants[1] == doctest::Approx(0.3).epsilon(0.3));
    }
    const Fitted f = fit(p, "0.1 + 0.2 * x0", "LogitMarginLoss");
    double score[2] = {0, 0};
    for (std::size_t i = 0; i < 300; ++i) {
        const double residual = p.y[i] / (1 + std::exp(p.y[i] * (f.constants[0] + f.constants[1] * p.x[i])));
        score[0] += residual;
        score[1] += residual * p.x[i];
    }
    CHECK(std::abs(score[0]) < 1e-8);
    CHECK(std::abs(score[1]) < 1e-8);
}

TEST_CASE("weights count as repeated rows") {
    Problem once = line_with_outliers(90, 2, 1, 0.3, 3), repeated;
    Rng rng(6, 0);
    for (std::size_t i = 0; i < 90; ++i) {
        const std::uint32_t times = rng.below(4);
        once.w.push_back(times);
        for (std::uint32_t k = 0; k < times; ++k) {
            repeated.x.push_back(once.x[i]);
            repeated.y.push_back(once.y[i]);
        }
    }
    for (const char* loss :
         {"L1DistLoss", "HuberLoss(0.4)", "QuantileLoss(0.7)", "L1EpsilonInsLoss(0.2)", "LogCoshLoss",
          "LPDistLoss{1.5}()", "LPDistLoss{4}()", "(p, t) -> abs(p - t) + square(p - t)"}) {
        const std::string name = loss;
        CAPTURE(name);
        const Fitted a = fit(once, "1 + 1 * x0", loss), b = fit(repeated, "1 + 1 * x0", loss);
        CHECK(a.result.loss == doctest::Approx(b.result.loss).epsilon(1e-7));
    }
}

TEST_CASE("smooth losses end where the gradient is zero, whatever the start") {
    const Problem p = line_with_outliers(80, 2, 1, 0.3, 3);
    const char* const starts[] = {"1 + 1 * x0", "0 + 0 * x0", "-50 + 30 * x0", "1e6 - 1e5 * x0"};
    for (const char* loss : {"HuberLoss(0.4)", "LogCoshLoss", "LogitDistLoss", "L2EpsilonInsLoss(0.1)",
                             "LPDistLoss{3}()", "LPDistLoss{1.5}()"}) {
        double first = 0;
        for (const char* start : starts) {
            const std::string name = loss;
            CAPTURE(name);
            CAPTURE(start);
            const Fitted f = fit(p, start, loss, 200);
            if (start == starts[0]) first = f.result.loss;
            CHECK(f.result.loss == doctest::Approx(first).epsilon(1e-9));
        }
    }
}

TEST_CASE("exact data are met exactly by every loss of the distance") {
    Problem p;
    for (int i = 0; i < 50; ++i) {
        p.x.push_back(0.1 * i - 2);
        p.y.push_back(1e6 * (2 - 3 * p.x.back()));
    }
    for (const char* loss :
         {"L1DistLoss", "HuberLoss(1)", "QuantileLoss(0.2)", "LPDistLoss{0.5}()", "StudentTLoss(2)"}) {
        const std::string name = loss;
        CAPTURE(name);
        const Fitted f = fit(p, "1 + 1 * x0", loss);
        CHECK(f.constants[0] == doctest::Approx(2e6).epsilon(1e-12));
        CHECK(f.constants[1] == doctest::Approx(-3e6).epsilon(1e-12));
    }
}

TEST_CASE("a fit never ends with a larger loss than it began with") {
    const char* const losses[] = {"L1DistLoss",
                                  "HuberLoss",
                                  "QuantileLoss(0.8)",
                                  "StudentTLoss(1)",
                                  "LPDistLoss{0.7}()",
                                  "TukeyLoss(2)",
                                  "LogCoshLoss",
                                  "PeriodicLoss(3)",
                                  "ZeroOneLoss",
                                  "LogRatioLoss",
                                  "ExpLoss",
                                  "PoissonLoss",
                                  "L1EpsilonInsLoss(0.3)",
                                  "(p, t) -> abs(p - t) + square(p - t)"};
    Problem p = line_with_outliers(70, 0.5, 0.1, 0.2, 5);
    const Dataset<double> data = p.data();
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    Rng rng(1, 2);
    test::RandomExpressionOptions random;
    random.n_features = 1;
    random.max_nodes = 15;
    constexpr int kTrials = test::repeats(600, 100);
    int improved = 0, finite = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
        Expression e = test::random_expression(rng, random);
        const Loss loss(losses[static_cast<std::size_t>(trial) % std::size(losses)]);
        const double before = mean_loss(e, evaluator, loss, 70, workspace.evaluation);
        const std::vector<double> start = e.constants;
        const FitResult result = fit_constants(e, evaluator, loss, {}, workspace);
        const double after = mean_loss(e, evaluator, loss, 70, workspace.evaluation);
        CAPTURE(loss.text());
        CAPTURE(trial);
        if (std::isfinite(before)) {
            ++finite;
            CHECK(after <= before + 1e-12 * std::abs(before));
            improved += after < before ? 1 : 0;
        }
        if (result.status == FitStatus::not_finite)
            CHECK(e.constants == start);
        else if (result.status != FitStatus::nothing_to_fit)
            CHECK(std::isfinite(after));
    }
    CHECK(3 * finite > kTrials);
    CHECK(10 * improved > kTrials);
}

TEST_CASE("fits are the same bits on every instruction set") {
    const Problem p = line_with_outliers(333, 1.5, -2, 0.1, 1);
    const std::string before(isa());
    for (const char* loss : {"L1DistLoss", "HuberLoss(0.2)", "StudentTLoss(2, 0.1)", "QuantileLoss(0.9)"}) {
        std::vector<Fitted> fits;
        for (const std::string_view set : available_isas()) {
            force_isa(set);
            fits.push_back(fit(p, "1 * exp(-0.1 * x0) + 0.1 - 0.3 * x0", loss));
        }
        for (const Fitted& f : fits) CHECK(f.constants == fits[0].constants);
    }
    force_isa(before);
}

TEST_CASE("constants that the data do not determine do no harm") {
    const Problem p = line_with_outliers(80, 2, 1, 0.3, 3);
    for (const std::string name : {"L1DistLoss", "HuberLoss(0.4)", "QuantileLoss(0.3)"}) {
        const char* const loss = name.c_str();
        CAPTURE(name);
        const double expected = fit(p, "1 + 1 * x0", loss).result.loss;
        CHECK(fit(p, "(1 + 2) + 3 * x0 + x0 * 2", loss).result.loss == doctest::Approx(expected).epsilon(1e-9));
        CHECK(fit(p, "1 + 1 * x0 + 3 * (x0 - x0)", loss).result.loss == doctest::Approx(expected).epsilon(1e-9));
    }
}

TEST_CASE("floats are fitted too") {
    const Problem p = line_with_outliers(210, 1.5, -2, 0.1, 1);
    const Dataset<float> data(p.view(), p.y);
    const Evaluator<float> evaluator(data);
    FitWorkspace<float> workspace;
    for (const char* loss : {"L1DistLoss", "HuberLoss(0.15)"}) {
        Expression e = parse("0.1 + 0.1 * x0");
        const FitResult result = fit_constants(e, evaluator, Loss(loss), {}, workspace);
        CHECK(result.loss == doctest::Approx(fit(p, "0.1 + 0.1 * x0", loss).result.loss).epsilon(1e-4));
    }
}

TEST_CASE("bounds, prefixes and missing constants") {
    const Problem p = line_with_outliers(210, 1.5, -2, 0.1, 1);
    const Dataset<double> data = p.data();
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    const Loss loss("HuberLoss(0.2)");
    Expression e = parse("exp(0.1 * x0 * x0)");
    FitOptions options;
    options.bound = 1e-6;
    CHECK(fit_constants(e, evaluator, loss, options, workspace).status == FitStatus::abandoned);
    e = parse("x0 + x0");
    CHECK(fit_constants(e, evaluator, loss, {}, workspace).status == FitStatus::nothing_to_fit);
    options = {};
    options.rows = 64;
    e = parse("1 + 2 * x0");
    const FitResult prefix = fit_constants(e, evaluator, loss, options, workspace);
    CHECK(prefix.loss == doctest::Approx(mean_loss(e, evaluator, loss, 64, workspace.evaluation)).epsilon(1e-12));
    const Dataset<double> bare(p.view());
    CHECK_THROWS_AS((void)fit_constants(e, Evaluator<double>(bare), loss, {}, workspace), std::invalid_argument);
}

}  // namespace
}  // namespace balmer
