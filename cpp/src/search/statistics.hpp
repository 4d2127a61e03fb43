// What is told of the formulas of a front beside their losses.
#pragma once

#include <atomic>
#include <vector>

#include "balmer/search/search.hpp"
#include "search/problem.hpp"

namespace balmer {

/// Sets bic, r2 and standard errors of each entry, for other losses than squares its description length, and the losses of cross-validation if `problem.options.cv_folds` asks
/// for it; leaves them as they are from the moment when `cancelled` is set. Adds the evaluations it takes.
///
/// Cross-validation fits the constants, from the values they have, to all rows but those of one part, and judges them
/// on that part, for each part in turn. The parts are drawn at random, but depend on the number of rows alone; with fewer
/// rows than parts each row is one. Of more than 131,072 rows, or than memory allows, it takes the first ones, and so do standard
/// errors, which are scaled to all rows. Constants that are whole numbers stay: they are part of the structure.
void add_statistics(std::vector<FrontEntry>& front, const Problem& problem, const std::atomic<bool>& cancelled,
                    double& evaluations);

}  // namespace balmer
