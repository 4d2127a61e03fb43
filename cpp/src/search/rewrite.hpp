// Shorter forms of a fitted formula: exact ones, and ones that the data may bear.
#pragma once

#include <vector>

#include "search/vocabulary.hpp"

namespace balmer::search {

/// The same values with fewer constants other than 1 and -1: a constant factor or divisor is taken into constants that its
/// operand has anyway, as in a / (b x + c) = 1 / (b/a x + c/a). Equal to `e` if there is nothing to take in.
[[nodiscard]] Expression with_factors_absorbed(const Expression& e, const Vocabulary& vocabulary);

/// Formulas that `e` is near to if a part of it does little: each operand of a binary arithmetic operator alone, and the operand
/// of a function instead of the function (sin(x) for small x is x). All are smaller than `e`; the constants are still those of `e`.
[[nodiscard]] std::vector<Expression> without_one_part(const Expression& e, const Vocabulary& vocabulary);

/// a (f +- g) for each sum a f +- b g with a and b within `tolerance` (relative) of each other.
[[nodiscard]] std::vector<Expression> with_one_factor(const Expression& e, double tolerance,
                                                      const Vocabulary& vocabulary);

}  // namespace balmer::search
