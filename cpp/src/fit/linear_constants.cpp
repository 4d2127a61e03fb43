#include "fit/linear_constants.hpp"

#include <array>
#include <cstdint>

namespace balmer::fit {
namespace {

enum class Reading : std::uint8_t { none, all, first, one_side, second, branches };

/// In which operands an operator is affine.
Reading reading(Op op) {
    switch (op) {
        case Op::Add:
        case Op::Sub:
        case Op::Neg:
            return Reading::all;
        case Op::Div:
            return Reading::first;
        case Op::Mul:
            return Reading::one_side;
        case Op::Cond:
            return Reading::second;
        case Op::IfElse:
            return Reading::branches;
        default:
            return Reading::none;
    }
}

}  // namespace

void find_linear_constants(const Expression& expression, std::vector<bool>& linear) {
    linear.assign(expression.constants.size(), false);
    if (linear.empty()) {
        return;
    }
    // From the leaves up: how many constants of each subtree can be had together.
    std::array<std::uint16_t, kMaxNodes> count;
    const auto& nodes = expression.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        count[i] = 0;
        if (nodes[i].op == Op::Constant) {
            count[i] = 1;
            continue;
        }
        const auto of = [&](std::size_t k) { return count[expression.operand(i, k)]; };
        switch (reading(nodes[i].op)) {
            case Reading::all:
                for (std::size_t k = 0; k < nodes[i].arity; ++k) {
                    count[i] = static_cast<std::uint16_t>(count[i] + of(k));
                }
                break;
            case Reading::first:
                count[i] = of(0);
                break;
            case Reading::one_side:
                count[i] = of(0) >= of(1) ? of(0) : of(1);
                break;
            case Reading::second:
                count[i] = of(1);
                break;
            case Reading::branches:
                count[i] = static_cast<std::uint16_t>(of(1) + of(2));
                break;
            case Reading::none:
                break;
        }
    }
    // From the root down: take them.
    std::array<bool, kMaxNodes> taken{};
    taken[expression.root()] = true;
    for (std::size_t i = nodes.size(); i-- > 0;) {
        if (!taken[i]) {
            continue;
        }
        if (nodes[i].op == Op::Constant) {
            linear[nodes[i].index] = true;
            continue;
        }
        const auto take = [&](std::size_t k) { taken[expression.operand(i, k)] = true; };
        switch (reading(nodes[i].op)) {
            case Reading::all:
                for (std::size_t k = 0; k < nodes[i].arity; ++k) {
                    take(k);
                }
                break;
            case Reading::first:
                take(0);
                break;
            case Reading::one_side: {
                const std::size_t a = expression.operand(i, 0), b = expression.operand(i, 1);
                const bool left = count[a] != count[b] ? count[a] > count[b] : nodes[b].op != Op::Constant;
                take(left ? 0 : 1);
                break;
            }
            case Reading::second:
                take(1);
                break;
            case Reading::branches:
                take(1);
                take(2);
                break;
            case Reading::none:
                break;
        }
    }
}

}  // namespace balmer::fit
