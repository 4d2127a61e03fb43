#include "balmer/evolve/mutation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "balmer/evolve/crossover.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

constexpr std::array kChanging = {Mutation::mutate_constant, Mutation::mutate_operator, Mutation::mutate_feature,
                                  Mutation::swap_operands,   Mutation::rotate_tree,     Mutation::add_node,
                                  Mutation::insert_node,     Mutation::delete_node,     Mutation::randomize};

/// Operators of every arity, one of them the user's.
struct Fixture {
    Fixture() {
        special = set.define("special(x, y) = cos(x) * (x + y)");
        operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Cos, Op::Exp, Op::Square, Op::IfElse, special};
    }
    OperatorSet set;
    Op special{};
    std::vector<Op> operators;
    std::size_t n_features = 3;

    [[nodiscard]] Expression random(Rng& rng, std::size_t max_nodes = 25) const {
        test::RandomExpressionOptions options;
        options.max_nodes = max_nodes;
        options.operators = operators;
        return test::random_expression(rng, options, set);
    }
    [[nodiscard]] std::string text(const Expression& e) const { return to_text(e, {}, set); }
    [[nodiscard]] bool uses_only_its_operators(const Expression& e) const {
        return std::ranges::all_of(e.nodes, [&](const Node& node) {
            return node.is_leaf() || std::ranges::find(operators, node.op) != operators.end();
        });
    }
};

TEST_CASE("every mutation and crossover keeps the invariants of expressions") {
    const Fixture f;
    const SearchSpace space(f.set, f.operators, f.n_features, {}, {1e-20, 1, 1e25});
    const Mutator mutator(space, EvolutionOptions{});
    Rng rng(11, 1);
    Expression child, other;
    std::array<int, kMutations> done{};
    for (int k = 0; k < 100'000; ++k) {
        const Expression parent = f.random(rng);
        const Mutation mutation = kChanging[static_cast<std::size_t>(k) % kChanging.size()];
        CAPTURE(k);
        CAPTURE(name(mutation));
        if (mutator.apply(mutation, parent, rng.uniform(), 30, rng, child)) {
            ++done[static_cast<std::size_t>(mutation)];
            if (!child.valid(f.set, f.n_features) || !f.uses_only_its_operators(child)) {
                FAIL("invalid child of " << f.text(parent));
            }
        }
        if (k % 4 == 0) {
            const Expression mate = f.random(rng);
            cross(parent, mate, rng, child, other);
            if (!child.valid(f.set, f.n_features) || !other.valid(f.set, f.n_features)) FAIL("invalid after crossover");
            REQUIRE(child.size() + other.size() == parent.size() + mate.size());
        }
    }
    for (const Mutation mutation : kChanging) {
        CAPTURE(name(mutation));
        CHECK(done[static_cast<std::size_t>(mutation)] > 1000);
    }
}

TEST_CASE("each mutation changes what its name says and no more") {
    const Fixture f;
    const SearchSpace space(f.set, f.operators, f.n_features);
    const Mutator mutator(space, EvolutionOptions{});
    Rng rng(3, 7);
    Expression child;
    for (int k = 0; k < 3000; ++k) {
        const Expression parent = f.random(rng);
        CAPTURE(f.text(parent));
        const auto differences = [&] {
            int count = 0;
            for (std::size_t i = 0; i < parent.size(); ++i) count += parent.nodes[i] == child.nodes[i] ? 0 : 1;
            return count;
        };
        if (mutator.apply(Mutation::mutate_operator, parent, 1, 30, rng, child)) {
            REQUIRE(child.size() == parent.size());
            CHECK(differences() == 1);  // never the same operator again
            CHECK(child.constants == parent.constants);
        }
        if (mutator.apply(Mutation::mutate_feature, parent, 1, 30, rng, child)) {
            REQUIRE(child.size() == parent.size());
            CHECK(differences() == 1);
        }
        if (mutator.apply(Mutation::mutate_constant, parent, 0, 30, rng, child)) {
            CHECK(child.nodes == parent.nodes);
            int changed = 0;
            for (std::size_t c = 0; c < parent.constants.size(); ++c) {
                const double ratio = std::abs(child.constants[c] / parent.constants[c]);
                changed += child.constants[c] == parent.constants[c] ? 0 : 1;
                CHECK((parent.constants[c] == 0 || (ratio < 1.1000001 && ratio > 1 / 1.1000001)));
            }
            CHECK(changed <= 1);
        }
        if (mutator.apply(Mutation::swap_operands, parent, 1, 30, rng, child)) CHECK(child.size() == parent.size());
        if (mutator.apply(Mutation::rotate_tree, parent, 1, 30, rng, child)) {
            CHECK(child.size() == parent.size());
            auto a = parent.constants, b = child.constants;
            std::ranges::sort(a);
            std::ranges::sort(b);
            CHECK(a == b);
        }
        if (mutator.apply(Mutation::delete_node, parent, 1, 30, rng, child)) CHECK(child.size() < parent.size());
        REQUIRE(mutator.apply(Mutation::add_node, parent, 1, 30, rng, child));
        CHECK(child.size() > parent.size());
        REQUIRE(mutator.apply(Mutation::insert_node, parent, 1, 30, rng, child));
        CHECK(child.size() > parent.size());
        REQUIRE(mutator.apply(Mutation::randomize, parent, 1, 12, rng, child));
        CHECK(child.size() <= 12);
    }
}

TEST_CASE("a rotation makes the parent an operand of its child") {
    const std::vector<Op> operators = {Op::Add, Op::Mul};
    const SearchSpace space(OperatorSet::builtin(), operators, 3);
    const Mutator mutator(space, EvolutionOptions{});
    Rng rng(5, 0);
    const Expression parent = parse("(x0 * x1) + x2");
    bool left = false, right = false;
    for (int k = 0; k < 100; ++k) {
        Expression child;
        REQUIRE(mutator.apply(Mutation::rotate_tree, parent, 1, 30, rng, child));
        left = left || child == parse("(x0 + x2) * x1");
        right = right || child == parse("x0 * (x1 + x2)");
        CHECK((child == parse("(x0 + x2) * x1") || child == parse("x0 * (x1 + x2)")));
    }
    CHECK(left);
    CHECK(right);
}

TEST_CASE("a constant that is 0 does not stay 0") {
    const std::vector<Op> operators = {Op::Add};
    const SearchSpace space(OperatorSet::builtin(), operators, 1);
    const Mutator mutator(space, EvolutionOptions{});
    Rng rng(1, 0);
    Expression child;
    REQUIRE(mutator.apply(Mutation::mutate_constant, Expression::constant(0), 1, 30, rng, child));
    CHECK(child.constants[0] != 0);
}

TEST_CASE("constants change sign as often as the option says") {
    const std::vector<Op> operators = {Op::Add};
    const SearchSpace space(OperatorSet::builtin(), operators, 1);
    EvolutionOptions options;
    options.probability_negate_constant = 0.25;
    const Mutator mutator(space, options);
    Rng rng(1, 0);
    Expression child;
    int negative = 0;
    constexpr int kDraws = 20'000;
    for (int k = 0; k < kDraws; ++k) {
        mutator.apply(Mutation::mutate_constant, Expression::constant(2), 1, 30, rng, child);
        negative += child.constants[0] < 0 ? 1 : 0;
    }
    CHECK(negative == doctest::Approx(0.25 * kDraws).epsilon(0.04));  // 4 standard deviations are 0.016 of it
}

TEST_CASE("new constants are drawn on the scale of the data as often as the option says") {
    const std::vector<Op> operators = {Op::Add};
    const SearchSpace space(OperatorSet::builtin(), operators, 1, {}, {0x1p100});
    EvolutionOptions options;
    options.scaled_constants = 0.5;
    const Mutator mutator(space, options);
    Rng rng(1, 0);
    int large = 0;
    for (int k = 0; k < 10'000; ++k) large += std::abs(mutator.random_constant(rng)) > 0x1p60 ? 1 : 0;
    CHECK(large == doctest::Approx(5000).epsilon(0.05));
}

TEST_CASE("mutations that cannot be done have no weight") {
    const std::vector<Op> operators = {Op::Add, Op::Mul, Op::Cos, Op::Exp};
    const SearchSpace space(OperatorSet::builtin(), operators, 2);
    EvolutionOptions options;
    options.weights.optimize = 1;
    const Mutator mutator(space, options);
    const auto weight = [&](const char* text, Mutation mutation, int max_complexity = 30) {
        const Expression e = parse(text);
        return mutator.conditioned(e, space.complexity(e), max_complexity)[static_cast<std::size_t>(mutation)];
    };
    for (const Mutation m : {Mutation::mutate_operator, Mutation::swap_operands, Mutation::delete_node,
                             Mutation::simplify, Mutation::rotate_tree}) {
        CHECK(weight("x0", m) == 0);
        CHECK(weight("3.5", m) == 0);
    }
    CHECK(weight("x0", Mutation::mutate_constant) == 0);
    CHECK(weight("x0", Mutation::optimize) == 0);
    CHECK(weight("3.5", Mutation::mutate_feature) == 0);
    CHECK(weight("3.5", Mutation::optimize) > 0);
    CHECK(weight("cos(x0)", Mutation::swap_operands) == 0);
    CHECK(weight("x0 + x1", Mutation::rotate_tree) == 0);
    CHECK(weight("cos(x0) + x1", Mutation::rotate_tree) > 0);
    CHECK(weight("x0 + x1", Mutation::add_node, 3) == 0);
    CHECK(weight("x0 + x1", Mutation::insert_node, 3) == 0);
    CHECK(weight("x0 + x1", Mutation::add_node, 4) > 0);
    CHECK(weight("x0 + 1", Mutation::mutate_constant) == doctest::Approx(options.weights.mutate_constant / 8));

    const SearchSpace one_feature(OperatorSet::builtin(), operators, 1);
    const Expression e = parse("x0 + 1");
    CHECK(Mutator(one_feature, options).conditioned(e, 3, 30)[static_cast<std::size_t>(Mutation::mutate_feature)] == 0);
    options.should_simplify = false;
    CHECK(Mutator(space, options).conditioned(e, 3, 30)[static_cast<std::size_t>(Mutation::simplify)] == 0);
}

TEST_CASE("random expressions have the size that was asked for, as near as arities allow") {
    const Fixture f;
    const SearchSpace space(f.set, f.operators, f.n_features);
    const Mutator mutator(space, EvolutionOptions{});
    Rng rng(2, 0);
    for (std::size_t size = 1; size <= 40; ++size) {
        const Expression e = mutator.random_expression_of_size(size, rng);
        CHECK(e.valid(f.set, f.n_features));
        CHECK(e.size() == size);  // there are unary operators
        CHECK(mutator.random_expression(3, rng).valid(f.set, f.n_features));
    }
    const std::vector<Op> binary = {Op::Add};
    const SearchSpace odd(f.set, binary, 2);
    CHECK(Mutator(odd, EvolutionOptions{}).random_expression_of_size(8, rng).size() == 7);
}

}  // namespace
}  // namespace balmer
