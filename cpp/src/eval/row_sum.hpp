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

}  // namespace balmer::eval
