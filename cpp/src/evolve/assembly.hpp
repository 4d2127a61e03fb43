// Writes expressions out of pieces of others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "balmer/expr/expression.hpp"

namespace balmer {

/// Appends ranges of nodes, in postfix order, to an expression that starts empty. Sizes and the numbers of constants come
/// out right whatever the pieces were, so every mutation is a concatenation. What is appended must make one tree in the end.
class Assembly {
   public:
    explicit Assembly(Expression& out) : out_(out) {
        out_.nodes.clear();
        out_.constants.clear();
    }

    /// Nodes first <= i < last of another expression.
    void copy(const Expression& source, std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
            const Node& node = source.nodes[i];
            if (node.op == Op::Constant) {
                constant(source.constants[node.index]);
            } else if (node.op == Op::Feature) {
                out_.nodes.push_back(node);
            } else {
                op(node.op, node.arity);
            }
        }
    }
    /// The subtree that ends at node i.
    void subtree(const Expression& source, std::size_t i) { copy(source, source.begin_of(i), i + 1); }

    void constant(double value) {
        out_.nodes.push_back(Node::constant(static_cast<std::uint32_t>(out_.constants.size())));
        out_.constants.push_back(value);
    }
    void feature(std::uint32_t index) { out_.nodes.push_back(Node::feature(index)); }
    void op(Op op, std::uint8_t arity) {
        std::size_t size = 1;
        for (std::uint8_t k = 0; k < arity; ++k) size += out_.nodes[out_.nodes.size() - size].size;
        out_.nodes.push_back({op, arity, static_cast<std::uint16_t>(size), 0});
    }

   private:
    Expression& out_;
};

}  // namespace balmer
