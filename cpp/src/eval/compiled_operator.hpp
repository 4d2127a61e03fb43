// Kernels that call compiled code of the user's.
#pragma once

#include "balmer/expr/operator_set.hpp"
#include "eval/kernel_table.hpp"

namespace balmer::eval {

/// Such a kernel finds the operator behind its operand c, which operators of one or two operands leave free.
template <class T>
[[nodiscard]] const T* as_operand(const UserOperator& compiled) noexcept {
    return reinterpret_cast<const T*>(&compiled);
}

/// out[i] = f(a[i], b[i]), for blocks of at most kMaxBlockRows rows.
template <class T>
[[nodiscard]] ForwardKernel<T> compiled_value() noexcept;

/// out[i] = g[i] * (df / d operand k)(a[i], b[i]): of the user's derivatives, or by central differences.
template <class T>
[[nodiscard]] BackwardKernel<T> compiled_derivative(int k) noexcept;

}  // namespace balmer::eval
