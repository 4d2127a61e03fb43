// A formula: a flat postfix array of nodes, and its constants beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balmer/expr/node.hpp"

namespace balmer {

class OperatorSet;

/// A formula in postfix order. A plain value: copying into an expression that is large enough allocates nothing.
///
/// Invariants (`valid` checks them; every function that returns an Expression keeps them):
/// - 1 to kMaxNodes nodes, of which the last is the root; arities and sizes fit the tree;
/// - the constants are numbered in the order in which they stand: the k-th Constant node has index k, and
///   `constants` has one value for each.
struct Expression {
    std::vector<Node> nodes;
    std::vector<double> constants;

    /// Builders, in postfix order.
    Expression& push_constant(double value);
    Expression& push_feature(std::uint32_t index);
    Expression& push(Op op, std::uint8_t arity);

    [[nodiscard]] static Expression constant(double value);
    [[nodiscard]] static Expression feature(std::uint32_t index);
    /// The operator applied to the operands.
    [[nodiscard]] static Expression apply(Op op, std::span<const Expression* const> operands);
    [[nodiscard]] static Expression apply(Op op, const Expression& a);
    [[nodiscard]] static Expression apply(Op op, const Expression& a, const Expression& b);

    [[nodiscard]] std::size_t size() const noexcept { return nodes.size(); }
    [[nodiscard]] std::size_t root() const noexcept { return nodes.size() - 1; }
    /// First node of the subtree that ends at `i`.
    [[nodiscard]] std::size_t begin_of(std::size_t i) const noexcept { return i + 1 - nodes[i].size; }
    /// Position of operand `k` (0-based, in reading order) of node `i`.
    [[nodiscard]] std::size_t operand(std::size_t i, std::size_t k) const noexcept;
    /// Number of Constant nodes before position `i`: the index of the first constant at or after it.
    [[nodiscard]] std::size_t constants_before(std::size_t i) const noexcept;

    /// A copy of the subtree that ends at `i`.
    [[nodiscard]] Expression subtree(std::size_t i) const;
    /// Puts `with` in the place of the subtree that ends at `i`. The caller sees to kMaxNodes. `with` is another object.
    void replace(std::size_t i, const Expression& with);

    /// One more than the largest feature index in use; 0 if there is none.
    [[nodiscard]] std::size_t n_features() const noexcept;
    /// Nodes on the longest path from the root to a leaf; 1 for a leaf.
    [[nodiscard]] std::size_t depth() const noexcept;
    /// Whether the invariants hold, with arities as `operators` has them and features below `n_features`.
    [[nodiscard]] bool valid(const OperatorSet& operators, std::size_t n_features) const noexcept;

    /// The same nodes and the same constants (NaN equals NaN, 0 differs from -0: equal bits).
    friend bool operator==(const Expression& a, const Expression& b) noexcept;
};

/// Hash of the structure: constants blanked, the operands of commutative operators (Add, Mul, Min, Max, Hypot, Equal, And, Or) in canonical
/// order. Equal for expressions that differ in the values of their constants only.
[[nodiscard]] std::uint64_t structural_hash(const Expression& expression) noexcept;

/// Hash of structure and constants, the nodes as they stand.
[[nodiscard]] std::uint64_t exact_hash(const Expression& expression) noexcept;

}  // namespace balmer
