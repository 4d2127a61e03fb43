// Interval arithmetic: what values a formula may take over a box, and where it may have none.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "balmer/expr/operator_set.hpp"

namespace balmer {

/// All numbers from `low` to `high`.
struct Interval {
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();

    [[nodiscard]] bool contains(double x) const noexcept { return low <= x && x <= high; }
    [[nodiscard]] bool is_point() const noexcept { return low == high; }
};

struct Enclosure {
    Interval values;
    std::size_t at_risk = 0;  ///< operations that have no finite value somewhere in their operands' intervals
};

/// Natural interval extension (R. E. Moore, Interval Analysis, 1966): the values of `e` with feature j in box[j], up to
/// rounding. An operand that comes twice counts as two, so the interval may be too wide and a risk may be none; a formula
/// without risk is finite in the whole box. Compiled operators may take any value and are no risk.
/// Throws std::invalid_argument if a feature of `e` is not in the box.
[[nodiscard]] Enclosure enclose(const Expression& e, std::span<const Interval> box, const OperatorSet& operators);

}  // namespace balmer
