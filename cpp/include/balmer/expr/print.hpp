// From expressions to text.
#pragma once

#include <span>
#include <string>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

struct PrintOptions {
    int precision = 17;  ///< significant digits of constants; 17: as many as read back to the same double
};

/// Infix text that `parse` reads back to an equal expression: parse(to_text(e)) == e at full precision.
/// Features are `names` (backquoted where they are not identifiers or would be read as something else) or x0, x1, ...
/// An operator of the table that one of the user's hides is written by an alias; one without alias does not come back.
[[nodiscard]] std::string to_text(const Expression& expression, std::span<const std::string> names = {},
                                  const OperatorSet& operators = OperatorSet::builtin(), PrintOptions options = {});

/// LaTeX, from the table's templates. Names become \mathrm{...} when longer than a letter; x12 becomes x_{12};
/// 1.2e-5 becomes 1.2 \cdot 10^{-5}.
[[nodiscard]] std::string to_latex(const Expression& expression, std::span<const std::string> names = {},
                                   const OperatorSet& operators = OperatorSet::builtin(), PrintOptions options = {});

/// A Python expression in sympy's namespace, from the table's column: features are `feature_symbols[i]` (Python identifiers).
/// User operators are written out. Constants have full precision and are floats, but for small whole exponents.
/// Throws std::invalid_argument for fewer symbols than features, and if the text would be longer than 1 MiB: a form that
/// uses an operand twice doubles it with each level.
[[nodiscard]] std::string to_sympy(const Expression& expression, std::span<const std::string> feature_symbols,
                                   const OperatorSet& operators = OperatorSet::builtin());

/// The shortest decimal text that reads back to exactly `value`, or `precision` significant digits; "nan", "inf", "-inf".
[[nodiscard]] std::string number_text(double value, int precision = 17);

}  // namespace balmer
