// Two expressions that exchange subtrees.
#pragma once

#include "balmer/core/rng.hpp"
#include "balmer/expr/expression.hpp"

namespace balmer {

/// Swaps a random subtree of `a` with a random subtree of `b`; the children are written into reused storage. All four are
/// different objects. Invariants are kept; limits of size and constraints are for the caller to check.
void cross(const Expression& a, const Expression& b, Rng& rng, Expression& child_a, Expression& child_b);

}  // namespace balmer
