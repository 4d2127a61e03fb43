// Hot paths allocate nothing after their first call.
#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/fit/fit.hpp"

namespace balmer::test {
namespace {

constexpr std::size_t kRows = 700;

struct Data {
    std::vector<double> X, y;

    Data() {
        Rng rng(41, 0);
        for (std::size_t i = 0; i < 2 * kRows; ++i) X.push_back(0.3 + 2 * rng.uniform());
        for (std::size_t i = 0; i < kRows; ++i)
            y.push_back(2 * std::exp(0.5 * X[i]) + X[kRows + i] + 0.1 * rng.normal());
    }
    [[nodiscard]] MatrixView<double> view() const { return {X.data(), kRows, 2, 1, kRows}; }
};

OperatorSet user_operators() {
    OperatorSet operators;
    operators.define("rise(x, a, b) = a*exp(b*x) + b");
    return operators;
}

/// Formulas of every way to evaluate and to fit: fused leaves, user operators, the extended range, constants that depend on
/// each other (which are found out by a factor of the Jacobian), nearly dependent ones.
std::vector<Expression> formulas(const OperatorSet& operators) {
    std::vector<Expression> out;
    for (const char* text : {"1*exp(1*x0) + 1*x1", "sin(2*x0)*cos(x1) - 3/(x0 + 4)", "rise(x0, 1, 0.7) + 1*x1",
                             "x0^3 / (exp(500*x1) - 1)", "log(exp(900*x0) + 1)", "1 + 1 + exp(1*(1*x0))",
                             "1*x0 + 1*(x0 + 1e-7*sin(1*x1)) + 1", "1*x0 + 2", "ifelse(x0 - 1, 1*x0, 2*x1)"}) {
        out.push_back(parse(text, {}, operators));
    }
    return out;
}

}  // namespace

TEST_CASE("evaluation allocates nothing once it has seen the expressions") {
    const Data raw;
    const Dataset<double> data(raw.view(), raw.y);
    const OperatorSet operators = user_operators();
    const std::vector<Expression> all = formulas(operators);
    const Evaluator<double> evaluator(data, operators);
    Workspace<double> workspace;
    std::vector<double> out(kRows), J(kRows * 20);
    const auto evaluate = [&] {
        double sum = 0;
        for (const Expression& e : all) {
            evaluator.evaluate(e, out, workspace);
            sum += evaluator.mean_squared_error(e, kRows, workspace);
            sum += evaluator.mean_squared_error(e, kRows, workspace, 0.01);
            evaluator.evaluate_with_jacobian(e, out, std::span(J).first(kRows * e.constants.size()), workspace);
            evaluator.evaluate_with_gradient(e, out, std::span(J).first(kRows * 2), workspace);
        }
        return sum;
    };
    const double first = evaluate();
    const auto before = allocations();
    const double second = evaluate();
    CHECK(allocations() - before == 0);
    CHECK((first == second || std::isinf(first)));
}

TEST_CASE("the memory of an evaluation does not grow with the rows") {
    const OperatorSet operators = user_operators();
    const std::vector<Expression> all = formulas(operators);
    std::vector<const Expression*> pointers;
    for (const Expression& e : all) pointers.push_back(&e);
    const std::vector<const OperatorSet*> sets(all.size(), &operators);
    const auto bytes = [&](std::size_t rows, int n_threads) {
        std::vector<double> X(2 * rows), out(all.size() * rows);
        for (std::size_t i = 0; i < X.size(); ++i) X[i] = 0.5 + 0.001 * static_cast<double>(i % 1000);
        const Dataset<double> view = Dataset<double>::view({X.data(), rows, 2, 1, rows});
        const std::size_t before = allocated_bytes();
        evaluate_all<double>(pointers, sets, view, out, n_threads);
        return allocated_bytes() - before;
    };
    bytes(20000, 1);  // Clang's OpenMP allocates a little when it is first used
    const std::size_t few = bytes(20000, 1);
    CHECK(bytes(20000, 1) == few);
    CHECK(bytes(400000, 1) == few);
    CHECK(bytes(400000, 2) <= 2 * few + 4096);
    CHECK(few < 16 * 1024 * 1024);
}

TEST_CASE_TEMPLATE("a fit allocates nothing once the workspace has seen the expressions", T, double, float) {
    const Data raw;
    const std::vector<T> X(raw.X.begin(), raw.X.end());
    const Dataset<T> data(MatrixView<T>{X.data(), kRows, 2, 1, kRows}, raw.y);
    const OperatorSet operators = user_operators();
    const std::vector<Expression> all = formulas(operators);
    const Evaluator<T> evaluator(data, operators);
    FitWorkspace<T> workspace;
    std::vector<Expression> scratch(all.size());
    const auto fit = [&] {
        std::size_t fitted = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            scratch[i] = all[i];
            FitOptions options;
            options.restarts = 2;
            fitted += fit_constants(scratch[i], evaluator, options, workspace).status != FitStatus::not_finite;
            options.rows = 64;
            scratch[i] = all[i];
            fitted += fit_constants(scratch[i], evaluator, options, workspace).status != FitStatus::not_finite;
        }
        return fitted;
    };
    CHECK(fit() > all.size());
    const auto before = allocations();
    fit();
    CHECK(allocations() - before == 0);
}

}  // namespace balmer::test
