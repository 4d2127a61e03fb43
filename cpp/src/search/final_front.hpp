// The front as it is handed out.
#pragma once

#include <vector>

#include "balmer/search/pareto.hpp"
#include "balmer/search/search.hpp"
#include "search/control.hpp"
#include "search/problem.hpp"

namespace balmer {

/// The front of `archive` with what the data do not demand taken out: constants that are not significant dropped, others
/// made whole numbers or simple fractions where that lowers the description length. At each complexity the formula of
/// least description length among those whose loss is nearly the least. For least squares, and if `finish` is simplify;
/// else the front as it is. Adds the evaluations it takes.
[[nodiscard]] std::vector<FrontEntry> final_front(const Archive& archive, const Problem& problem,
                                                  const Control& control, double& evaluations);

}  // namespace balmer
