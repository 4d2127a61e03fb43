// One entry of an expression's flat postfix array.
#pragma once

#include <cstdint>
#include <type_traits>

#include "balmer/expr/op.hpp"

namespace balmer {

/// 8 bytes, trivially copyable. The children of node i end at i - 1: the last child is i - 1 itself, the one before
/// it is found by stepping over the last child's `size` nodes.
struct Node {
    Op op = Op::Constant;
    std::uint8_t arity = 0;
    std::uint16_t size = 1;   ///< nodes of the subtree that ends here, this one included
    std::uint32_t index = 0;  ///< feature number of a Feature, position in `constants` of a Constant, else 0

    [[nodiscard]] static constexpr Node constant(std::uint32_t index) noexcept { return {Op::Constant, 0, 1, index}; }
    [[nodiscard]] static constexpr Node feature(std::uint32_t index) noexcept { return {Op::Feature, 0, 1, index}; }

    [[nodiscard]] constexpr bool is_leaf() const noexcept { return arity == 0; }
    friend constexpr bool operator==(const Node&, const Node&) = default;
};

static_assert(sizeof(Node) == 8 && std::is_trivially_copyable_v<Node>);

}  // namespace balmer
