// Columns of doubles as vectors: the same bits on every instruction set.
#pragma once

#include <cstddef>

#include "balmer/expr/op.hpp"

namespace balmer::eval {

/// Sum of a[i] b[i] over i < n, added in 16 lanes.
[[nodiscard]] double dot(const double* a, const double* b, std::size_t n) noexcept;

/// y[i] -= factor x[i] for i < n.
void subtract_multiple(double* y, double factor, const double* x, std::size_t n) noexcept;

/// out[i] = balmer::apply(op, a[i]) for i < n; `op` is a unary operator of the table. `out` may be `a`.
void apply(Op op, double* out, const double* a, std::size_t n) noexcept;

/// out[i] = balmer::apply(op, a[i], b) for i < n; `op` is a binary operator of the table. `out` may be `a`.
void apply(Op op, double* out, const double* a, double b, std::size_t n) noexcept;

}  // namespace balmer::eval
