#include "search/shrink.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"

namespace balmer {
namespace {

struct World {
    World() {
        Rng rng(3, 0);
        for (double& value : x) value = rng.normal();
        for (std::size_t i = 0; i < kRows; ++i) y[i] = 2.5 * apply(Op::Cos, x[kRows + i]) + x[i] * x[i];
        data = Dataset<double>(MatrixView<double>{x.data(), kRows, 2, 1, kRows}, y);
        options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Cos};
    }
    static constexpr std::size_t kRows = 40;
    std::vector<double> x = std::vector<double>(2 * kRows), y = std::vector<double>(kRows);
    Dataset<double> data;
    SearchOptions options;
};

TEST_CASE("an exact formula loses what it does not need") {
    const World world;
    const Problem problem(world.data, OperatorSet::builtin(), world.options);
    FitWorkspace<double> workspace;
    const std::atomic<bool> never = false;
    for (const char* text : {"cos(x1) + 1.5 * cos(x1) + x0 * x0", "x0 / (x0 / (2.5 * cos(x1) + x0 * x0))",
                             "2.5 * (cos(x1) + (0.25 - 0.25)) + x0 * (x0 + 0)"}) {
        CAPTURE(text);
        Candidate candidate = problem.judged(parse(text), 0);
        candidate.loss = problem.objective.loss(candidate.roles, 1e300, workspace);
        REQUIRE(problem.is_exact(candidate));
        double evaluations = 0;
        const Candidate result = shrunk(candidate, problem, workspace, evaluations, never);
        CAPTURE(to_text(result.roles[0]));
        CHECK(result.complexity == 8);
        CHECK(problem.is_exact(result));
        CHECK(evaluations > 0);
    }
}

TEST_CASE("a formula that needs all it has stays as it is") {
    const World world;
    const Problem problem(world.data, OperatorSet::builtin(), world.options);
    FitWorkspace<double> workspace;
    const std::atomic<bool> never = false;
    const Candidate candidate = problem.judged(parse("2.5 * cos(x1) + x0 * x0"), 0);
    double evaluations = 0;
    CHECK(shrunk(candidate, problem, workspace, evaluations, never).roles == candidate.roles);
}

TEST_CASE("a loss of 0 with as many constants as rows is no law") {
    const World world;
    const Problem problem(world.data, OperatorSet::builtin(), world.options);
    Expression line = Expression::constant(1);
    for (std::size_t k = 1; k < World::kRows; ++k) line = Expression::apply(Op::Add, line, Expression::constant(1));
    CHECK_FALSE(problem.is_exact(problem.judged(line, 0)));
    CHECK(problem.is_exact(problem.judged(parse("x0 + 1.5"), 0)));
    CHECK_FALSE(problem.is_exact(problem.judged(parse("x0 + 1.5"), 2 * problem.floor)));
}

}  // namespace
}  // namespace balmer
