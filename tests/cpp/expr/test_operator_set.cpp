#include "balmer/expr/operator_set.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "balmer/core/error.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "scalar_walk.hpp"

namespace balmer {
namespace {

TEST_CASE("built-in operators are found by name, alias and arity") {
    const OperatorSet& operators = OperatorSet::builtin();
    for (const OpInfo& row : operator_table()) {
        CAPTURE(row.name);
        CHECK(operators.find(row.name) == row.op);
        CHECK(operators.find(row.name, row.arity) == row.op);
        CHECK_FALSE(operators.find(row.name, row.arity + 1));
        CHECK(operators.name(row.op) == row.name);
        CHECK(operators.arity(row.op) == row.arity);
        CHECK(operators.complexity(row.op) == row.complexity);
    }
    CHECK(operators.find("+") == Op::Add);
    CHECK(operators.find("**") == Op::Pow);
    CHECK(operators.find("ln") == Op::Log);
    CHECK_FALSE(operators.find(""));
    CHECK_FALSE(operators.find("Sin"));
    CHECK_FALSE(operators.find("si"));
}

TEST_CASE("leaves have a name, no operands and complexity 1") {
    const OperatorSet& operators = OperatorSet::builtin();
    for (const Op op : {Op::Constant, Op::Feature}) {
        CHECK(operators.arity(op) == 0);
        CHECK(operators.complexity(op) == 1);
        CHECK_FALSE(operators.name(op).empty());
        CHECK_FALSE(OperatorSet::is_user(op));
    }
}

TEST_CASE("nearest suggests names that differ in few letters") {
    const OperatorSet& operators = OperatorSet::builtin();
    CHECK(operators.nearest("sine") == "sin");
    CHECK(operators.nearest("Sin") == "sin");
    CHECK(operators.nearest("sqroot") == "sqrt");
    CHECK(operators.nearest("lgo") == "log");
    CHECK(operators.nearest("arctan") == "arctan");
    CHECK(operators.nearest("multiplication").empty());
    CHECK(operators.nearest("").empty());
    CHECK(operators.nearest("q").empty());
    CHECK(operators.nearest(std::string(100'000, 'a')).empty());
    OperatorSet mine;
    mine.define("special(x) = x + 1");
    CHECK(mine.nearest("spezial") == "special");
}

TEST_CASE("define adds operators in order") {
    OperatorSet operators;
    const Op special = operators.define("special(x, y) = cos(x) * (x + y)", 3);
    const Op twice = operators.define("twice(z) = special(z, z) * 2");
    CHECK(static_cast<int>(special) == kFirstUserOp);
    CHECK(static_cast<int>(twice) == kFirstUserOp + 1);
    CHECK(OperatorSet::is_user(special));
    CHECK(operators.find("special") == special);
    CHECK(operators.find("special", 2) == special);
    CHECK_FALSE(operators.find("special", 1));
    CHECK(operators.arity(special) == 2);
    CHECK(operators.complexity(special) == 3);
    CHECK(operators.complexity(twice) == 1);
    CHECK(operators.name(twice) == "twice");
    CHECK(operators.user(special).text == "special(x, y) = cos(x) * (x + y)");
    CHECK(operators.user(special).parameters == std::vector<std::string>{"x", "y"});
    CHECK(operators.user(twice).expanded_nodes == 2 + 6 + 2);

    const double row[] = {0.25};
    const Expression call = Expression::apply(twice, Expression::feature(0));
    CHECK(test::value_at(call, row, operators) == apply(Op::Cos, 0.25) * 0.5 * 2);
}

TEST_CASE("a user's operator hides the built-in one of that name and arity") {
    OperatorSet operators;
    const Op inverse = operators.define("inv(x) = 1/x");
    CHECK(operators.find("inv") == inverse);
    CHECK(OperatorSet::builtin().find("inv") == Op::Inv);
    // What stood in the body before the definition keeps its meaning.
    const Op sine = operators.define("sin(x) = sin(x) * 2");
    const Expression& body = operators.user(sine).body;
    CHECK(body.nodes[1].op == Op::Sin);
    const Op other = operators.define("max(a, b, c) = a + b + c");
    CHECK(operators.find("max", 2) == Op::Max);
    CHECK(operators.find("max", 3) == other);
    CHECK(parse("max(1, 2, 3)", {}, operators).nodes.back().op == other);
}

TEST_CASE("copies of a set are independent") {
    OperatorSet operators;
    operators.define("f(x) = x");
    OperatorSet copy = operators;
    copy.define("g(x) = x");
    CHECK(copy.find("g"));
    CHECK_FALSE(operators.find("g"));
}

TEST_CASE("define refuses what is not a definition") {
    OperatorSet operators;
    for (const char* text : {"", "f", "f(x)", "f(x) = ", "f(x) = y", "(x) -> x", "x -> x", "f() = 1", "f(x, x) = x",
                             "f(x) = f(x)", "f(x) = unknown(x)", "1(x) = x"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(operators.define(text), ParseError);
    }
    std::string parameters = "p0";
    for (std::size_t k = 1; k < kMaxArity; ++k) parameters += ", p" + std::to_string(k);
    CHECK_THROWS_AS(operators.define("f(" + parameters + ", one_more) = p0"), std::invalid_argument);
    CHECK_THROWS_AS(operators.define("f(a) = a", -1), std::invalid_argument);
    CHECK(operators.user().empty());
    operators.define("f(x) = x");
    CHECK_THROWS_WITH_AS(operators.define("f(x, y) = y"), "operator 'f' is defined twice", std::invalid_argument);
    CHECK(operators.user().size() == 1);
    CHECK(operators.arity(operators.define("g(" + parameters + ") = p0")) == kMaxArity);
}

TEST_CASE("there is room for kMaxUserOps operators") {
    OperatorSet operators;
    for (std::size_t k = 0; k < kMaxUserOps; ++k) operators.define("f" + std::to_string(k) + "(x) = x + 1");
    CHECK(operators.find("f" + std::to_string(kMaxUserOps - 1)) == static_cast<Op>(254));
    CHECK_THROWS_AS(operators.define("one_more(x) = x"), std::invalid_argument);
}

TEST_CASE("definitions that double with each level end at a limit") {
    OperatorSet operators;
    operators.define("f0(x) = x + x");
    const auto define_all = [&] {
        for (int k = 1; k < 100; ++k) {
            const std::string before = "f" + std::to_string(k - 1);
            operators.define("f" + std::to_string(k) + "(x) = " + before + "(" + before + "(x))");
        }
    };
    CHECK_THROWS_AS(define_all(), std::invalid_argument);
    CHECK(operators.user().size() > 5);
    CHECK(operators.user().size() < 15);
}

}  // namespace
}  // namespace balmer
