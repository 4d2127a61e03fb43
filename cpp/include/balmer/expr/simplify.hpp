// Smaller expressions with the same values.
#pragma once

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// Folds constants (an operator over constants becomes one constant, if finite), merges constants along chains of
/// + - and * / (c1 + (x - c2) -> x + c; negations and reciprocals are links of the chains), removes neutral elements
/// (x + 0, x * 1, x / 1, x ^ 1, --x), takes the branch that a constant condition chooses, drops what an outer operator
/// does not see (cos(-x)) or would do again (abs(exp(x)), floor(round(x))), and cancels x - x and 0 * x where x is a
/// feature (features are finite by contract). It never turns NaN into a number and introduces no operator that the
/// expression does not have, so a search over a restricted set of operators stays inside it.
///
/// Values are kept to rounding at every point where the original is finite. Two things are not kept: the sign of a zero,
/// and what comes of an intermediate result that leaves the range of doubles ((x * 1e200) / 1e200 is x).
/// Complexity (number of nodes) never rises. Idempotent: simplify(simplify(e)) == simplify(e).
[[nodiscard]] Expression simplify(const Expression& expression, const OperatorSet& operators = OperatorSet::builtin());

}  // namespace balmer
