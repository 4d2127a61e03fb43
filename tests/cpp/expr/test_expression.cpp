#include "balmer/expr/expression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

const OperatorSet& kBuiltin = OperatorSet::builtin();

/// The same tree with nodes that own their operands: what surgery means, without offsets.
struct Tree {
    Op op = Op::Constant;
    double value = 0;
    std::uint32_t feature = 0;
    std::vector<Tree> operands;
};

Tree tree_of(const Expression& e, std::size_t i) {
    const Node& node = e.nodes[i];
    Tree tree{node.op, 0, 0, {}};
    if (node.op == Op::Constant) tree.value = e.constants[node.index];
    if (node.op == Op::Feature) tree.feature = node.index;
    for (std::size_t k = 0; k < node.arity; ++k) tree.operands.push_back(tree_of(e, e.operand(i, k)));
    return tree;
}

void append(Expression& e, const Tree& tree) {
    for (const Tree& operand : tree.operands) append(e, operand);
    if (tree.op == Op::Constant) {
        e.push_constant(tree.value);
    } else if (tree.op == Op::Feature) {
        e.push_feature(tree.feature);
    } else {
        e.push(tree.op, static_cast<std::uint8_t>(tree.operands.size()));
    }
}

Expression expression_of(const Tree& tree) {
    Expression e;
    append(e, tree);
    return e;
}

/// The n-th node in postfix order; n counts down.
Tree* find(Tree& tree, std::size_t& n) {
    for (Tree& operand : tree.operands) {
        if (Tree* found = find(operand, n)) return found;
    }
    return n-- == 0 ? &tree : nullptr;
}

std::size_t depth_of(const Tree& tree) {
    std::size_t depth = 0;
    for (const Tree& operand : tree.operands) depth = std::max(depth, depth_of(operand));
    return depth + 1;
}

TEST_CASE("builders give postfix order with sizes and numbered constants") {
    // (x1 + 2) * sin(3)
    Expression e;
    e.push_feature(1).push_constant(2).push(Op::Add, 2).push_constant(3).push(Op::Sin, 1).push(Op::Mul, 2);
    CHECK(e.valid(kBuiltin, 2));
    CHECK_FALSE(e.valid(kBuiltin, 1));
    CHECK(e.size() == 6);
    CHECK(e.root() == 5);
    CHECK(e.nodes[5].size == 6);
    CHECK(e.begin_of(4) == 3);
    CHECK(e.operand(5, 0) == 2);
    CHECK(e.operand(5, 1) == 4);
    CHECK(e.operand(2, 0) == 0);
    CHECK(e.constants_before(0) == 0);
    CHECK(e.constants_before(2) == 1);
    CHECK(e.constants_before(6) == 2);
    CHECK(e.n_features() == 2);
    CHECK(e.depth() == 3);
    CHECK(e == Expression::apply(Op::Mul, Expression::apply(Op::Add, Expression::feature(1), Expression::constant(2)),
                                 Expression::apply(Op::Sin, Expression::constant(3))));
}

TEST_CASE("apply takes three operands") {
    const Expression a = Expression::constant(1), b = Expression::feature(0), c = Expression::constant(2);
    const Expression* operands[] = {&a, &b, &c};
    const Expression e = Expression::apply(Op::IfElse, operands);
    CHECK(e.valid(kBuiltin, 1));
    CHECK(e == parse("ifelse(1, x0, 2)"));
    CHECK(e.operand(3, 0) == 0);
    CHECK(e.operand(3, 1) == 1);
    CHECK(e.operand(3, 2) == 2);
}

TEST_CASE("a leaf is an expression") {
    for (const Expression& leaf : {Expression::constant(1.5), Expression::feature(0)}) {
        CHECK(leaf.valid(kBuiltin, 1));
        CHECK(leaf.depth() == 1);
        CHECK(leaf.subtree(0) == leaf);
    }
    CHECK(Expression::constant(1).n_features() == 0);
    CHECK_FALSE(Expression().valid(kBuiltin, 1));
}

TEST_CASE("valid finds each kind of damage") {
    const Expression good = parse("(x1 + 2) * sin(3)");
    REQUIRE(good.valid(kBuiltin, 2));
    const auto broken = [&](auto damage) {
        Expression e = good;
        damage(e);
        return !e.valid(kBuiltin, 2);
    };
    CHECK(broken([](Expression& e) { e.nodes.pop_back(); }));
    CHECK(broken([](Expression& e) { e.nodes.push_back(Node::feature(0)); }));
    CHECK(broken([](Expression& e) { e.nodes[2].size = 2; }));
    CHECK(broken([](Expression& e) { e.nodes[5].size = 400; }));
    CHECK(broken([](Expression& e) { e.nodes[2].arity = 1; }));
    CHECK(broken([](Expression& e) { e.nodes[2].index = 1; }));
    CHECK(broken([](Expression& e) { e.nodes[0].size = 0; }));
    CHECK(broken([](Expression& e) { e.nodes[0].arity = 2; }));
    CHECK(broken([](Expression& e) { e.nodes[0].op = Op::Add; }));
    CHECK(broken([](Expression& e) { e.nodes[1].index = 1; }));
    CHECK(broken([](Expression& e) { e.nodes[0].index = 2; }));
    CHECK(broken([](Expression& e) { e.constants.pop_back(); }));
    CHECK(broken([](Expression& e) { e.constants.push_back(1); }));
    CHECK(broken([](Expression& e) { e.nodes[4].op = static_cast<Op>(kFirstUserOp); }));
    CHECK(broken([](Expression& e) { e.nodes[4].op = static_cast<Op>(255); }));
    CHECK(broken([](Expression& e) { e.nodes.erase(e.nodes.begin()); }));

    Expression large = Expression::feature(0);
    for (std::size_t k = 1; k < kMaxNodes; ++k) large.push(Op::Sin, 1);
    CHECK(large.valid(kBuiltin, 1));
    CHECK(large.depth() == kMaxNodes);
    large.push(Op::Sin, 1);
    CHECK_FALSE(large.valid(kBuiltin, 1));
}

TEST_CASE("valid is safe on random nodes") {
    Rng rng(31, 0);
    int n_valid = 0;
    for (int i = 0; i < 100'000; ++i) {
        Expression e;
        for (std::uint32_t k = 1 + rng.below(4); k > 0; --k) {
            e.nodes.push_back({static_cast<Op>(rng.below(256)), static_cast<std::uint8_t>(rng.below(4)),
                               static_cast<std::uint16_t>(rng.below(6)), rng.below(2)});
            if (rng.below(2) == 0) e.nodes.back() = Node::feature(0);
        }
        n_valid += e.valid(kBuiltin, 1);
    }
    CHECK(n_valid > 0);
}

TEST_CASE("surgery does what it does to a tree of owning nodes") {
    Rng rng(32, 0);
    for (int i = 0; i < 5000; ++i) {
        const test::RandomExpressionOptions options{.max_nodes = 40};
        const Expression original = test::random_expression(rng, options);
        const Expression donor = test::random_expression(rng, options);
        CAPTURE(to_text(original));
        CAPTURE(to_text(donor));
        Tree tree = tree_of(original, original.root());
        REQUIRE(expression_of(tree) == original);
        REQUIRE(original.depth() == depth_of(tree));

        const std::size_t position = rng.below(static_cast<std::uint32_t>(original.size()));
        CAPTURE(position);
        std::size_t n = position;
        Tree* const node = find(tree, n);
        REQUIRE(node != nullptr);
        const Expression subtree = original.subtree(position);
        REQUIRE(subtree.valid(kBuiltin, 3));
        REQUIRE(subtree == expression_of(*node));

        Expression changed = original;
        changed.replace(position, donor);
        *node = tree_of(donor, donor.root());
        REQUIRE(changed.valid(kBuiltin, 3));
        REQUIRE(changed == expression_of(tree));

        // And back again.
        changed.replace(position + donor.size() - subtree.size(), subtree);
        REQUIRE(changed == original);
    }
}

TEST_CASE("copying into a large enough expression and replacing within it allocate nothing") {
    const Expression small = parse("x0 + 1.5");
    Expression e = parse("sin(x0) * cos(x1 + 2) + x2 * 3");
    const Node* const nodes = e.nodes.data();
    const double* const constants = e.constants.data();
    e = small;
    e.replace(0, Expression::constant(2));
    CHECK(e == parse("2 + 1.5"));
    CHECK(e.nodes.data() == nodes);
    CHECK(e.constants.data() == constants);
}

TEST_CASE("equality is of bits, but all NaN are one") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(Expression::constant(nan) == Expression::constant(-nan));
    CHECK(Expression::constant(nan) == Expression::constant(std::nan("7")));
    CHECK_FALSE(Expression::constant(0.0) == Expression::constant(-0.0));
    CHECK_FALSE(Expression::constant(1) == Expression::constant(2));
    CHECK_FALSE(Expression::constant(1) == Expression::feature(0));
    CHECK_FALSE(Expression::feature(1) == Expression::feature(0));
    CHECK(exact_hash(Expression::constant(nan)) == exact_hash(Expression::constant(-nan)));
    CHECK(exact_hash(Expression::constant(0.0)) != exact_hash(Expression::constant(-0.0)));
}

TEST_CASE("the structural hash does not see constants nor the order of commutative operands") {
    const auto hash = [](const char* text) { return structural_hash(parse(text)); };
    CHECK(hash("x0 + 1") == hash("2 + x0"));
    CHECK(hash("sin(x0 * 2) + x1") == hash("x1 + sin(3 * x0)"));
    for (const char* name : {"add", "mul", "min", "max", "hypot", "equal", "logical_and", "logical_or"}) {
        const std::string op = name;
        CAPTURE(op);
        CHECK(hash((op + "(x0, sin(x1))").c_str()) == hash((op + "(sin(x1), x0)").c_str()));
    }
    for (const char* name : {"sub", "div", "pow", "atan2", "greater", "cond", "mod"}) {
        const std::string op = name;
        CAPTURE(op);
        CHECK(hash((op + "(x0, x1)").c_str()) != hash((op + "(x1, x0)").c_str()));
    }
    CHECK(hash("x0 + x1") != hash("x0 * x1"));
    CHECK(hash("x0 + x1") != hash("x0 + x2"));
    CHECK(hash("x0 + 1") != hash("x0 + x0"));
    CHECK(hash("(x0 + x1) + x2") != hash("x0 + (x1 + x2) * x2"));
    CHECK(hash("ifelse(x0, x1, x2)") != hash("ifelse(x0, x2, x1)"));
}

TEST_CASE("hashes of different expressions differ") {
    Rng rng(33, 0);
    std::set<std::uint64_t> hashes;
    std::set<std::string> texts;
    for (int i = 0; i < 50'000; ++i) {
        const Expression e = test::random_expression(rng, {.max_nodes = 12, .constants = test::Constants::dyadic});
        texts.insert(to_text(e));
        hashes.insert(exact_hash(e));
    }
    CHECK(texts.size() > 25'000);
    CHECK(hashes.size() == texts.size());  // a collision among 5e4 has probability 7e-11
}

}  // namespace
}  // namespace balmer
