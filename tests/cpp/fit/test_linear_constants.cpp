#include "fit/linear_constants.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"
#include "random_expression.hpp"

namespace balmer::test {
namespace {

/// "10" says that the first constant is linear and the second is not.
std::string linear(const std::string& text, const OperatorSet& operators = OperatorSet::builtin()) {
    const Expression expression = parse(text, {}, operators);
    std::vector<bool> found;
    fit::LinearConstants().find(expression, operators, expression.constants.size(), found);
    std::string out;
    for (const bool is : found) out += is ? '1' : '0';
    return out;
}

/// The values at `constants`.
std::vector<double> values(Expression expression, const std::vector<double>& constants,
                           const Evaluator<double>& evaluator) {
    Workspace<double> workspace;
    expression.constants = constants;
    std::vector<double> out(evaluator.data().n_rows());
    evaluator.evaluate(expression, out, workspace);
    return out;
}

OperatorSet user_operators() {
    OperatorSet operators;
    operators.define("line(x, a, b) = a*x + b");
    operators.define("twice(a, x) = a*x + sin(a)");
    operators.define("shared(a, b, x) = a*x + b*(a + x)");
    operators.define("outer(a, b, c, x) = line(x, a, b) * exp(c*x)");
    operators.define("second(a, b) = b");
    return operators;
}

}  // namespace

TEST_CASE("scales and offsets of sums of terms are linear") {
    CHECK(linear("2*x0 + 3") == "11");
    CHECK(linear("2*exp(3*x0) - 4*x1/(5 + x0) + 6") ==
          "101"
          "01");
    CHECK(linear("-(2*x0 - 3)") == "11");
    CHECK(linear("sin(2*x0)") == "0");
    CHECK(linear("2/x0") == "1");
    CHECK(linear("x0/2") == "0");
    CHECK(linear("cond(2*x0, 3*x1)") == "01");
    CHECK(linear("ifelse(2*x0, 3*x1, 4 + x1)") == "011");
    CHECK(linear("x0 + x1") == "");
}

TEST_CASE("of a product one side is linear: that with more constants, else a constant alone") {
    CHECK(linear("(2*x0 + 3) * sin(4*x1)") == "110");
    CHECK(linear("sin(4*x1) * (2*x0 + 3)") == "011");
    CHECK(linear("2 * (3 + x0)") == "10");
    CHECK(linear("(3 + x0) * 2") == "01");
    CHECK(linear("(2 + x0) * (3 + x0)") == "10");
    CHECK(linear("2 * (3*x0 + 4*x1 + 5)") == "0111");
}

TEST_CASE("user operators are seen through") {
    const OperatorSet operators = user_operators();
    CHECK(linear("line(x0, 2, 3)", operators) == "11");
    CHECK(linear("line(2, 3, 4)", operators) == "011");  // a * x: one side, and a bare constant each, so the first
    CHECK(linear("outer(2, 3, 4, x0)", operators) == "110");
    CHECK(linear("second(2, 3*x0)", operators) == "01");
    SUBCASE("a constant that stands in several places is linear only if all are, together with the others") {
        CHECK(linear("twice(2, x0)", operators) == "0");
        CHECK(linear("shared(2, 3, x0)", operators) == "01");
        CHECK(linear("exp(line(x0, 2, 3))", operators) == "00");
    }
    SUBCASE("constants of the body are none of the expression's") {
        OperatorSet more = operators;
        more.define("shift(x) = 2*x + 1");
        CHECK(linear("3*shift(x0) + 4", more) == "11");
    }
}

TEST_CASE("more constants than fit one word") {
    // 70 constants; the second half of each word must not be taken for the first.
    std::string text = "1", expected = "1";
    for (int k = 0; k < 23; ++k) {
        text += " + 2*sin(3) + x0*4";
        expected += "101";
    }
    CHECK(linear(text) == expected);
}

TEST_CASE("an expression is affine in the constants found: random expressions, second differences are 0") {
    std::vector<double> X;
    Rng rng(11, 0);
    constexpr std::size_t kRows = 24;
    for (std::size_t i = 0; i < 3 * kRows; ++i) X.push_back(0.5 + rng.uniform());
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, 3, 1, kRows});
    const OperatorSet operators = user_operators();
    const Evaluator<double> evaluator(data, operators);
    RandomExpressionOptions options;
    for (const char* op : {"add", "sub", "mul", "div", "neg", "exp", "sin", "square", "cond", "ifelse", "line", "twice",
                           "shared", "outer", "second"}) {
        options.operators.push_back(*operators.find(op));
    }
    options.constants = Constants::dyadic;
    std::size_t checked = 0, several = 0;
    fit::LinearConstants analysis;
    for (int trial = 0; trial < 3000; ++trial) {
        const Expression expression = random_expression(rng, options, operators);
        std::vector<bool> is_linear;
        analysis.find(expression, operators, expression.constants.size(), is_linear);
        std::vector<double> step(is_linear.size(), 0.0);
        std::size_t n = 0;
        for (std::size_t k = 0; k < step.size(); ++k) {
            if (is_linear[k]) step[k] = 1 + rng.uniform(), ++n;
        }
        if (n == 0) continue;
        auto at = [&](double t) {
            std::vector<double> c = expression.constants;
            for (std::size_t k = 0; k < c.size(); ++k) c[k] += t * step[k];
            return values(expression, c, evaluator);
        };
        const std::vector<double> f0 = at(0), f1 = at(1), f2 = at(2);
        for (std::size_t i = 0; i < kRows; ++i) {
            const double size = std::abs(f0[i]) + std::abs(f1[i]) + std::abs(f2[i]);
            // Where terms are huge and cancel, rounding is not small against the values: the check is for them.
            if (!(size < 1e6)) continue;
            ++checked;
            several += n > 1;
            INFO("seed 11, trial ", trial, ", row ", i);
            CHECK(std::abs(f0[i] - 2 * f1[i] + f2[i]) <= 1e-9 * (size + 1));
        }
    }
    CHECK(checked > 20000);
    CHECK(several > 5000);
}

}  // namespace balmer::test
