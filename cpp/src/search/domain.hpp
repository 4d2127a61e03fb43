// Where a formula has no value.
#pragma once

#include <vector>

#include "balmer/eval/dataset.hpp"
#include "expr/interval.hpp"

namespace balmer::search {

/// The ranges of the features, a tenth wider on either side; never across zero, so that what is positive stays so.
[[nodiscard]] std::vector<Interval> widened_ranges(const Dataset<double>& data);

/// Nats by which a formula is less believable because of operations that may have no finite value in the box: a pole between
/// the rows, the logarithm of what changes its sign. A coin's toss each: an interval may be wider than the values are.
[[nodiscard]] double price_of_risks(const Expression& e, std::span<const Interval> box, const OperatorSet& operators);

}  // namespace balmer::search
