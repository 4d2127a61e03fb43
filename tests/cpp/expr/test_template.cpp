#include "balmer/expr/template.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/core/error.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "expr/scalar_walk.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

using Strings = std::vector<std::string>;

const Strings kX = {"x1", "x2"};

/// The formula that a template makes of parts given as text over x0, x1, ..., as text.
std::string composed(const Template& structure, const std::vector<std::string>& parts) {
    std::vector<Expression> roles;
    for (const std::string& part : parts) roles.push_back(parse(part));
    const auto whole = structure.compose(roles);
    REQUIRE(whole);
    std::vector<std::size_t> sources;
    const Expression formula = Template::written_out(*whole, sources);
    CHECK(formula.valid(OperatorSet::builtin(), structure.variables().size()));
    return to_text(formula, structure.variables());
}

double value(const Expression& e, const std::vector<double>& x) { return test::value_at(e, x, OperatorSet::builtin()); }

/// What is wrong with a template.
std::string message(const char* combine, const Strings& parts = {"f"}, const Strings& variables = kX,
                    const std::vector<Template::Parameters>& parameters = {}) {
    try {
        const Template structure(combine, parts, variables, parameters);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("parts take the places of their calls") {
    const Template structure("sin(f(x1, x2)) + g(x2)^2", {"f", "g"}, kX);
    CHECK(structure.arities() == std::vector<std::size_t>{2, 1});
    CHECK(composed(structure, {"x0 * x1", "x0 + 1.5"}) == "sin(x1 * x2) + (x2 + 1.5) ^ 2");
    CHECK(composed(structure, {"x1 - x0", "exp(x0)"}) == "sin(x2 - x1) + exp(x2) ^ 2");
}

TEST_CASE("arguments may be any formulas, other calls among them") {
    const Template structure("f(g(x1) + 1, 2 * x2)", {"f", "g"}, kX);
    CHECK(composed(structure, {"x0 / x1 + x0", "cos(x0)"}) == "(cos(x1) + 1) / (2 * x2) + (cos(x1) + 1)");
}

TEST_CASE("a part that is called twice has its constants twice, and they are the same ones") {
    const Template structure("f(x1) - f(x2)", {"f"}, kX);
    std::vector<Expression> roles = {parse("exp(0.5 * x0) + 3")};
    auto whole = structure.compose(roles);
    REQUIRE(whole);
    CHECK(whole->n_free == 2);
    std::vector<std::size_t> sources;
    const Expression formula = Template::written_out(*whole, sources);
    CHECK(to_text(formula, kX) == "exp(0.5 * x1) + 3 - (exp(0.5 * x2) + 3)");
    CHECK(sources == std::vector<std::size_t>{0, 1, 0, 1});
    whole->expression.constants = {7, 8};
    Template::take_back(*whole, roles);
    CHECK(roles[0] == parse("exp(7 * x0) + 8"));
}

TEST_CASE("parameters by number and by category") {
    const Template structure("p[class] * f(x) + q[1] - q[2]", {"f"}, {"x", "class"}, {{"p", 3}, {"q", 2}});
    REQUIRE(structure.categories().size() == 1);
    CHECK(structure.categories()[0].feature == 1);
    CHECK(structure.categories()[0].size == 3);
    const std::vector<double> values = {1.5, 2.5, 3.5, 10, 20};
    const std::vector<Expression> roles = {parse("x0 * x0"), Template::parameters_role(values)};
    const auto whole = structure.compose(roles);
    REQUIRE(whole);
    CHECK(whole->n_free == 5);
    std::vector<std::size_t> sources;
    const Expression formula = Template::written_out(*whole, sources);
    for (int category = 1; category <= 3; ++category) {
        const double expected = values[static_cast<std::size_t>(category) - 1] * 4 - 10;
        CHECK(value(formula, {2, static_cast<double>(category)}) == expected);
    }
}

TEST_CASE("D is the derivative of a part") {
    const Template structure("D(f, 1)(x1, x2) + D(D(f, 1), 2)(x1, x2)", {"f"}, kX);
    const Expression f = parse("3 * x0 ^ 2 * x1 + sin(x1)");
    const auto whole = structure.compose({&f, 1});
    REQUIRE(whole);
    CHECK(whole->n_free == 2);  // 3 and the exponent, not what the rule of differentiation brings in
    std::vector<std::size_t> sources;
    const Expression formula = Template::written_out(*whole, sources);
    for (const double x : {0.5, 2.0}) {
        const double expected = 6 * x * 1.25 + 6 * x;
        CHECK(value(formula, {x, 1.25}) == doctest::Approx(expected).epsilon(1e-14));
    }
}

TEST_CASE("D agrees with differences for random parts") {
    Rng rng(3, 0);
    const Template slope("D(f, 1)(x1, x2)", {"f"}, kX), itself("f(x1, x2)", {"f"}, kX);
    test::RandomExpressionOptions options;
    options.max_nodes = 12;
    options.n_features = 2;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Sin, Op::Exp, Op::Square};
    int compared = 0;
    for (int trial = 0; trial < 300; ++trial) {
        const Expression f = test::random_expression(rng, options, OperatorSet::builtin());
        const auto derivative = slope.compose({&f, 1}), plain = itself.compose({&f, 1});
        if (!derivative) continue;
        REQUIRE(plain);
        std::vector<std::size_t> sources;
        const Expression d = Template::written_out(*derivative, sources), e = Template::written_out(*plain, sources);
        CHECK(e == f);
        const double x = rng.uniform(), y = rng.uniform();
        const auto slope_over = [&](double h) { return (value(e, {x + h, y}) - value(e, {x - h, y})) / (2 * h); };
        const double difference = slope_over(1e-5);
        // Where the formula turns within a step, differences say nothing.
        if (!(std::abs(slope_over(1e-3) - difference) < 1e-3 * (1 + std::abs(difference)))) continue;
        CAPTURE(to_text(f));
        CHECK(value(d, {x, y}) == doctest::Approx(difference).epsilon(1e-5).scale(1 + std::abs(value(e, {x, y}))));
        ++compared;
    }
    CHECK(compared > 150);
}

TEST_CASE("statements before the formula") {
    CHECK(composed(Template("a = f(x1); b = a + x2\n a * b", {"f"}, kX), {"cos(x0)"}) == "cos(x1) * (cos(x1) + x2)");
    CHECK(composed(Template("df = D(f, 1)\ndf(x2) +\n x1;", {"f"}, kX), {"x0 * 3"}) == "3 + x1");
    CHECK(composed(Template("(f(x1)\n + x2)", {"f"}, kX), {"x0"}) == "x1 + x2");
}

TEST_CASE("a formula that grows too large is none") {
    const Template structure("f(x1) * f(x2)", {"f"}, kX);
    Expression f = parse("x0");
    for (int k = 0; k < 70; ++k) f.push_feature(0).push(Op::Add, 2);
    CHECK_FALSE(structure.compose({&f, 1}));
}

TEST_CASE("a derivative that is no formula makes none") {
    const Template structure("D(f, 1)(x1)", {"f"}, kX);
    const Expression f = parse("gamma(x0)");
    CHECK_FALSE(structure.compose({&f, 1}));
}

TEST_CASE("operators of the user may stand in the template and in its parts") {
    OperatorSet operators;
    operators.define("twice(a) = a + a");
    const Template structure("twice(f(x1))", {"f"}, kX, {}, operators);
    const Expression f = parse("twice(x0) * 3", {}, operators);
    const auto whole = structure.compose({&f, 1});
    REQUIRE(whole);
    std::vector<std::size_t> sources;
    const Expression formula = Template::written_out(*whole, sources);
    CHECK(to_text(formula, kX, operators) == "twice(twice(x1) * 3)");
    CHECK(formula.valid(operators, 2));
}

TEST_CASE("what is wrong with a template is told with the place") {
    CHECK(contains(message("h(x1) + f(x1)"), "unknown name 'h' at position 0"));
    CHECK(contains(message("f(x1, x2) + f(x1)"), "takes 1 arguments here, but 2 before at position 12"));
    CHECK(contains(message("f(x1) + z"), "unknown name 'z' at position 8"));
    CHECK(contains(message("f(x1) +"), "ends where an operand is expected"));
    CHECK(contains(message("f()"), "has no argument at position 1"));
    CHECK(contains(message("f(x1"), "'(' is not closed"));
    CHECK(contains(message("f + x1"), "'f' is not called at position 0"));
    CHECK(contains(message("x1", {"f"}), "the part 'f' is not called"));
    CHECK(contains(message(" ; ", {"f"}), "has no formula"));
    CHECK(contains(message("f(x1); x2"), "a statement before the last one must be name = formula"));
    CHECK(contains(message("x1 = f(x2); x1"), "the name 'x1' is taken"));
    CHECK(contains(message("f(x1)", {}), "has no parts"));
    CHECK(contains(message("f(x1)", {"f", "f"}), "'f' comes twice"));
    CHECK(contains(message("sin(x1)", {"sin"}), "has the name of an operator"));
    CHECK(contains(message("f(x1)", {"f g"}), "give letters, digits and underscores"));
    CHECK(contains(message("f(x1)", {"f"}, {"x1", "x1"}), "comes twice"));
}

TEST_CASE("what is wrong with parameters and derivatives is told with the place") {
    CHECK(contains(message("f(x1) + p", {"f"}, kX, {{"p", 2}}), "'p' stands for several numbers at position 8"));
    CHECK(contains(message("f(x1) + p[3]", {"f"}, kX, {{"p", 2}}), "'3' is no parameter of 'p' at position 10"));
    CHECK(contains(message("f(x1) + p[1]", {"f"}, kX, {{"p", 2}}), "'p[2]' is not used"));
    CHECK(contains(message("f(x1) + p[x2]", {"f"}, kX, {{"p", 60}}), "at most 51 are possible"));
    CHECK(contains(message("f(x1)", {"f"}, kX, {{"p", 0}}), "has 0 values"));
    CHECK(contains(message("f(x1)", {"f"}, kX, {{"p", 200}}), "at most 128 are possible"));
    CHECK(contains(message("D(f, 2)(x1)"), "has no argument 2 at position 0"));
    CHECK(contains(message("D(f, 0)(x1)"), "expected the number of an argument"));
    CHECK(contains(message("D(g, 1)(x1) + f(x1)"), "expected the name of a part at position 2"));
    CHECK(contains(message("D(f, 1) + f(x1)"), "'D(f, 1)' is not called at position 0"));
}

TEST_CASE("places are those of the text as it was given") {
    try {
        const Template structure("f(x1) + $", {"f"}, kX);
        FAIL("no error");
    } catch (const ParseError& error) {
        CHECK(error.position() == 8);
    }
}

}  // namespace
}  // namespace balmer
