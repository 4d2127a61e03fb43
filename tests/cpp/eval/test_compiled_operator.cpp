// Operators that are compiled code: they give what the same operators as text give.
#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/derivative.hpp"
#include "balmer/expr/operator_set.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/expr/simplify.hpp"
#include "balmer/fit/fit.hpp"

namespace balmer {
namespace {

void cubic(double* out, const double* a, const double*, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * a[i] * a[i] - a[i];
}
void cubic_slope(double* out, const double* a, const double*, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = 3 * a[i] * a[i] - 1;
}
void share(double* out, const double* a, const double* b, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] = a[i] / (a[i] + b[i]);
}

OperatorSet compiled(std::vector<BlockFunction> slopes_of_cubic = {}) {
    OperatorSet operators;
    operators.define(CompiledOperator{"cubic", 1, cubic, std::move(slopes_of_cubic)});
    operators.define(CompiledOperator{"share", 2, share, {}});
    return operators;
}

OperatorSet as_text() {
    OperatorSet operators;
    operators.define("cubic(x) = x * x * x - x");
    operators.define("share(x, y) = x / (x + y)");
    return operators;
}

const std::vector<std::string> kNames{"x", "y"};

struct Values {
    std::vector<double> values, gradient, jacobian;
};

/// A formula over 300 rows, more than a block, by all ways.
Values evaluated(const char* text, const OperatorSet& operators) {
    constexpr std::size_t kRows = 300;
    Rng rng(3, 0);
    std::vector<double> X(2 * kRows);
    for (double& x : X) x = 0.5 + rng.uniform();
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, 2, 1, kRows});
    const Evaluator<double> evaluator(data, operators);
    const Expression e = parse(text, kNames, operators);
    Workspace<double> workspace;
    Values out{std::vector<double>(kRows), std::vector<double>(2 * kRows),
               std::vector<double>(e.constants.size() * kRows)};
    evaluator.evaluate(e, out.values, workspace);
    std::vector<double> again(kRows);
    evaluator.evaluate_with_gradient(e, again, out.gradient, workspace);
    CHECK(again == out.values);
    evaluator.evaluate_with_jacobian(e, again, out.jacobian, workspace);
    return out;
}

void check_near(const std::vector<double>& ours, const std::vector<double>& theirs, double tolerance) {
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(std::abs(ours[i] - theirs[i]) <= tolerance);
}

TEST_CASE("values and derivatives of compiled operators are those of the same operators as text") {
    for (const char* text : {"cubic(x)", "cubic(cubic(x) * 2) + share(y, 1.5)", "share(cubic(2), share(x, cubic(y)))",
                             "log(exp(800 * cubic(x + 2)) + 1)"}) {
        const std::string formula = text;
        CAPTURE(formula);
        const Values expected = evaluated(text, as_text());
        const Values exact = evaluated(text, compiled({cubic_slope}));
        const Values differences = evaluated(text, compiled());
        for (const Values* ours : {&exact, &differences}) {
            for (std::size_t i = 0; i < expected.values.size(); ++i) {
                CHECK(ours->values[i] == doctest::Approx(expected.values[i]).epsilon(1e-14));
            }
            check_near(ours->gradient, expected.gradient, formula.starts_with("log") ? 1e-3 : 1e-7);
            check_near(ours->jacobian, expected.jacobian, formula.starts_with("log") ? 1e-3 : 1e-7);
        }
        if (formula == "cubic(x)") check_near(exact.gradient, expected.gradient, 1e-15);
    }
}

TEST_CASE("a fit finds the constants in and beside a compiled operator") {
    std::vector<double> x, y;
    for (int i = 0; i < 40; ++i) {
        x.push_back(-1 + 0.05 * i);
        const double inner = 1.7 * x.back() - 0.3;
        y.push_back(2.5 * (inner * inner * inner - inner) + 0.4);
    }
    const OperatorSet operators = compiled();
    const Dataset<double> data(MatrixView<double>{x.data(), x.size(), 1, 1, x.size()}, y);
    const Evaluator<double> evaluator(data, operators);
    Expression e = parse("2 * cubic(1.5 * x - 0.2) + 1", {kNames.data(), 1}, operators);
    FitWorkspace<double> workspace;
    CHECK(fit_constants(e, evaluator, FitOptions{}, workspace).loss < 1e-20);
    CHECK(e.constants[1] == doctest::Approx(1.7));
}

TEST_CASE("compiled operators are printed as calls, folded over constants, and have no formula") {
    const OperatorSet operators = compiled();
    const Expression e = parse("share(cubic(3), x)", kNames, operators);
    CHECK(to_text(e, kNames, operators) == "share(cubic(3), x)");
    CHECK(to_sympy(e, kNames, operators) == "share((cubic((3.0))), (x))");
    CHECK(to_text(simplify(e, operators), kNames, operators) == "share(24, x)");
    CHECK_THROWS_WITH_AS(
        (void)derivative(e, 0, operators),
        "the operator share is compiled code, which has no formula: define it as text where one is needed",
        std::invalid_argument);
    CHECK_THROWS_AS((void)expand(e, operators), std::invalid_argument);
}

TEST_CASE("compiled operators that cannot be are refused with the reason") {
    OperatorSet operators;
    const auto refused = [&](CompiledOperator op, const char* why) {
        const std::string reason = why;
        CAPTURE(reason);
        CHECK_THROWS_WITH_AS(operators.define(std::move(op)), doctest::Contains(why), std::invalid_argument);
    };
    refused({"two words", 1, cubic, {}}, "needs a name of letters");
    refused({"f", 3, cubic, {}}, "takes 3 operands, but one or two are possible");
    refused({"f", 0, cubic, {}}, "takes 0 operands");
    refused({"f", 1, {}, {}}, "has an empty function");
    refused({"f", 1, cubic, {BlockFunction{}}}, "has an empty function");
    refused({"f", 2, share, {cubic_slope}}, "has 1 derivatives: give one for each of its 2 operands");
    operators.define(CompiledOperator{"f", 1, cubic, {}});
    refused({"f", 1, cubic, {}}, "is defined twice");
}

}  // namespace
}  // namespace balmer
