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

#include "eval/isa/control.inl"

void fence() noexcept {}

#include "eval/kernels.inl"

constexpr KernelTable kTable = make_table("neon");

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::neon
