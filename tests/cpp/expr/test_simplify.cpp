#include "balmer/expr/simplify.hpp"

#include <doctest/doctest.h>

#include <bitset>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "expr/algebra.hpp"
#include "random_expression.hpp"
#include "sanitized.hpp"
#include "scalar_walk.hpp"

namespace balmer {
namespace {

std::string simplified(const char* text, const OperatorSet& operators = OperatorSet::builtin()) {
    return to_text(simplify(parse(text, {}, operators), operators), {}, operators);
}

std::bitset<256> operators_of(const Expression& expression) {
    std::bitset<256> used;
    for (const Node& node : expression.nodes) {
        if (!node.is_leaf()) used.set(static_cast<std::size_t>(node.op));
    }
    return used;
}

/// Checks all that the header promises, at random points. `exact` points are k / 4, among them 0.
void check_promises(const Expression& original, Rng& rng, const OperatorSet& operators, bool exact) {
    constexpr std::size_t kFeatures = 3;
    const Expression simple = simplify(original, operators);
    CAPTURE(to_text(original, {}, operators));
    CAPTURE(to_text(simple, {}, operators));
    REQUIRE(simple.valid(operators, kFeatures));
    REQUIRE(simple.size() <= original.size());
    REQUIRE(simplify(simple, operators) == simple);
    REQUIRE((operators_of(simple) & ~operators_of(original)).none());

    for (int point = 0; point < 4; ++point) {
        std::vector<double> features(kFeatures);
        for (double& x : features) x = exact ? (static_cast<double>(rng.below(33)) - 16) / 4 : 3 * rng.normal();
        const test::Walk before = test::walk(original, features, operators);
        const double after = test::value_at(simple, features, operators);
        CAPTURE(features[0]);
        CAPTURE(features[1]);
        CAPTURE(features[2]);
        if (before.saw_infinity) continue;  // what is left of an overflow is not promised
        if (std::isnan(before.value)) {
            REQUIRE(std::isnan(after));
            continue;
        }
        // How far errors of some ULP in each node move the original; also near jumps, where the noise sees both sides.
        double tolerance = 1e-300;
        bool steady = true;
        for (int trial = 0; trial < 24; ++trial) {
            const double noisy = test::walk(original, features, operators, 1e-13, &rng).value;
            steady = steady && std::isfinite(noisy);
            tolerance = std::max(tolerance, 4 * std::fabs(noisy - before.value));
        }
        if (steady) REQUIRE(std::fabs(after - before.value) <= tolerance);
    }
}

TEST_CASE("simplify folds constants where the result is finite") {
    CHECK(simplified("2 * 3 + 1") == "7");
    CHECK(simplified("sin(0) + exp(0) * x0") == "x0");
    CHECK(simplified("log(-1)") == "log(-1)");
    CHECK(simplified("log(-1) + x0") == "log(-1) + x0");
    CHECK(simplified("greater(log(-1), 0) + x0") == "x0");  // nan > 0 is 0
    CHECK(simplified("1 / 0") == "1 / 0");
    CHECK(simplified("exp(1000)") == "exp(1000)");
    CHECK(simplified("cube(2) ^ (1 - 2)") == "0.125");
}

TEST_CASE("simplify merges the constants of a sum") {
    CHECK(simplified("(x0 + 1) - (x1 - 2)") == "x0 + 3 - x1");
    CHECK(simplified("1 + (x0 - 2.5)") == "-1.5 + x0");
    CHECK(simplified("x0 - 1 - 2") == "x0 - 3");
    CHECK(simplified("1 - (2 - x0) + x1") == "-1 + x0 + x1");
    CHECK(simplified("(1 - x0) + (2 - x1)") == "3 - x0 - x1");
    CHECK(simplified("(1 - x0) - (2 - x1)") == "1 - x0 - (2 - x1)");
    CHECK(simplified("3 - (x0 - (x1 + 4)) + x2 - 1") == "6 - (x0 - x1) + x2");
    CHECK(simplified("-(x0 + 1) + 3 - x1") == "2 - x0 - x1");
    CHECK(simplified("sin(x0 + 1 + 1) + 1 + cos(1 + x1 + 1)") == "sin(x0 + 2) + 1 + cos(2 + x1)");
}

TEST_CASE("simplify merges the constants of a product") {
    CHECK(simplified("2 * x0 * 3") == "6 * x0");
    CHECK(simplified("x0 / 2 / 4") == "x0 / 8");
    CHECK(simplified("2 / x0 * 3") == "6 / x0");
    CHECK(simplified("(2 / x0) * (x1 * 4)") == "8 / x0 * x1");
    CHECK(simplified("2 / (4 / x0) * x1") == "0.5 * x0 * x1");
    CHECK(simplified("6 / (x0 * 2)") == "3 / x0");
    CHECK(simplified("inv(2 * x0) * 4") == "inv(0.5 * x0)");
    CHECK(simplified("-(2 * x0)") == "-2 * x0");
    CHECK(simplified("-x0 * 2") == "x0 * -2");
    CHECK(simplified("-x0 * -x1") == "x0 * x1");
    CHECK(simplified("-x0 * x1 / -x2 * -x0 + -x1").find("-(-") == std::string::npos);
}

TEST_CASE("simplify does not merge constants into one that is out of range") {
    CHECK(simplified("x0 * 1e-300 * 1e-300") == "x0 * 1e-300 * 1e-300");
    CHECK(simplified("x0 * 1e300 * 1e300") == "x0 * 1e300 * 1e300");
    CHECK(simplified("x0 + 1.7e308 + 1.7e308") == "x0 + 1.7e308 + 1.7e308");
    CHECK(simplified("x0 * 1e-310 * 1e20") == "x0 * 1e-310 * 1e20");  // the evaluator takes 1e-310 for 0
    CHECK(simplified("x0 + inf + 1") == "x0 + inf + 1");
    CHECK(simplified("x0 * nan * 2") == "x0 * nan * 2");
    CHECK(simplified("x0 / 0 * 0") == "x0 / 0 * 0");
}

TEST_CASE("simplify removes neutral elements") {
    for (const char* text : {"x0 + 0", "0 + x0", "x0 - 0", "x0 * 1", "1 * x0", "x0 / 1", "x0 ^ 1", "-(-x0)",
                             "-(0 - x0)", "inv(inv(x0))", "1 / (1 / x0) * 1", "min(x0, x0)", "max(x0, x0)",
                             "ifelse(1, x0, x1)", "ifelse(-1, x1, x0)", "cond(2, x0)", "x0 + 1 - 1", "2 * x0 * 0.5"}) {
        CAPTURE(text);
        CHECK(simplified(text) == "x0");
    }
    CHECK(simplified("cond(-2, x0)") == "0");
    CHECK(simplified("max(x0 + 1, x0 + 1)") == "x0 + 1");
    CHECK(simplified("x0 ^ 0") == "1");
    CHECK(simplified("log(x0) ^ 0") == "log(x0) ^ 0");
}

TEST_CASE("simplify cancels features only, which are finite") {
    CHECK(simplified("x0 - x0") == "0");
    CHECK(simplified("0 * x0") == "0");
    CHECK(simplified("x0 * 0 + x1") == "x1");
    CHECK(simplified("log(x0) - log(x0)") == "log(x0) - log(x0)");
    CHECK(simplified("0 * log(x0)") == "0 * log(x0)");
    CHECK(simplified("x0 / x0") == "x0 / x0");
    CHECK(simplified("0 / x0") == "0 / x0");
}

TEST_CASE("simplify drops what the outer operator does not see or would do again") {
    for (const char* outer : {"abs", "square", "cos", "cosh"}) {
        CHECK(simplified((std::string(outer) + "(-x0)").c_str()) == std::string(outer) + "(x0)");
    }
    CHECK(simplified("sin(-x0)") == "sin(-x0)");
    CHECK(simplified("abs(-abs(x0))") == "abs(x0)");
    CHECK(simplified("abs(exp(x0) )") == "exp(x0)");
    CHECK(simplified("abs(sin(x0))") == "abs(sin(x0))");
    CHECK(simplified("relu(relu(x0))") == "relu(x0)");
    CHECK(simplified("relu(abs(x0 - x1))") == "abs(x0 - x1)");
    CHECK(simplified("floor(round(x0))") == "round(x0)");
    CHECK(simplified("sign(sign(x0))") == "sign(x0)");
    CHECK(simplified("abs(sign(x0))") == "abs(sign(x0))");
}

TEST_CASE("the laws behind that hold for every operator that is said to obey them") {
    Rng rng(61, 0);
    const double special[] = {0.0,
                              1.0,
                              -1.0,
                              0.5,
                              -2.5,
                              1e300,
                              -1e300,
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(),
                              std::numeric_limits<double>::quiet_NaN()};
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    for (int i = 0; i < 2000; ++i) {
        const double a = i < 10 ? special[i] : 10 * rng.normal();
        const double b = 10 * rng.normal();
        CAPTURE(a);
        for (const OpInfo& row : operator_table()) {
            CAPTURE(row.name);
            const double value = apply(row.op, a, b, b);
            if (detail::is_even(row.op)) REQUIRE(same(apply(row.op, -a), value));
            if (detail::is_commutative(row.op)) REQUIRE(same(apply(row.op, b, a), value));
            for (const OpInfo& outer : operator_table()) {
                if (detail::absorbs(row.op, outer.op)) REQUIRE(same(apply(outer.op, value), value));
            }
        }
    }
}

TEST_CASE("simplify introduces no operator") {
    CHECK(simplified("0 - x0") == "0 - x0");
    CHECK(simplified("0 - x0 + -x1") == "-x0 - x1");
    CHECK(simplified("1 / x0") == "1 / x0");
    CHECK(simplified("1 / x0 + inv(x1)") == "inv(x0) + inv(x1)");
    CHECK(simplified("x0 + -x1") == "x0 + -x1");
    CHECK(simplified("x0 + -x1 - x2") == "x0 - x1 - x2");
    CHECK(simplified("x0 - -x1") == "x0 - -x1");
    CHECK(simplified("2 - (1 - x0)") == "2 - (1 - x0)");  // would be 1 + x0
    CHECK(simplified("-(x0 - x1)") == "x1 - x0");
    CHECK(simplified("inv(x0 / x1)") == "x1 / x0");
}

TEST_CASE("simplify evaluates user operators over constants") {
    OperatorSet operators;
    operators.define("twice(x) = x + x");
    operators.define("mixed(x, y) = twice(x) * y + 1");
    CHECK(simplified("mixed(2, 3) + x0", operators) == "13 + x0");
    CHECK(simplified("mixed(2, x0) + 0 * x1", operators) == "mixed(2, x0)");
}

TEST_CASE("simplify keeps its promises over random expressions") {
    OperatorSet operators;
    operators.define("sq1(x) = x * x + 1");
    operators.define("blend(x, y, z) = x * y + (1 - x) * z");
    const std::vector<Op> arithmetic = {Op::Add, Op::Sub, Op::Mul, Op::Div};
    const std::vector<Op> groups = {Op::Add, Op::Sub, Op::Neg, Op::Mul, Op::Div, Op::Inv};
    const std::vector<Op> no_minus = {Op::Add, Op::Mul, Op::Neg, Op::Sin};
    const std::vector<Op> no_plus = {Op::Sub, Op::Div};
    for (const std::vector<Op>& allowed : {std::vector<Op>{}, arithmetic, groups, no_minus, no_plus}) {
        for (const test::Constants constants : {test::Constants::real, test::Constants::dyadic}) {
            Rng rng(20240, allowed.size() * 2 + (constants == test::Constants::dyadic));
            for (int i = 0; i < test::repeats(3000, 200); ++i) {
                CAPTURE(i);
                const test::RandomExpressionOptions options{
                    .max_nodes = 25, .leaf_is_constant = 0.5, .constants = constants, .operators = allowed};
                check_promises(test::random_expression(rng, options, operators), rng, operators,
                               constants == test::Constants::dyadic);
            }
        }
    }
}

TEST_CASE("simplify takes any constant and any size") {
    Rng rng(7, 7);
    const OperatorSet& operators = OperatorSet::builtin();
    const std::vector<Op> groups = {Op::Add, Op::Sub, Op::Neg, Op::Mul, Op::Div, Op::Inv};
    for (int i = 0; i < test::repeats(3000, 300); ++i) {
        const test::RandomExpressionOptions options{.max_nodes = kMaxNodes,
                                                    .leaf_is_constant = 0.7,
                                                    .constants = test::Constants::special,
                                                    .operators = i % 2 == 0 ? groups : std::vector<Op>{}};
        const Expression original = test::random_expression(rng, options);
        const Expression simple = simplify(original);
        CAPTURE(to_text(original));
        REQUIRE(simple.valid(operators, 3));
        REQUIRE(simple.size() <= original.size());
        REQUIRE(simplify(simple) == simple);
        REQUIRE((operators_of(simple) & ~operators_of(original)).none());
    }
}

}  // namespace
}  // namespace balmer
