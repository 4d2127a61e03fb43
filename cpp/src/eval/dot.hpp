// Columns of doubles as vectors: the same bits on every instruction set.
#pragma once

#include <cstddef>

namespace balmer::eval {

/// Sum of a[i] b[i] over i < n, added in 16 lanes.
[[nodiscard]] double dot(const double* a, const double* b, std::size_t n) noexcept;

/// y[i] -= factor x[i] for i < n.
void subtract_multiple(double* y, double factor, const double* x, std::size_t n) noexcept;

}  // namespace balmer::eval
