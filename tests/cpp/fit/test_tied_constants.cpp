// Constants that stand in several places, and numbers that are not fitted: what a template composes.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/objective.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"
#include "eval/program.hpp"

namespace balmer {
namespace {

constexpr std::size_t kRows = 90;
const std::vector<std::string> kNames = {"x", "class"};

/// x in [0.5, 1.5), class 1, 2 or 3 in turn, and a target of them.
template <class Law>
Dataset<double> rows_of(const Law& law) {
    Rng rng(5, 0);
    std::vector<double> X(2 * kRows), y(kRows);
    for (std::size_t i = 0; i < kRows; ++i) {
        X[i] = 0.5 + rng.uniform();
        X[kRows + i] = static_cast<double>(1 + i % 3);
        y[i] = law(X[i], X[kRows + i]);
    }
    return Dataset<double>(MatrixView<double>{X.data(), kRows, 2, 1, kRows}, y);
}

double difference_of_f(double x, double category, double a, double b) {
    return std::exp(a * x) + b * x - std::exp(a * category) - b * category;
}

TEST_CASE("a derivative by a constant is the sum over its places; numbers of the template have none") {
    const Template structure("2.5 * (f(x) - f(class)) ^ 2 + D(f, 1)(x)", {"f"}, kNames);
    const Dataset<double> data = rows_of([](double x, double) { return x; });
    const Expression f = parse("exp(0.7 * x0) + 1.3 * x0 ^ 1.5");
    auto whole = structure.compose({&f, 1});
    REQUIRE(whole);
    REQUIRE(whole->n_free == 3);
    REQUIRE(whole->expression.constants.size() > 3);
    eval::Program<double> program;
    program.compile(whole->expression, OperatorSet::builtin(), data.columns(), kRows, eval::Derivatives::constants,
                    eval::Range::plain, whole->n_free);
    REQUIRE(program.derivatives().size() == 3);
    const std::size_t block = padded(kRows);
    program.run(0, block);
    program.reverse(0, block);
    Workspace<double> workspace;
    std::vector<double> above(kRows), below(kRows);
    for (std::size_t k = 0; k < whole->n_free; ++k) {
        const double h = 1e-6, at = whole->expression.constants[k];
        whole->expression.constants[k] = at + h;
        Evaluator<double>(data).evaluate(whole->expression, above, workspace);
        whole->expression.constants[k] = at - h;
        Evaluator<double>(data).evaluate(whole->expression, below, workspace);
        whole->expression.constants[k] = at;
        for (std::size_t i = 0; i < kRows; ++i) {
            CHECK(program.derivatives()[k][i] == doctest::Approx((above[i] - below[i]) / (2 * h)).epsilon(1e-6));
        }
    }
}

TEST_CASE("a fit finds constants that stand in two places") {
    const Template structure("f(x) - f(class)", {"f"}, kNames);
    const Dataset<double> data = rows_of([](double x, double c) { return difference_of_f(x, c, 0.4, -1.7); });
    for (const char* const loss_text : {"L2DistLoss()", "HuberLoss(0.5)", "L1DistLoss()"}) {
        CAPTURE(loss_text);
        const Loss loss{std::string_view(loss_text)};
        const OfTemplate objective(structure, std::make_unique<MeanLoss>(data, OperatorSet::builtin(), &loss));
        std::vector<Expression> roles = {parse("exp(0.6 * x0) + 1 * x0")};
        FitWorkspace<double> workspace;
        objective.fit(roles, {}, workspace);
        CHECK(roles[0].constants[0] == doctest::Approx(0.4).epsilon(1e-6));
        CHECK(roles[0].constants[1] == doctest::Approx(-1.7).epsilon(1e-6));
    }
}

TEST_CASE("a fit by a loss of whole predictions moves the constants of the parts alone") {
    const Template structure("3 * f(x) - 3 * f(class)", {"f"}, kNames);
    const Dataset<double> data = rows_of([](double x, double c) { return 6 * (x - c); });
    const WholeLoss whole = [&](std::span<const double> prediction) {
        double sum = 0;
        for (std::size_t i = 0; i < prediction.size(); ++i) sum += std::abs(prediction[i] - data.target()[i]);
        return sum;
    };
    const OfTemplate objective(structure, std::make_unique<MeanLoss>(data, OperatorSet::builtin(), nullptr, 1, &whole));
    std::vector<Expression> roles = {parse("1.5 * x0")};
    FitWorkspace<double> workspace;
    objective.fit(roles, {}, workspace);
    CHECK(roles[0].constants[0] == doctest::Approx(2).epsilon(1e-6));
}

TEST_CASE("parameters of each category are fitted to its rows") {
    const Template structure("p[class] * f(x) + q[1]", {"f"}, kNames, {{"p", 3}, {"q", 1}});
    const double scale[] = {1.5, -2, 0.25};
    const Dataset<double> data =
        rows_of([&](double x, double c) { return scale[static_cast<int>(c) - 1] * std::exp(0.8 * x) + 4; });
    const OfTemplate objective(structure, std::make_unique<MeanLoss>(data, OperatorSet::builtin(), nullptr));
    const double zeros[4] = {1, 1, 1, 0};
    std::vector<Expression> roles = {parse("exp(0.5 * x0)"), Template::parameters_role(zeros)};
    FitWorkspace<double> workspace;
    const FitResult result = objective.fit(roles, {}, workspace);
    CHECK(result.loss < 1e-20);
    CHECK(roles[0].constants[0] == doctest::Approx(0.8).epsilon(1e-8));
    const double expected[4] = {1.5, -2, 0.25, 4};
    for (std::size_t k = 0; k < 4; ++k) CHECK(roles[1].constants[k] == doctest::Approx(expected[k]).epsilon(1e-8));
}

TEST_CASE("a template that cannot be composed has an infinite loss and no fit") {
    const Template structure("D(f, 1)(x)", {"f"}, kNames);
    const Dataset<double> data = rows_of([](double x, double) { return x; });
    const OfTemplate objective(structure, std::make_unique<MeanLoss>(data, OperatorSet::builtin(), nullptr));
    std::vector<Expression> roles = {parse("gamma(2 * x0)")};
    FitWorkspace<double> workspace;
    CHECK(std::isinf(objective.loss(roles, 1, workspace)));
    CHECK(objective.fit(roles, {}, workspace).status == FitStatus::not_finite);
    CHECK(roles[0] == parse("gamma(2 * x0)"));
}

TEST_CASE("standard errors are of the constants that are fitted") {
    Rng rng(6, 0);
    const Dataset<double> data = rows_of([&](double x, double) { return 2 * x + 0.1 * rng.normal(); });
    Expression tied = parse("1 * x0");
    tied.nodes[0].index = 0;
    Expression held = tied;
    held.push_constant(0.5).push(Op::Add, 2);
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    const std::vector<double> alone = standard_errors(tied, evaluator, workspace);
    held.constants[1] = 0;
    const std::vector<double> beside = standard_errors(held, evaluator, workspace, 1);
    REQUIRE(beside.size() == 1);
    CHECK(beside[0] == doctest::Approx(alone[0]).epsilon(1e-12));
}

}  // namespace
}  // namespace balmer
