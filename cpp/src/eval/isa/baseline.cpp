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

#include "eval/kernels.inl"

#include "eval/isa/control.inl"

void fence() noexcept {}

constexpr KernelTable kTable{
    "baseline", make_kernels<double>(), make_kernels<float>(), log_of_one, dot, subtract_multiple, enter_fp, restore_fp,
    fence};

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::baseline
