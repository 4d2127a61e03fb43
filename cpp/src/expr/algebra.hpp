// Laws that operators obey, for hashing and for calls with more operands than the arity.
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

}  // namespace balmer::detail
