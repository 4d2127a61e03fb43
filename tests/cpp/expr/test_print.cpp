#include "balmer/expr/print.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

using Names = std::vector<std::string>;

std::string again(const char* text) { return to_text(parse(text)); }
std::string latex(const char* text, const Names& names = {}) { return to_latex(parse(text, names), names); }

TEST_CASE("number_text is short, readable and exact") {
    CHECK(number_text(0) == "0");
    CHECK(number_text(-0.0) == "-0");
    CHECK(number_text(2) == "2");
    CHECK(number_text(-2.5) == "-2.5");
    CHECK(number_text(0.1) == "0.1");
    CHECK(number_text(0.1 + 0.2) == "0.30000000000000004");
    CHECK(number_text(100000) == "100000");
    CHECK(number_text(1e15) == "1000000000000000");
    CHECK(number_text(1e16) == "1e16");
    CHECK(number_text(1.5e300) == "1.5e300");
    CHECK(number_text(0.0001) == "0.0001");
    CHECK(number_text(0.00001) == "1e-5");
    CHECK(number_text(1.25e-7) == "1.25e-7");
    CHECK(number_text(5e-324) == "5e-324");
    CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(number_text(-std::numeric_limits<double>::quiet_NaN()) == "nan");
    CHECK(number_text(std::numeric_limits<double>::infinity()) == "inf");
    CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("number_text rounds to the digits wanted") {
    CHECK(number_text(1. / 3, 4) == "0.3333");
    CHECK(number_text(2. / 3, 1) == "0.7");
    CHECK(number_text(123456, 3) == "123000");
    CHECK(number_text(9.9996, 4) == "10");
    CHECK(number_text(1.5e-9, 5) == "1.5e-9");
    CHECK(number_text(12.5, 0) == "10");
}

TEST_CASE("number_text reads back to the same bits") {
    Rng rng(51, 0);
    for (int i = 0; i < 100'000; ++i) {
        const double value = std::bit_cast<double>(rng.next());
        if (!std::isfinite(value)) continue;
        const Expression e = parse(number_text(value));
        REQUIRE(e == Expression::constant(value));
    }
}

TEST_CASE("text has the parentheses that it needs and no others") {
    for (const char* text : {"x0 + x1 + x2",   "x0 + (x1 + x2)", "x0 - (x1 - x2)",
                             "x0 * (x1 + x2)", "x0 * x1 + x2",   "x0 / (x1 * x2)",
                             "x0 / x1 * x2",   "x0 ^ x1 ^ x2",   "(x0 ^ x1) ^ x2",
                             "-x0 ^ 2",        "(-x0) ^ 2",      "-(x0 + x1)",
                             "-(x0 * x1)",     "-x0 * x1",       "x0 * -x1",
                             "x0 - -x1",       "x0 - -1.5",      "-2 * x0",
                             "(-2) ^ x0",      "-2 ^ x0",        "2 ^ -x0",
                             "2 ^ -2",         "2 ^ (-2) ^ x0",  "-(2)",
                             "-(-2)",          "-(-x0)",         "-(nan)",
                             "-inf + nan",     "sin(x0 + x1)",   "-sin(x0)",
                             "max(x0, -x1)",   "(x0 + 1) ^ 2",   "ifelse(x0, x1, x2)",
                             "mod(x0, 2)",     "greater(x0, 1)", "x0 ^ -x1 ^ x2",
                             "x0 + -1"}) {
        CHECK(again(text) == text);
    }
    CHECK(again("((x0)) + ((x1 * (x2)))") == "x0 + x1 * x2");
    CHECK(again("(x0 + x1) + x2") == "x0 + x1 + x2");
    CHECK(again("x0 ^ (x1 ^ x2)") == "x0 ^ x1 ^ x2");
    CHECK(again("add(x0, pow(x1, 2))") == "x0 + x1 ^ 2");
    CHECK(again("x0 % 2 > 1") == "greater(mod(x0, 2), 1)");
}

TEST_CASE("names that cannot stand as they are go between backquotes") {
    const Names names = {"x", "beta_2", "a b", "2nd", "", "in`f", "inf", "nan", "sin", "pi", "θ₁", "x-1"};
    for (std::size_t k = 0; k < names.size(); ++k) {
        Expression feature = Expression::feature(static_cast<std::uint32_t>(k));
        const Expression whole = Expression::apply(Op::Add, feature, Expression::apply(Op::Sin, feature));
        const std::string text = to_text(whole, names);
        CAPTURE(text);
        CHECK(parse(text, names) == whole);
    }
    const auto print = [&](std::uint32_t k) { return to_text(Expression::feature(k), names); };
    CHECK(print(1) == "beta_2");
    CHECK(print(2) == "`a b`");
    CHECK(print(5) == "`in``f`");
    CHECK(print(6) == "`inf`");
    CHECK(print(8) == "sin");
    CHECK(print(10) == "θ₁");
    CHECK(print(100) == "x100");
}

TEST_CASE("user operators are printed by name; what they hide by an alias") {
    OperatorSet operators;
    const Op mine = operators.define("`my op`(x) = x + 1");
    operators.define("mod(x, y) = x");
    operators.define("atan(x) = x");
    const Expression e = Expression::apply(
        mine, Expression::apply(Op::Mod, Expression::apply(Op::Atan, Expression::feature(0)), Expression::constant(2)));
    CHECK(to_text(e, {}, operators) == "`my op`(`%`(arctan(x0), 2))");
    CHECK(parse(to_text(e, {}, operators), {}, operators) == e);
}

TEST_CASE("parse reads what to_text wrote, for random expressions with any constants") {
    OperatorSet operators;
    operators.define("sq1(x) = x * x + 1");
    operators.define("`a ``strange`` name`(x, y, z) = x * y + z");
    const Names names = {"velocity", "x y", "inf"};
    Rng rng(52, 0);
    for (int i = 0; i < 20'000; ++i) {
        const test::RandomExpressionOptions options{
            .max_nodes = i % 100 == 0 ? kMaxNodes : 30, .leaf_is_constant = 0.5, .constants = test::Constants::special};
        const Expression e = test::random_expression(rng, options, operators);
        const std::string text = i % 2 ? to_text(e, names, operators) : to_text(e, {}, operators);
        CAPTURE(text);
        REQUIRE(parse(text, i % 2 ? std::span<const std::string>(names) : std::span<const std::string>{}, operators) ==
                e);
    }
}

TEST_CASE("the infix operators alone, where parentheses matter most") {
    Rng rng(53, 0);
    const std::vector<Op> infix = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Pow, Op::Neg};
    for (int i = 0; i < 50'000; ++i) {
        const Expression e =
            test::random_expression(rng, {.max_nodes = 12, .constants = test::Constants::special, .operators = infix});
        const std::string text = to_text(e);
        CAPTURE(text);
        REQUIRE(parse(text) == e);
    }
}

TEST_CASE("precision shortens the constants") {
    CHECK(to_text(parse("x0 * 0.123456789"), {}, OperatorSet::builtin(), {.precision = 3}) == "x0 * 0.123");
    CHECK(to_latex(parse("x0 * 0.123456789"), {}, OperatorSet::builtin(), {.precision = 3}) == "x_{0} \\cdot 0.123");
}

TEST_CASE("LaTeX encloses operands where precedence asks for it") {
    CHECK(latex("x0 + x1 * x2") == R"(x_{0} + x_{1} \cdot x_{2})");
    CHECK(latex("(x0 + x1) * x2") == R"(\left(x_{0} + x_{1}\right) \cdot x_{2})");
    CHECK(latex("x0 - (x1 - x2)") == R"(x_{0} - \left(x_{1} - x_{2}\right))");
    CHECK(latex("(x0 + x1) / (x2 * 2)") == R"(\frac{x_{0} + x_{1}}{x_{2} \cdot 2})");
    CHECK(latex("(x0 / x1) ^ 2") == R"({\left(\frac{x_{0}}{x_{1}}\right)}^{2})");
    CHECK(latex("(x0 / x1) * 2") == R"(\frac{x_{0}}{x_{1}} \cdot 2)");
    CHECK(latex("x0 ^ (x1 + 1)") == R"({x_{0}}^{x_{1} + 1})");
    CHECK(latex("(x0 ^ x1) ^ 2") == R"({\left({x_{0}}^{x_{1}}\right)}^{2})");
    CHECK(latex("(-2) ^ x0") == R"({\left(-2\right)}^{x_{0}})");
    CHECK(latex("x0 - -2") == R"(x_{0} - \left(-2\right))");
    CHECK(latex("x0 + -2 * x1") == R"(x_{0} + \left(-2 \cdot x_{1}\right))");
    CHECK(latex("-2 * x1 + x0") == R"(-2 \cdot x_{1} + x_{0})");
    CHECK(latex("-(x0 + 1)") == R"(-\left(x_{0} + 1\right))");
    CHECK(latex("-(x0 * x1)") == R"(-x_{0} \cdot x_{1})");
    CHECK(latex("-(-x0)") == R"(-\left(-x_{0}\right))");
    CHECK(latex("expm1(x0) * 2") == R"(\left(e^{x_{0}} - 1\right) \cdot 2)");
    CHECK(latex("mod(x0, x1) + 2") == R"(\left(x_{0} \bmod x_{1}\right) + 2)");
    CHECK(latex("log1p(-x0)") == R"(\log\left(1 + \left(-x_{0}\right)\right))");
    CHECK(latex("square(x0 + 1)") == R"({\left(x_{0} + 1\right)}^{2})");
    CHECK(latex("sqrt(x0 + 1) ^ 2") == R"({\sqrt{x_{0} + 1}}^{2})");
    CHECK(latex("abs(x0 + 1) * 2") == R"(\left|x_{0} + 1\right| \cdot 2)");
    CHECK(latex("(x0 > 1) * 2") == R"(\left[x_{0} > 1\right] \cdot 2)");
}

TEST_CASE("LaTeX numbers and names") {
    CHECK(latex("1.2e-5 * x0") == R"(1.2 \cdot 10^{-5} \cdot x_{0})");
    CHECK(latex("1.2e-5 ^ x0") == R"({\left(1.2 \cdot 10^{-5}\right)}^{x_{0}})");
    CHECK(latex("1e20") == R"(10^{20})");
    CHECK(latex("-1e20") == R"(-10^{20})");
    CHECK(latex("inf - nan") == R"(\infty - \mathrm{NaN})");
    const Names names = {"x", "x12", "mass", "v_max", "theta_2", "a b", "100%", "x_1"};
    const auto name = [&](std::uint32_t k) { return to_latex(Expression::feature(k), names); };
    CHECK(name(0) == "x");
    CHECK(name(1) == "x_{12}");
    CHECK(name(2) == R"(\mathrm{mass})");
    CHECK(name(3) == R"(\mathrm{v\_max})");
    CHECK(name(4) == R"(\mathrm{theta}_{2})");
    CHECK(name(5) == R"(\mathrm{a\ b})");
    CHECK(name(6) == R"(\mathrm{100\%})");
    CHECK(name(7) == "x_{1}");
    OperatorSet operators;
    operators.define("my_op(x, y) = x + y");
    CHECK(to_latex(parse("my_op(x0 + 1, 2)", {}, operators), {}, operators) ==
          R"(\operatorname{my\_op}\left(x_{0} + 1, 2\right))");
}

TEST_CASE("LaTeX has its brackets in pairs, for random expressions") {
    Rng rng(54, 0);
    for (int i = 0; i < 5000; ++i) {
        const std::string text = to_latex(test::random_expression(rng, {.constants = test::Constants::special}));
        CAPTURE(text);
        int braces = 0, brackets = 0;
        for (std::size_t k = 0; k < text.size(); ++k) {
            braces += text[k] == '{' ? 1 : text[k] == '}' ? -1 : 0;
            brackets += text.compare(k, 5, "\\left") == 0 ? 1 : text.compare(k, 6, "\\right") == 0 ? -1 : 0;
            REQUIRE(braces >= 0);
            REQUIRE(brackets >= 0);
        }
        CHECK(braces == 0);
        CHECK(brackets == 0);
        CHECK(text.find('$') == std::string::npos);
    }
}

TEST_CASE("sympy text is the table's column with enclosed operands") {
    const Names symbols = {"x", "y"};
    const auto sympy = [&](const char* text) { return to_sympy(parse(text, symbols), symbols); };
    CHECK(sympy("x + 2 * y") == "(x) + ((2.0) * (y))");
    CHECK(sympy("x ^ 2") == "(x) ** (2)");
    CHECK(sympy("x ^ 0.5") == "(x) ** (0.5)");
    CHECK(sympy("x ^ 100") == "(x) ** (100.0)");
    CHECK(sympy("abs(x)") == "Abs((x))");
    CHECK(sympy("log10(x)") == "log((x), 10)");
    CHECK(sympy("cbrt(-x)") == "sign((-(x))) * cbrt(Abs((-(x))))");
    CHECK(sympy("ifelse(x, y, 0.1)") == "Piecewise(((y), (x) > 0), ((0.1), True))");
    CHECK(sympy("round(x)") == "round_half_even((x))");
    CHECK(sympy("1e-7 * x - inf * nan") == "((1e-7) * (x)) - ((oo) * (nan))");
    CHECK_THROWS_AS((void)to_sympy(parse("x2"), symbols), std::invalid_argument);
}

TEST_CASE("sympy text writes user operators out") {
    OperatorSet operators;
    operators.define("special(x, y) = cos(x) * (x + y)");
    operators.define("twice(z) = special(z, 2 * z)");
    const Names symbols = {"a", "b"};
    CHECK(to_sympy(parse("special(b, 3)", symbols, operators), symbols, operators) ==
          "(cos(((b)))) * (((b)) + ((3.0)))");
    const std::string nested = to_sympy(parse("twice(a + b)", symbols, operators), symbols, operators);
    CHECK(nested.find("twice") == std::string::npos);
    CHECK(nested.find("special") == std::string::npos);
    CHECK(nested.find("cos(") != std::string::npos);
}

TEST_CASE("sympy text that would double with each level is refused") {
    Expression e = Expression::feature(0);
    for (int k = 0; k < 60; ++k) e.push(Op::Cbrt, 1), e.push(Op::Relu, 1);
    const Names symbols = {"x"};
    CHECK_THROWS_AS((void)to_sympy(e, symbols), std::invalid_argument);
}

}  // namespace
}  // namespace balmer
