// Constants that have names: columns that are the same in every row.
#pragma once

#include <vector>

#include "balmer/search/search.hpp"
#include "search/control.hpp"
#include "search/problem.hpp"

namespace balmer {

/// The front with such columns in the place of numbers that are equal to them as far as the data tell. The stages before
/// fit numbers, which is as good for finding the law; the name says what the number is, and may count less.
///
/// By least squares a name must lower the description length; by other losses it may raise the loss by a factor of
/// 1 + ln(n) / n, about what a parameter is worth by BIC. Adds the evaluations it takes.
[[nodiscard]] std::vector<FrontEntry> with_named_constants(std::vector<FrontEntry> front, const Problem& problem,
                                                           const Control& control, double& evaluations);

}  // namespace balmer
