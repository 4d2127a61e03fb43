// The kernels for x86-64-v3: AVX2 and FMA. Compiled with -march=x86-64-v3.
#include <cstddef>
#include <cstdint>

#include <immintrin.h>

#include "eval/kernel_table.hpp"

namespace balmer::eval::x86_v3 {

namespace {

#include "math/vec_avx2.inl"

#include "math/functions.inl"

Native<double>::Real load_widened(const float* p) noexcept { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }

#include "eval/sums.inl"

#include "eval/kernels.inl"

/// Bits 15 and 6 of the control register: flush to zero, denormals are zero.
std::uint64_t enter_fp() noexcept {
    const unsigned state = _mm_getcsr();
    _mm_setcsr(state | 0x8040U);
    return state;
}

void restore_fp(std::uint64_t state) noexcept { _mm_setcsr(static_cast<unsigned>(state)); }

void fence() noexcept { _mm_sfence(); }

constexpr KernelTable kTable{
    "x86-64-v3", make_kernels<double>(), make_kernels<float>(), dot, subtract_multiple, enter_fp, restore_fp, fence};

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::x86_v3
