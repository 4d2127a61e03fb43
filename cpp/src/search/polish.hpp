// The last touch on the front.
#pragma once

#include "balmer/search/pareto.hpp"
#include "search/control.hpp"
#include "search/problem.hpp"

namespace balmer {

/// Fits the constants of every member of the front fully on all rows, simplifies, and makes the front anew from what came
/// out and what was there. When the control is cancelled the rest stays as it is.
[[nodiscard]] Archive polished(const Archive& archive, const Problem& problem, const Control& control,
                               double& evaluations);

}  // namespace balmer
