#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/objective.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/search/search.hpp"

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

}  // namespace
}  // namespace balmer
