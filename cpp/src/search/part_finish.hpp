// The last stage of a search for the parts of a template.
#pragma once

#include <atomic>
#include <vector>

#include "search/description_length.hpp"
#include "search/problem.hpp"

namespace balmer {

/// What becomes of the formulas of a front when, as long as their description length falls, operators of their parts give way
/// to an operand or a constant, and constants to whole numbers or simple fractions within their errors; the others are fitted
/// anew each time. By least squares. Formulas of which nothing becomes are left out. Adds the evaluations it takes.
[[nodiscard]] std::vector<FrontEntry> with_finished_parts(const std::vector<FrontEntry>& front, const Problem& problem,
                                                          const search::DescriptionScale& scale,
                                                          const std::atomic<bool>& cancelled, double& evaluations);

}  // namespace balmer
