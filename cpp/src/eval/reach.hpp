// Which operators may leave the range of doubles on the way to a result inside it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "balmer/expr/op.hpp"

namespace balmer::eval {

/// What lies below a node with only chain operators between.
enum class Reach : std::uint8_t {
    nothing,
    product,  ///< a product or power: overflows where the data are extreme
    growth,   ///< an exponential
};

enum class RangeRole : std::uint8_t { none, sum, product, growth, logarithm };

inline constexpr auto kRangeRole = [] {
    std::array<RangeRole, 256> role{};
    const auto set = [&](Op op, RangeRole value) { role[static_cast<std::size_t>(op)] = value; };
    for (const Op op : {Op::Exp, Op::Expm1, Op::Sinh, Op::Cosh}) set(op, RangeRole::growth);
    for (const Op op : {Op::Add, Op::Sub, Op::Neg}) set(op, RangeRole::sum);
    for (const Op op : {Op::Mul, Op::Div, Op::Inv, Op::Square, Op::Cube, Op::Sqrt, Op::Pow})
        set(op, RangeRole::product);
    for (const Op op : {Op::Log, Op::Log2, Op::Log10}) set(op, RangeRole::logarithm);
    return role;
}();

constexpr RangeRole range_role(Op op) noexcept { return kRangeRole[static_cast<std::size_t>(op)]; }

/// Operators whose logarithm is made from those of their operands.
constexpr bool is_chain(Op op) noexcept {
    return range_role(op) == RangeRole::sum || range_role(op) == RangeRole::product;
}

/// Reach of a node from the larger one of its operands.
constexpr Reach reach_of(Op op, Reach below) noexcept {
    switch (range_role(op)) {
        case RangeRole::growth:
            return Reach::growth;
        case RangeRole::product:
            return below == Reach::growth ? below : Reach::product;
        case RangeRole::sum:
            return below;
        default:
            return Reach::nothing;
    }
}

/// Whether a node needs the extended range, by the reach of its last operand (the denominator of a quotient).
constexpr bool needs_range(Op op, Reach below, bool extreme) noexcept {
    if (below == Reach::nothing) {
        return false;
    }
    if (range_role(op) == RangeRole::logarithm) {
        return below == Reach::growth || extreme;
    }
    return below == Reach::growth && (op == Op::Div || op == Op::Inv);
}

/// Operators whose infinities and zeros tell that the range was left.
constexpr bool leaves_range(Op op) noexcept {
    return range_role(op) == RangeRole::growth || range_role(op) == RangeRole::product;
}

/// Whether a node may leave the range on a way that needs_range() asks about, by the larger reach of its operands.
constexpr bool may_leave_range(Op op, Reach below, bool extreme) noexcept {
    return leaves_range(op) && (extreme || reach_of(op, below) == Reach::growth);
}

/// The functions above by operator and reach, for where they are asked at every node.
struct ReachTable {
    std::array<std::array<Reach, 3>, 256> after{};
    std::array<std::array<std::array<bool, 3>, 2>, 256> rescued{}, leaves{};  ///< by operator, whether extreme, reach
};

inline constexpr ReachTable kReach = [] {
    ReachTable table;
    for (std::size_t code = 0; code < 256; ++code) {
        const Op op = static_cast<Op>(code);
        for (std::size_t below = 0; below < 3; ++below) {
            table.after[code][below] = reach_of(op, static_cast<Reach>(below));
            for (const bool extreme : {false, true}) {
                table.leaves[code][extreme][below] = may_leave_range(op, static_cast<Reach>(below), extreme);
                table.rescued[code][extreme][below] = needs_range(op, static_cast<Reach>(below), extreme);
            }
        }
    }
    return table;
}();

}  // namespace balmer::eval
