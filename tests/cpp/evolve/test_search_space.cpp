#include "balmer/evolve/search_space.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

const std::vector<Op> kOperators = {Op::Add, Op::Mul, Op::Pow, Op::Sin, Op::Cos, Op::Exp};

TEST_CASE("complexity is the rounded sum of the weights of the nodes") {
    const OperatorSet& set = OperatorSet::builtin();
    const SearchSpace plain(set, kOperators, 3);
    CHECK(plain.complexity(parse("x0")) == 1);
    CHECK(plain.complexity(parse("x0 * x1 + sin(2.5)")) == 6);

    SpaceLimits limits;
    limits.complexity.of_constants = 2;
    limits.complexity.of_variables = {1, 1.5, 3};
    limits.complexity.of_operators.assign(static_cast<std::size_t>(Op::Sin) + 1,
                                          std::numeric_limits<double>::quiet_NaN());
    limits.complexity.of_operators[static_cast<std::size_t>(Op::Sin)] = 3.25;
    const SearchSpace weighted(set, kOperators, 3, limits);
    CHECK(weighted.complexity(parse("x1")) == 2);        // 1.5 is rounded up
    CHECK(weighted.complexity(parse("sin(x1)")) == 5);   // 4.75
    CHECK(weighted.complexity(parse("x0 + 1.5")) == 4);  // an operator without a weight of its own counts 1

    limits.complexity.of_variables = {0};
    CHECK(SearchSpace(set, kOperators, 3, limits).complexity(parse("x2")) == 1);  // never less than 1
}

TEST_CASE("a function of the whole expression takes the place of the sum") {
    SpaceLimits limits;
    limits.complexity.of_constants = 2;
    limits.arguments = {{Op::Sin, {2, -1, -1}}};
    double answer = 0;
    limits.complexity.mapping = [&](const Expression& e) { return answer + static_cast<double>(e.depth()); };
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3, limits);
    CHECK(space.complexity(parse("x0 + x1 * 2.5")) == 3);
    answer = 0.5;
    CHECK(space.complexity(parse("x0 + x1")) == 3);  // 2.5 is rounded up
    answer = -7;
    CHECK(space.complexity(parse("x0")) == 1);  // never less than 1
    for (const double none : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        answer = none;
        const Expression e = parse("x0");
        CHECK_FALSE(space.allows(e, space.complexity(e), 10'000));
    }
    answer = 0;
    CHECK(space.allows(parse("sin(2.5)"), 2, 30));  // operands go by the sum
    CHECK_FALSE(space.allows(parse("sin(x0 + 1)"), 3, 30));
}

TEST_CASE("limits of size and depth are kept") {
    SpaceLimits limits;
    limits.maxdepth = 3;
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3, limits);
    const auto allows = [&](const char* text, int max_complexity) {
        const Expression e = parse(text);
        return space.allows(e, space.complexity(e), max_complexity);
    };
    CHECK(allows("x0 + x1", 3));
    CHECK_FALSE(allows("x0 + x1", 2));
    CHECK(allows("(x0 + x1) * (x1 + x2)", 30));
    CHECK_FALSE(allows("x0 + (x1 + (x2 + x0))", 30));  // depth 4
}

TEST_CASE("operands keep to the complexity that their operator allows") {
    SpaceLimits limits;
    limits.arguments = {{Op::Pow, {-1, 1, -1}}, {Op::Sin, {3, -1, -1}}};
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3, limits);
    const auto allows = [&](const char* text) {
        const Expression e = parse(text);
        return space.allows(e, space.complexity(e), 30);
    };
    CHECK(allows("(x0 + x1 * x2)^2.5"));
    CHECK_FALSE(allows("x0^(x1 + 1)"));
    CHECK(allows("sin(x0 + x1)"));
    CHECK_FALSE(allows("2.5 * sin(x0 + x1 * x2)"));
    CHECK_FALSE(allows("exp(sin(x0 + x1 * x2))"));
}

TEST_CASE("below an operator stand only the variables that it may see") {
    SpaceLimits limits;
    limits.variables = {{Op::Sin, {false, true, false}}};
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3, limits);
    const auto allows = [&](const char* text) {
        const Expression e = parse(text);
        return space.allows(e, space.complexity(e), 30);
    };
    CHECK(allows("x0 * sin(x1 * 2.5) + cos(x2)"));
    CHECK(allows("sin(2.5)"));
    CHECK_FALSE(allows("x1 + sin(x0)"));
    CHECK_FALSE(allows("sin(exp(x1 * x2))"));
}

/// The longest chain of `inner` below node i, by recursion.
int chain(const Expression& e, std::size_t i, Op inner) {
    int longest = 0;
    for (std::size_t k = 0; k < e.nodes[i].arity; ++k) {
        const std::size_t operand = e.operand(i, k);
        longest = std::max(longest, chain(e, operand, inner) + (e.nodes[operand].op == inner ? 1 : 0));
    }
    return longest;
}

TEST_CASE("operators nest no deeper than the constraints allow") {
    SpaceLimits limits;
    limits.nested = {{Op::Sin, Op::Cos, 1}, {Op::Sin, Op::Sin, 0}};
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3, limits);
    Rng rng(9, 0);
    test::RandomExpressionOptions options;
    options.operators = kOperators;
    options.max_nodes = 20;
    int allowed = 0, refused = 0;
    for (int k = 0; k < 20'000; ++k) {
        const Expression e = test::random_expression(rng, options);
        bool expected = true;
        for (std::size_t i = 0; i < e.size(); ++i) {
            if (e.nodes[i].op != Op::Sin) continue;
            expected = expected && chain(e, i, Op::Cos) <= 1 && chain(e, i, Op::Sin) == 0;
        }
        REQUIRE(space.allows(e, space.complexity(e), 1000) == expected);
        (expected ? allowed : refused) += 1;
    }
    CHECK(allowed > 1000);
    CHECK(refused > 1000);
}

}  // namespace
}  // namespace balmer
