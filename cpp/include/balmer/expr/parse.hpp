// From text to expressions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// Reads a formula: numbers (also 1f0, 2.5e-3, pi), variables, calls of any operator, + - * / ^ ** %, unary minus,
/// comparisons, && ||, cond ? a : b, parentheses. `x^2` is pow(x, 2). A name between backquotes may hold any character.
///
/// Variables are `names` if given (each maps to its position), else x0, x1, ... A name in `names` wins over an operator's
/// unless a "(" follows. "-" before a number is part of it; every number becomes a constant.
/// Throws ParseError, with the nearest known name for an unknown one, and for more than kMaxNodes nodes.
[[nodiscard]] Expression parse(std::string_view text, std::span<const std::string> names = {},
                               const OperatorSet& operators = OperatorSet::builtin());

/// `name(parameter, ...) = body`, the form in which users write operators, losses and stop conditions. Also reads an
/// anonymous `(x, y) -> body`; the name is then empty.
struct Definition {
    std::string name;
    std::vector<std::string> parameters;
    Expression body;
};
[[nodiscard]] Definition parse_definition(std::string_view text, const OperatorSet& operators = OperatorSet::builtin());

}  // namespace balmer
