// Sums over rows that every instruction set adds in the same order: see kSumLanes. Plain loops, which the compiler
// turns into vectors of whatever width; for the sums of least squares there are kernels.
#pragma once

#include <cstddef>

#include "eval/kernel_table.hpp"

namespace balmer::eval {

/// lanes[i % 16] += f(i) for i < n.
template <class F>
void add_rows(std::size_t n, double* lanes, F f) noexcept {
    std::size_t i = 0;
    for (; i + kSumLanes <= n; i += kSumLanes) {
        for (std::size_t j = 0; j < kSumLanes; ++j) {
            lanes[j] += f(i + j);
        }
    }
    for (std::size_t j = 0; i + j < n; ++j) {
        lanes[j] += f(i + j);
    }
}

/// Adds the 16 lanes of a sum in a fixed order.
[[nodiscard]] inline double sum_lanes(const double* lanes) noexcept {
    double s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = lanes[i] + lanes[i + 8];
    }
    for (int i = 0; i < 4; ++i) {
        s[i] += s[i + 4];
    }
    return (s[0] + s[2]) + (s[1] + s[3]);
}

}  // namespace balmer::eval
