// Every float there is, through one function.
#pragma once

#include <cstddef>
#include <cstdint>

namespace balmer::bench {

/// The worst error of a function of one argument in single precision.
struct WorstError {
    double ulps = 0;  ///< units of the last place, as accuracy.py counts them
    float at = 0;
    std::uint64_t count = 0;  ///< arguments: all that are neither NaN nor subnormal
};

/// Runs the float kernel of the table's row over all floats. The double kernel of the same row stands for the truth: its
/// own error, a few units of the last place of a double, is too small to be seen.
[[nodiscard]] WorstError exhaustive_error(std::size_t row);

}  // namespace balmer::bench
