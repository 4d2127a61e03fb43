// Writes expressions out of pieces of others.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "balmer/expr/expression.hpp"

namespace balmer {

/// Writes pieces, in postfix order, into an expression, from its start. A subtree of `source` is replaced by writing what
/// stands before it, the new subtree, and what stands after it; constants are numbered and sizes of the nodes above are
/// corrected on the way, so every mutation is a concatenation. Pieces are a few nodes each: room is made once, and no step
/// branches on what a node is. What was written is the expression when the object goes.
class Assembly {
   public:
    /// At most `n_nodes` nodes will be written.
    Assembly(Expression& out, std::size_t n_nodes) : out_(out) {
        out_.nodes.resize(n_nodes);
        out_.constants.resize(n_nodes + 1);  // a node that is no constant leaves a number behind the last
        nodes_ = out_.nodes.data();
        constants_ = out_.constants.data();
    }
    ~Assembly() {
        assert(n_nodes_ <= out_.nodes.size());
        out_.nodes.resize(n_nodes_);
        out_.constants.resize(n_constants_);
    }
    Assembly(const Assembly&) = delete;
    Assembly& operator=(const Assembly&) = delete;

    /// What stands before the subtree that ends at node i.
    void before(const Expression& source, std::size_t i) { append(source, 0, source.begin_of(i)); }

    /// The subtree that ends at node i.
    void subtree(const Expression& source, std::size_t i) { append(source, source.begin_of(i), i + 1); }

    /// What stands after the subtree that ends at node i, once `before` and one subtree in its place have been written.
    void after(const Expression& source, std::size_t i) {
        const std::size_t grown = n_nodes_ - (i + 1);  // modulo 2^16, if it shrank
        Node* const written = nodes_ + n_nodes_;
        append(source, i + 1, source.size());
        // Those whose subtree holds node i are the nodes above it.
        for (std::size_t k = i + 1; k < source.size(); ++k) {
            const std::size_t above = source.begin_of(k) <= i ? grown : 0;
            std::uint16_t& size = written[k - i - 1].size;
            size = static_cast<std::uint16_t>(size + above);
        }
    }

    void constant(double value) {
        nodes_[n_nodes_++] = Node::constant(n_constants_);
        constants_[n_constants_++] = value;
    }
    void feature(std::uint32_t index) { nodes_[n_nodes_++] = Node::feature(index); }

    /// An operator over the last `arity` subtrees.
    void op(Op op, std::uint8_t arity) {
        std::size_t size = 1;
        for (std::uint8_t k = 0; k < arity; ++k) size += nodes_[n_nodes_ - size].size;
        nodes_[n_nodes_++] = {op, arity, static_cast<std::uint16_t>(size), 0};
    }

   private:
    /// Nodes first <= i < last, with their sizes as they are.
    void append(const Expression& source, std::size_t first, std::size_t last) {
        if (source.constants.empty()) {
            std::copy(source.nodes.data() + first, source.nodes.data() + last, nodes_ + n_nodes_);
            n_nodes_ += last - first;
            return;
        }
        for (std::size_t k = first; k < last; ++k) {
            Node node = source.nodes[k];
            const bool is_constant = node.op == Op::Constant;
            constants_[n_constants_] = source.constants[is_constant ? node.index : 0];
            node.index = is_constant ? n_constants_ : node.index;
            n_constants_ += is_constant ? 1 : 0;
            nodes_[n_nodes_++] = node;
        }
    }

    Expression& out_;
    Node* nodes_;
    double* constants_;
    std::size_t n_nodes_ = 0;
    std::uint32_t n_constants_ = 0;
};

}  // namespace balmer
