// Writes expressions out of pieces of others.
#pragma once

#include <cstddef>
#include <cstdint>

#include "balmer/expr/expression.hpp"

namespace balmer {

/// Appends pieces, in postfix order, to an expression that starts empty. A subtree of `source` is replaced by writing what
/// stands before it, the new subtree, and what stands after it; constants are numbered and sizes of the nodes above are
/// corrected on the way, so every mutation is a concatenation.
class Assembly {
   public:
    explicit Assembly(Expression& out) : out_(out) {
        out_.nodes.clear();
        out_.constants.clear();
    }

    /// What stands before the subtree that ends at node i.
    void before(const Expression& source, std::size_t i) { append(source, 0, source.begin_of(i)); }

    /// The subtree that ends at node i.
    void subtree(const Expression& source, std::size_t i) { append(source, source.begin_of(i), i + 1); }

    /// What stands after the subtree that ends at node i, once `before` and one subtree in its place have been written.
    void after(const Expression& source, std::size_t i) {
        const auto grown = static_cast<std::uint16_t>(out_.nodes.size() - (i + 1));  // modulo 2^16, if it shrank
        const std::size_t first = out_.nodes.size();
        append(source, i + 1, source.size());
        // Those whose subtree holds node i are the nodes above it.
        for (std::size_t k = i + 1; k < source.size(); ++k) {
            if (source.begin_of(k) <= i) {
                std::uint16_t& size = out_.nodes[first + (k - i - 1)].size;
                size = static_cast<std::uint16_t>(size + grown);
            }
        }
    }

    void constant(double value) {
        out_.nodes.push_back(Node::constant(static_cast<std::uint32_t>(out_.constants.size())));
        out_.constants.push_back(value);
    }
    void feature(std::uint32_t index) { out_.nodes.push_back(Node::feature(index)); }

    /// An operator over the last `arity` subtrees.
    void op(Op op, std::uint8_t arity) {
        std::size_t size = 1;
        for (std::uint8_t k = 0; k < arity; ++k) size += out_.nodes[out_.nodes.size() - size].size;
        out_.nodes.push_back({op, arity, static_cast<std::uint16_t>(size), 0});
    }

   private:
    /// Nodes first <= i < last, with their sizes as they are.
    void append(const Expression& source, std::size_t first, std::size_t last) {
        const std::size_t at = out_.nodes.size();
        out_.nodes.insert(out_.nodes.end(), source.nodes.begin() + static_cast<std::ptrdiff_t>(first),
                          source.nodes.begin() + static_cast<std::ptrdiff_t>(last));
        if (source.constants.empty()) return;
        for (std::size_t k = at; k < out_.nodes.size(); ++k) {
            Node& node = out_.nodes[k];
            if (node.op != Op::Constant) continue;
            const double value = source.constants[node.index];
            node.index = static_cast<std::uint32_t>(out_.constants.size());
            out_.constants.push_back(value);
        }
    }

    Expression& out_;
};

}  // namespace balmer
