// The kernels for any machine: one value at a time, fma from the C library where the processor has none.
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "eval/kernel_table.hpp"

namespace balmer::eval::baseline {

namespace {

#include "math/vec_scalar.inl"

#include "math/functions.inl"

double load_widened(const float* p) noexcept { return static_cast<double>(*p); }

#include "eval/sums.inl"

#include "eval/isa/control.inl"

void fence() noexcept {}

#include "eval/kernels.inl"

constexpr KernelTable kTable = make_table("baseline");

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::baseline
