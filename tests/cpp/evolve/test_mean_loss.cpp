#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/objective.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/search/search.hpp"
#include "fit/simplex_fit.hpp"

namespace balmer {
namespace {

/// y = 2 x0^2 + x1, with every eighth row far off.
struct Outliers {
    std::vector<double> x, y;
    explicit Outliers(std::size_t n) : x(2 * n), y(n) {
        Rng rng(17, 0);
        for (std::size_t i = 0; i < n; ++i) {
            x[i] = rng.normal();
            x[n + i] = rng.normal();
            y[i] = 2 * x[i] * x[i] + x[n + i] + (i % 8 == 0 ? 20 + 5 * rng.normal() : 0.0);
        }
    }
    [[nodiscard]] Dataset<double> data() const {
        return Dataset<double>(MatrixView<double>{x.data(), y.size(), 2, 1, y.size()}, y);
    }
};

TEST_CASE("in single precision losses are nearly the same and constants the very same") {
    const Outliers rows(100);
    const Dataset<double> data = rows.data();
    const OperatorSet& operators = OperatorSet::builtin();
    CHECK(SinglePrecision::can_hold(data));
    const Loss absolute("L1DistLoss", operators);
    for (const Loss* loss : {static_cast<const Loss*>(nullptr), &absolute}) {
        const MeanLoss exact(data, operators, loss, 0.5);
        const SinglePrecision single(data, operators, loss, 0.5);
        CHECK(single.share() == 0.5);
        FitWorkspace<double> workspace;
        Expression a = parse("1.5 * x0 + sin(0.7 * x1)"), b = a;
        const double expected = exact.loss({&a, 1}, 1e9, workspace), found = single.loss({&a, 1}, 1e9, workspace);
        CHECK(found != expected);
        CHECK(found == doctest::Approx(expected).epsilon(1e-5));
        CHECK(exact.fit({&a, 1}, {}, workspace).loss == single.fit({&b, 1}, {}, workspace).loss);
        CHECK(a == b);
    }
}

TEST_CASE("what single precision cannot hold is known") {
    for (const double scale : {1e10, 1e-12, 1e300, 5e-324}) {
        Outliers rows(20);
        for (double& x : rows.x) x = scale;
        CHECK_FALSE(SinglePrecision::can_hold(rows.data()));
        rows = Outliers(20);
        for (double& y : rows.y) y *= scale;
        CHECK_FALSE(SinglePrecision::can_hold(rows.data()));
    }
    Outliers zeros(20);
    for (double& x : zeros.x) x = 0;
    CHECK(SinglePrecision::can_hold(zeros.data()));
}

TEST_CASE("without a loss the objective is least squares") {
    const Dataset<double> data = Outliers(100).data();
    const OperatorSet& operators = OperatorSet::builtin();
    const LeastSquares squares(data, operators, 0.5);
    const MeanLoss mean(data, operators, nullptr, 0.5);
    FitWorkspace<double> workspace;
    Expression a = parse("1.5 * x0 + sin(0.7 * x1)"), b = a;
    CHECK(mean.loss({&a, 1}, 1e9, workspace) == squares.loss({&a, 1}, 1e9, workspace));
    squares.fit({&a, 1}, {}, workspace);
    mean.fit({&b, 1}, {}, workspace);
    CHECK(a == b);
    CHECK(mean.share() == 0.5);
    CHECK(mean.loss_of_constant() == doctest::Approx(data.target_variance()));
    CHECK(mean.loss_at_distance(0.1) == doctest::Approx(0.01));
}

TEST_CASE("the scale of a loss is that of the best constant, and its floor that of predictions beside the target") {
    const Outliers problem(101);
    const Dataset<double> data = problem.data();
    std::vector<double> sorted = problem.y;
    std::sort(sorted.begin(), sorted.end());
    double expected = 0;
    for (const double y : sorted) expected += std::abs(y - sorted[50]) / 101;
    const Loss l1("L1DistLoss"), hinge("L1HingeLoss");
    CHECK(MeanLoss(data, OperatorSet::builtin(), &l1).loss_of_constant() == doctest::Approx(expected).epsilon(1e-12));
    CHECK(MeanLoss(data, OperatorSet::builtin(), &l1).loss_at_distance(0.25) == doctest::Approx(0.25).epsilon(1e-12));
    CHECK(MeanLoss(data, OperatorSet::builtin(), &hinge).loss_at_distance(0.25) ==
          -std::numeric_limits<double>::infinity());
}

TEST_CASE("a search on a robust loss finds the law among outliers") {
    const Outliers problem(200);
    const Dataset<double> data = problem.data();
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul};
    options.evolution.loss = Loss("L1DistLoss");
    options.evolution.populations = 4;
    options.evolution.niterations = 10;
    options.evolution.maxsize = 11;
    options.seed = 1;
    Search search(data, OperatorSet::builtin(), options);
    const SearchResult result = search.run();
    REQUIRE_FALSE(result.front.empty());
    const FrontEntry& best = result.front.back();
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    CHECK(best.loss == doctest::Approx(mean_loss(best.expression, evaluator, Loss("L1DistLoss"), 200, workspace)));
    std::vector<double> values(200);
    evaluator.evaluate(best.expression, values, workspace);
    double worst = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        if (i % 8 != 0) worst = std::max(worst, std::abs(values[i] - problem.y[i]));
    }
    CHECK(worst < 1e-6);
}

TEST_CASE("a loss of whole predictions is minimised without derivatives") {
    const Outliers problem(101);
    const Dataset<double> data = problem.data();
    // The median of the absolute residuals: no outlier moves it, and no formula of rows gives it.
    const WholeLoss median = [&](std::span<const double> prediction) {
        std::vector<double> distances;
        for (std::size_t i = 0; i < prediction.size(); ++i) {
            distances.push_back(std::abs(prediction[i] - problem.y[i]));
        }
        std::nth_element(distances.begin(), distances.begin() + 50, distances.end());
        return distances[50];
    };
    const MeanLoss objective(data, OperatorSet::builtin(), nullptr, 1, &median);
    FitWorkspace<double> workspace;
    Expression e = parse("1.5 * x0 * x0 + 1.2 * x1");
    const double before = objective.loss({&e, 1}, 1e9, workspace);
    FitOptions options;
    options.max_iterations = 300;
    const FitResult result = objective.fit({&e, 1}, options, workspace);
    CHECK(before > 0.1);
    CHECK(result.loss < 1e-9);
    CHECK(result.loss == objective.loss({&e, 1}, 1e9, workspace));
    CHECK(e.constants[0] == doctest::Approx(2).epsilon(1e-7));
    CHECK(objective.loss_at_distance(0.1) == -std::numeric_limits<double>::infinity());
    Expression undefined = parse("1 / (x0 - x0) + 2.5");
    CHECK(std::isinf(objective.loss({&undefined, 1}, 1e9, workspace)));
    CHECK(objective.fit({&undefined, 1}, options, workspace).status == FitStatus::not_finite);
}

TEST_CASE("a simplex finds minima that are not at its corners") {
    // Rosenbrock's valley, and a quadratic whose first simplex has two corners of equal value on both sides.
    FitOptions options;
    options.max_iterations = 500;
    std::vector<double> c = {-1.2, 1};
    const auto valley = [](std::span<const double> x) {
        return 100 * (x[1] - x[0] * x[0]) * (x[1] - x[0] * x[0]) + (1 - x[0]) * (1 - x[0]);
    };
    const FitResult found = fit_by_simplex(c, valley(c), valley, options);
    CHECK(found.loss < 1e-18);
    CHECK(c[0] == doctest::Approx(1).epsilon(1e-8));
    CHECK(c[1] == doctest::Approx(1).epsilon(1e-8));
    std::vector<double> d = {1.0};
    const auto square = [](std::span<const double> x) { return (x[0] - 1.05) * (x[0] - 1.05) + 1; };
    fit_by_simplex(d, square(d), square, options);
    CHECK(d[0] == doctest::Approx(1.05).epsilon(1e-7));
}

}  // namespace
}  // namespace balmer
