// Laws that operators obey, for hashing, for calls with more operands than the arity, and for simplification. They hold
// for all values, infinite ones and NaN too, but for the sign of a zero.
#pragma once

#include "balmer/expr/op.hpp"

namespace balmer::detail {

/// f(a, b) == f(b, a) for all a and b.
constexpr bool is_commutative(Op op) noexcept {
    switch (op) {
        case Op::Add:
        case Op::Mul:
        case Op::Min:
        case Op::Max:
        case Op::Hypot:
        case Op::Equal:
        case Op::And:
        case Op::Or:
            return true;
        default:
            return false;
    }
}

/// f(f(a, b), c) == f(a, f(b, c)) up to rounding, so that f(a, b, c) has one meaning.
constexpr bool is_associative(Op op) noexcept { return is_commutative(op) && op != Op::Equal; }

/// f(-a) == f(a).
constexpr bool is_even(Op op) noexcept { return op == Op::Abs || op == Op::Square || op == Op::Cos || op == Op::Cosh; }

/// Its values are not negative (or NaN).
constexpr bool is_nonnegative(Op op) noexcept {
    switch (op) {
        case Op::Abs:
        case Op::Square:
        case Op::Sqrt:
        case Op::Hypot:
        case Op::Exp:
        case Op::Logistic:
        case Op::Cosh:
        case Op::Erfc:
        case Op::Relu:
            return true;
        default:
            return false;
    }
}

/// Its values are whole numbers (or infinite, or NaN).
constexpr bool is_rounding(Op op) noexcept { return op == Op::Round || op == Op::Floor || op == Op::Ceil; }

/// outer(inner(a)) == inner(a).
constexpr bool absorbs(Op inner, Op outer) noexcept {
    if (outer == Op::Abs || outer == Op::Relu) return is_nonnegative(inner);
    if (is_rounding(outer)) return is_rounding(inner);
    return outer == Op::Sign && inner == Op::Sign;
}

}  // namespace balmer::detail
