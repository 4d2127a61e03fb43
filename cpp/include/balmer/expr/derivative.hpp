// Derivatives as formulas.
#pragma once

#include <cstdint>
#include <span>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// d `expression` / d feature, made of the columns da, db, dc of operators.def by the chain rule, also through the
/// bodies of user operators; simplified. At kinks and jumps it has the value of the table's column: 0 for abs at 0, and
/// 0 everywhere for round, greater and the like.
///
/// Throws std::invalid_argument if a derivative needs a function that is no operator (gamma's needs digamma) or that of
/// compiled code, or has more than kMaxNodes nodes.
[[nodiscard]] Expression derivative(const Expression& expression, std::uint32_t feature,
                                    const OperatorSet& operators = OperatorSet::builtin());

/// `body` with *arguments[k] in the place of feature k.
/// Throws std::invalid_argument if the result has more than kMaxNodes nodes.
[[nodiscard]] Expression substitute(const Expression& body, std::span<const Expression* const> arguments);

/// The same formula in built-in operators alone: the bodies of user operators are written out.
/// Throws std::invalid_argument for compiled code, or if the result has more than kMaxNodes nodes.
[[nodiscard]] Expression expand(const Expression& expression, const OperatorSet& operators);

}  // namespace balmer
