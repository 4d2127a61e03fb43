#include "balmer/expr/parse.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/expr/print.hpp"

namespace balmer {
namespace {

using Names = std::vector<std::string>;

/// The tree with every operator as a call, so that precedence is seen: "add(x0, mul(2, x1))".
std::string tree(const Expression& e, std::size_t i, const OperatorSet& operators = OperatorSet::builtin()) {
    const Node& node = e.nodes[i];
    if (node.op == Op::Constant) return number_text(e.constants[node.index]);
    if (node.op == Op::Feature) return "x" + std::to_string(node.index);
    std::string text = std::string(operators.name(node.op)) + "(";
    for (std::size_t k = 0; k < node.arity; ++k) text += (k ? ", " : "") + tree(e, e.operand(i, k), operators);
    return text + ")";
}

std::string tree(std::string_view text, const Names& names = {}) {
    const Expression e = parse(text, names);
    REQUIRE(e.valid(OperatorSet::builtin(), e.n_features()));
    return tree(e, e.root());
}

std::string message(std::string_view text, const Names& names = {},
                    const OperatorSet& operators = OperatorSet::builtin()) {
    try {
        (void)parse(text, names, operators);
    } catch (const ParseError& error) {
        return error.what();
    }
    return "no error";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST_CASE("numbers") {
    const auto value = [](std::string_view text) {
        const Expression e = parse(text);
        REQUIRE(e.size() == 1);
        return e.constants.at(0);
    };
    CHECK(value("1") == 1);
    CHECK(value("2.") == 2);
    CHECK(value(".5") == 0.5);
    CHECK(value("1e5") == 1e5);
    CHECK(value("1E+5") == 1e5);
    CHECK(value("1.5e-3") == 1.5e-3);
    CHECK(value("1.5f0") == 1.5);
    CHECK(value("1f-3") == 1e-3);
    CHECK(value("0.1") == 0.1);
    CHECK(value("0.30000000000000004") == 0.1 + 0.2);
    CHECK(value("5e-324") == std::numeric_limits<double>::denorm_min());
    CHECK(value("1.7976931348623157e308") == std::numeric_limits<double>::max());
    CHECK(value("0000000001") == 1);
    CHECK(value("1e-400") == 0);
    CHECK(value("0e999") == 0);
    CHECK(value("0.000000001e310") == 1e301);
    CHECK(value("1" + std::string(400, '0') + "e-400") == 1);
    CHECK(value("0." + std::string(400, '0') + "1e401") == 1);
    CHECK(value("-3") == -3);
    CHECK(value("- 3") == -3);
    CHECK(value("+3") == 3);
    CHECK(std::signbit(value("-0")));
    CHECK(value("pi") == std::numbers::pi);
    CHECK(value("-pi") == -std::numbers::pi);
    CHECK(value("π") == std::numbers::pi);
    CHECK(value("inf") == std::numeric_limits<double>::infinity());
    CHECK(value("-Inf") == -std::numeric_limits<double>::infinity());
    CHECK(std::isnan(value("nan")));
    CHECK(std::isnan(value("NaN")));
}

TEST_CASE("numbers beyond the range of doubles are errors") {
    for (const std::string& text : {std::string("1e309"), "1e" + std::string(20, '9'), "1" + std::string(400, '0')}) {
        CHECK(first_line(message(text)).find("is too large for a double, at position 0") != std::string::npos);
    }
    CHECK(parse("1e-999999999999999999999").constants.at(0) == 0);
}

TEST_CASE("precedence from loosest to tightest") {
    CHECK(tree("x0 + x1 * x2 ^ x3") == "add(x0, mul(x1, pow(x2, x3)))");
    CHECK(tree("x0 ^ x1 * x2 + x3") == "add(mul(pow(x0, x1), x2), x3)");
    CHECK(tree("x0 < x1 + 1") == "less(x0, add(x1, 1))");
    CHECK(tree("x0 < 1 && x1 > 2") == "logical_and(less(x0, 1), greater(x1, 2))");
    CHECK(tree("x0 || x1 && x2") == "logical_or(x0, logical_and(x1, x2))");
    CHECK(tree("x0 && x1 || x2") == "logical_or(logical_and(x0, x1), x2)");
    CHECK(tree("x0 || x1 ? x2 : x3") == "ifelse(logical_or(x0, x1), x2, x3)");
    CHECK(tree("x0 >= 1") == "greater_equal(x0, 1)");
    CHECK(tree("x0 <= 1") == "less_equal(x0, 1)");
    CHECK(tree("x0 == 1") == "equal(x0, 1)");
    CHECK(tree("x0 % 2 * 3") == "mul(mod(x0, 2), 3)");
}

TEST_CASE("associativity") {
    CHECK(tree("x0 - x1 - x2") == "sub(sub(x0, x1), x2)");
    CHECK(tree("x0 / x1 / x2") == "div(div(x0, x1), x2)");
    CHECK(tree("x0 - x1 + x2") == "add(sub(x0, x1), x2)");
    CHECK(tree("x0 ^ x1 ^ x2") == "pow(x0, pow(x1, x2))");
    CHECK(tree("x0 ** x1 ^ x2") == "pow(x0, pow(x1, x2))");
    CHECK(tree("x0 ? x1 : x2 ? x3 : x4") == "ifelse(x0, x1, ifelse(x2, x3, x4))");
    CHECK(tree("x0 ? x1 ? x2 : x3 : x4") == "ifelse(x0, ifelse(x1, x2, x3), x4)");
}

TEST_CASE("a minus is part of a number, but for the base of a power") {
    CHECK(tree("-2") == "-2");
    CHECK(tree("-2 * x0") == "mul(-2, x0)");
    CHECK(tree("x0 - 2") == "sub(x0, 2)");
    CHECK(tree("x0 - -2") == "sub(x0, -2)");
    CHECK(tree("-2^2") == "neg(pow(2, 2))");
    CHECK(tree("-2 ** 2") == "neg(pow(2, 2))");
    CHECK(tree("(-2)^2") == "pow(-2, 2)");
    CHECK(tree("2^-2") == "pow(2, -2)");
    CHECK(tree("2^-2^x0") == "pow(2, neg(pow(2, x0)))");
    CHECK(tree("-x0^2") == "neg(pow(x0, 2))");
    CHECK(tree("2^-x0") == "pow(2, neg(x0))");
    CHECK(tree("2^-x0*x1") == "mul(pow(2, neg(x0)), x1)");
    CHECK(tree("2^-x0^x1") == "pow(2, neg(pow(x0, x1)))");
    CHECK(tree("-x0*x1") == "mul(neg(x0), x1)");
    CHECK(tree("--x0") == "neg(neg(x0))");
    CHECK(tree("--2") == "neg(-2)");
    CHECK(tree("-(2)") == "neg(2)");
    CHECK(tree("-inf ^ 2") == "neg(pow(inf, 2))");
    CHECK(tree("+x0 - +x1") == "sub(x0, x1)");
}

TEST_CASE("calls take names, aliases and blanks") {
    CHECK(tree("add(x0, x1)") == "add(x0, x1)");
    CHECK(tree("greater( x0 ,\n 2 )") == "greater(x0, 2)");
    CHECK(tree("pow(x0, 2)") == tree("x0^2"));
    CHECK(tree("ln (x0)") == "log(x0)");
    CHECK(tree("plus(x0, mult(x1, x2))") == "add(x0, mul(x1, x2))");
    CHECK(tree("ifelse(x0 > 1, x1, x2)") == "ifelse(greater(x0, 1), x1, x2)");
    CHECK(tree("`sin`(x0)") == "sin(x0)");
    for (const OpInfo& row : operator_table()) {
        const char* const operands[] = {"x0", "x1", "x2"};
        std::string text = std::string(row.name) + "(x0";
        for (std::size_t k = 1; k < row.arity; ++k) text += std::string(", ") + operands[k];
        text += ")";
        CHECK(tree(text) == text);
    }
}

TEST_CASE("associative operators take any number of operands, from the left") {
    CHECK(tree("max(x0, x1, x2)") == "max(max(x0, x1), x2)");
    CHECK(tree("add(x0, x1, x2 * 2, x3)") == "add(add(add(x0, x1), mul(x2, 2)), x3)");
    CHECK(tree("min(max(1, 2, 3), hypot(x0, x1, x2), x4)") ==
          "min(min(max(max(1, 2), 3), hypot(hypot(x0, x1), x2)), x4)");
    CHECK(message("sub(x0, x1, x2)") != "no error");
    CHECK(message("equal(x0, x1, x2)") != "no error");
}

TEST_CASE("variables have the names given, or are x0, x1, ...") {
    CHECK(tree("b + a", {"a", "b"}) == "add(x1, x0)");
    CHECK(tree("x₀ + x₁₂") == "add(x0, x12)");
    CHECK(tree("θ₁ + θ2", {"θ1", "θ2"}) == "add(x0, x1)");
    CHECK(tree("x₁", {"x1", "x₁"}) == "x1");  // an exact match wins
    CHECK(tree("`a b` * `1st` + `sin`", {"a b", "1st", "sin"}) == "add(mul(x0, x1), x2)");
    CHECK(tree("`a``b` + ``", {"a`b", ""}) == "add(x0, x1)");
    CHECK(tree("sin + sin(sin)", {"sin"}) == "add(x0, sin(x0))");
    CHECK(tree("pi * e", {"pi", "e"}) == "mul(x0, x1)");
    CHECK(tree("inf + `inf`", {"inf"}) == "add(inf, x0)");
    CHECK(tree("x4294967", {}) == "x4294967");
    CHECK(message("x0", {"a"}) != "no error");
    CHECK(message("x01") != "no error");
    CHECK(message("x99999999999") != "no error");
    CHECK(message("e") != "no error");
}

TEST_CASE("user operators are called like built-in ones") {
    OperatorSet operators;
    operators.define("special(x, y) = cos(x) * (x + y)");
    operators.define("`my op`(a) = a + 1");
    const Expression e = parse("special(`my op`(x0), 2)", {}, operators);
    CHECK(tree(e, e.root(), operators) == "special(my op(x0), 2)");
    CHECK(e.valid(operators, 1));
}

TEST_CASE("a message names the place, the problem and a way out") {
    CHECK(message("x0 + sine(x1)") ==
          "unknown name 'sine' at position 5: did you mean 'sin'?\n"
          "  x0 + sine(x1)\n"
          "       ^");
    CHECK(first_line(message("lenght + 1", {"length", "width"})) ==
          "unknown name 'lenght' at position 0: did you mean 'length'?");
    CHECK(first_line(message("q", {"length", "width"})) ==
          "unknown name 'q' at position 0: variables are length, width");
    CHECK(first_line(message("y + 1")) == "unknown name 'y' at position 0: variables are x0, x1, ...");
    CHECK(first_line(message("sin(x0, x1)")) == "'sin' takes 1 operand, not 2, at position 0");
    CHECK(first_line(message("2 * max(x0)")) == "'max' takes 2 operands, not 1, at position 4");
    CHECK(first_line(message("sin + 1")) == "'sin' is an operator, but no '(' follows it, at position 0");
    CHECK(first_line(message("x0(2)")).starts_with("'x0' is a variable, not an operator, at position 0"));
    CHECK(first_line(message("x0 +")) == "the formula ends where an operand is expected at position 4");
    CHECK(first_line(message("")) == "the formula ends where an operand is expected at position 0");
    CHECK(first_line(message("2 * (x0 + 1")) == "'(' is not closed at position 4");
    CHECK(first_line(message("x0 + 1)")) == "')' without '(' at position 6");
    CHECK(first_line(message("(x0 ? 1)")) == "'?' without ':' at position 4");
    CHECK(first_line(message("x0 : 1")) == "':' without '?' at position 3");
    CHECK(first_line(message("x0, x1")).starts_with("',' outside the operands of an operator at position 2"));
    CHECK(first_line(message("2x0")).ends_with("a product needs its '*'"));
    CHECK(first_line(message("x0 = 1")).ends_with("equality is '=='"));
    CHECK(first_line(message("x0 != 1")).ends_with("there is no '!=': write 1 - (a == b)"));
    CHECK(first_line(message("x0 < x1 < x2")) == "comparisons do not chain at position 8: write a < b && b < c");
    CHECK(first_line(message("`x0")) == "the backquote is not closed at position 0");
}

TEST_CASE("the caret stands below the place, whatever the text") {
    // Columns, not bytes; control characters are one blank each.
    CHECK(message("x₀ +\t$") == "expected a number, a variable or '(', not '$', at position 7\n  x₀ + $\n       ^");
    // Only the surroundings of the place in a long text.
    std::string sum = "x0";
    for (int k = 0; k < 40; ++k) sum += " + x0";
    const std::string text = message(sum + " $ 1" + " + 1000000000000000000000000000000000000000000000000000");
    const std::size_t first = text.find('\n');
    const std::size_t second = text.find('\n', first + 1);
    const std::string line = text.substr(first + 1, second - first - 1);
    CHECK(line.size() < 100);
    CHECK(line.starts_with("  ..."));
    CHECK(line.ends_with("..."));
    CHECK(line[text.substr(second + 1).find('^')] == '$');
}

TEST_CASE("position() is the offset of the place") {
    try {
        (void)parse("x0 + sine(x1)");
        FAIL("no error");
    } catch (const ParseError& error) {
        CHECK(error.position() == 5);
    }
}

TEST_CASE("a formula has at most kMaxNodes nodes") {
    std::string sum = "x0";
    for (std::size_t k = 1; k <= kMaxNodes / 2; ++k) sum += " + x0";
    CHECK(parse(sum).size() == kMaxNodes);
    CHECK(first_line(message(sum + " + x0")).starts_with("the formula has more than 255 nodes at position"));
    CHECK(first_line(message("sin(" + sum + ")")).starts_with("the formula has more than 255 nodes at position 0"));
}

TEST_CASE("deep nesting is no danger") {
    constexpr std::size_t kDeep = 100'000;
    CHECK(message(std::string(kDeep, '(')).starts_with("the formula ends where an operand is expected"));
    CHECK(message(std::string(kDeep, '-')).starts_with("the formula ends where an operand is expected"));
    CHECK(message(std::string(kDeep, '-') + "x0").starts_with("the formula has more than"));
    CHECK(tree(std::string(kDeep, '(') + "x0" + std::string(kDeep, ')')) == "x0");
    CHECK(tree(std::string(kDeep, '+') + "x0") == "x0");
    std::string calls, powers, conditions;
    for (std::size_t k = 0; k < kDeep; ++k) calls += "sin(", powers += "x0^", conditions += "x0?";
    for (const std::string& text : {calls, powers, conditions, calls + "x0", powers + "x0", conditions + "x0"}) {
        CHECK(message(text) != "no error");
    }
}

TEST_CASE("definitions") {
    const auto show = [](std::string_view text) {
        const Definition d = parse_definition(text);
        std::string result = d.name + "(";
        for (const std::string& parameter : d.parameters) result += parameter + ";";
        return result + ") " + to_text(d.body, d.parameters);
    };
    CHECK(show("inv(x) = 1/x") == "inv(x;) 1 / x");
    CHECK(show("special(x, y) = cos(x) * (x + y)") == "special(x;y;) cos(x) * (x + y)");
    CHECK(show("loss(prediction, target) = (prediction - target)^2") ==
          "loss(prediction;target;) (prediction - target) ^ 2");
    CHECK(show("f(x) = x > 0f0 ? x : 0.1f0*x") == "f(x;) ifelse(greater(x, 0), x, 0.1 * x)");
    CHECK(show("stop_if(loss, complexity) = loss < 1e-6 && complexity < 10") ==
          "stop_if(loss;complexity;) logical_and(less(loss, 1e-6), less(complexity, 10))");
    CHECK(show("(x, y) -> abs(x - y)") == "(x;y;) abs(x - y)");
    CHECK(show("x -> x^2") == "(x;) x ^ 2");
    CHECK(show(" f ( a , b )\n=\n a - b ") == "f(a;b;) a - b");
    CHECK(show("f(a, b, c, d) = a + b + c + d") == "f(a;b;c;d;) a + b + c + d");
    CHECK(show("f(sin, pi) = sin(sin) + pi") == "f(sin;pi;) sin(sin) + pi");
    CHECK(show("f(x₁, `a b`) = x₁ + `a b`") == "f(x₁;a b;) x₁ + `a b`");
}

TEST_CASE("what is wrong with a definition") {
    const auto error = [](std::string_view text) -> std::string {
        try {
            (void)parse_definition(text);
        } catch (const ParseError& e) {
            return first_line(e.what());
        }
        return "no error";
    };
    CHECK(error("").starts_with("expected a definition at position 0"));
    CHECK(error("f = 1").starts_with("expected '(' or '->' at position 2"));
    CHECK(error("f(x) == 1").starts_with("expected '=' at position 5"));
    CHECK(error("f(x").starts_with("expected ',' or ')' at position 3"));
    CHECK(error("f(x::T) = x").ends_with("parameters have no types here"));
    CHECK(error("f() = 1").starts_with("expected the name of a parameter at position 2"));
    CHECK(error("f(x, x) = 1").starts_with("the parameter 'x' stands twice"));
    CHECK(error("f(nan) = 1").starts_with("'nan' is a number"));
    CHECK(error("f(x) = y") == "unknown name 'y' at position 7: the variable is x");
    CHECK(error("f(x) = f(x)") == "unknown name 'f' at position 7");
    CHECK(error("(x) = x").starts_with("expected '->' at position 4"));
    CHECK(error("``(x) = x").starts_with("expected a name between the backquotes"));
}

}  // namespace
}  // namespace balmer
