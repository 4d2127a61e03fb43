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

/// Bit 24 of the control register: flush to zero, inputs too.
std::uint64_t enter_fp() noexcept {
    const std::uint64_t state = __builtin_aarch64_get_fpcr64();
    __builtin_aarch64_set_fpcr64(state | (std::uint64_t(1) << 24));
    return state;
}

void restore_fp(std::uint64_t state) noexcept { __builtin_aarch64_set_fpcr64(state); }

void fence() noexcept {}

constexpr KernelTable kTable{
    "neon", make_kernels<double>(), make_kernels<float>(), dot, subtract_multiple, enter_fp, restore_fp, fence};

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::neon
