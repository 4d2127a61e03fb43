// The kernels for x86-64-v4: AVX-512. Compiled with -march=x86-64-v4 -mprefer-vector-width=512.
#include <cstddef>
#include <cstdint>

// GCC bug 105593: its AVX-512 header makes values that need no first content from an uninitialised one.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "eval/kernel_table.hpp"

namespace balmer::eval::x86_v4 {

namespace {

#include "math/vec_avx512.inl"

#include "math/functions.inl"

Native<double>::Real load_widened(const float* p) noexcept { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }

#include "eval/sums.inl"

#include "eval/isa/control.inl"

void fence() noexcept { _mm_sfence(); }

#include "eval/kernels.inl"

constexpr KernelTable kTable = make_table("x86-64-v4");

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::x86_v4
