// When a few rows have told what they can.
#pragma once

#include "search/seed_archive.hpp"

namespace balmer::search {

/// Rows below this number cannot tell noise from a law.
inline constexpr std::size_t kFewRows = 12;

/// Whether the best formula explains a few rows of measurements so well that a larger one could only follow their errors:
/// more than half of the digits with which they were written down, and the rows are described in far fewer nats than by
/// their mean. The digits that are left must pay for whatever else a formula would have, and what is in them is not only
/// law: instruments err by more than the last digit that is written.
///
/// Never for kFewRows or more, nor for a target with more than 8 digits: one that was computed may be explained to the last.
[[nodiscard]] bool settled(const SeedArchive& archive, const Evaluator<double>& evaluator,
                           Workspace<double>& workspace);

}  // namespace balmer::search
