// The kernels for 64-bit ARM: NEON.
#include <cstddef>
#include <cstdint>

#include <arm_neon.h>

#include "eval/kernel_table.hpp"

namespace balmer::eval::neon {

namespace {

#include "math/vec_neon.inl"

#include "math/functions.inl"

Native<double>::Real load_widened(const float* p) noexcept { return vcvt_f64_f32(vld1_f32(p)); }

#include "eval/sums.inl"

#include "eval/kernels.inl"

#include "eval/isa/control.inl"

void fence() noexcept {}

constexpr KernelTable kTable{
    "neon", make_kernels<double>(), make_kernels<float>(), log_of_one, dot, subtract_multiple, enter_fp, restore_fp,
    fence};

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::neon
