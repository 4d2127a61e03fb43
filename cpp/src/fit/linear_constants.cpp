#include "fit/linear_constants.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <span>

namespace balmer::fit {
namespace {

std::size_t count(std::uint64_t set) noexcept { return static_cast<std::size_t>(std::popcount(set)); }
std::size_t count(const std::bitset<kMaxNodes>& set) noexcept { return set.count(); }

template <class Set>
Set only(std::size_t k) {
    return Set(1) << k;
}

/// The operands in which an operator is affine when the others are held; a product is affine in either side.
struct Slots {
    bool first = false, second = false, third = false;
    [[nodiscard]] bool operator[](std::size_t k) const noexcept { return k == 0 ? first : k == 1 ? second : third; }
};

Slots affine_in(Op op) noexcept {
    switch (op) {
        case Op::Add:
        case Op::Sub:
            return {true, true, false};
        case Op::Neg:
        case Op::Div:
            return {true, false, false};
        case Op::Cond:
            return {false, true, false};
        case Op::IfElse:
            return {false, true, true};
        default:
            return {};
    }
}

/// An operator over operands a, ...: those outside `slots` are held, and so is what they contain.
template <class Reading>
Reading combine(std::span<const Reading> operands, Slots slots) {
    Reading result;
    for (std::size_t k = 0; k < operands.size(); ++k) {
        result.other |= operands[k].other;
        (slots[k] ? result.linear : result.other) |= operands[k].linear;
    }
    result.linear &= ~result.other;
    return result;
}

}  // namespace

template <class Set>
void LinearConstants::read(const Expression& expression, const OperatorSet& operators, std::size_t n_constants,
                           const Reading<Set>* arguments, std::vector<Reading<Set>>& stack) {
    for (const Node& node : expression.nodes) {
        if (node.op == Op::Constant) {  // those in the body of a user operator are fixed
            const bool is_free = arguments == nullptr && node.index < n_constants;
            stack.push_back(is_free ? Reading<Set>{only<Set>(node.index), {}, true} : Reading<Set>{});
            continue;
        }
        if (node.op == Op::Feature) {
            stack.push_back(arguments == nullptr ? Reading<Set>{} : arguments[node.index]);
            continue;
        }
        std::array<Reading<Set>, kMaxArity> operands;
        std::copy_n(stack.end() - node.arity, node.arity, operands.begin());
        stack.resize(stack.size() - node.arity);
        if (OperatorSet::is_user(node.op) && !operators.user(node.op).is_compiled()) {
            read(operators.user(node.op).body, operators, n_constants, operands.data(), stack);
            continue;
        }
        const std::span<const Reading<Set>> used(operands.data(), node.arity);
        if (node.op != Op::Mul) {
            stack.push_back(combine(used, affine_in(node.op)));
            continue;
        }
        const Reading<Set> left = combine(used, {true, false, false}), right = combine(used, {false, true, false});
        const std::size_t n_left = count(left.linear), n_right = count(right.linear);
        const bool take_right = n_left != n_right ? n_right > n_left : operands[1].bare && !operands[0].bare;
        stack.push_back(take_right ? right : left);
    }
}

void LinearConstants::find(const Expression& expression, const OperatorSet& operators, std::size_t n,
                           std::vector<bool>& linear) {
    linear.assign(n, false);
    const auto find_in = [&]<class Set>(std::vector<Reading<Set>>& stack, const auto& is_in) {
        stack.clear();
        read<Set>(expression, operators, n, nullptr, stack);
        for (std::size_t k = 0; k < n; ++k) {
            linear[k] = is_in(stack.back().linear, k);
        }
    };
    if (n <= 64) {
        find_in(stack_, [](std::uint64_t set, std::size_t k) { return (set >> k & 1) != 0; });
    } else {
        find_in(wide_stack_, [](const std::bitset<kMaxNodes>& set, std::size_t k) { return set[k]; });
    }
}

}  // namespace balmer::fit
