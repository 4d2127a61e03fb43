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

#include "eval/isa/control.inl"

void fence() noexcept { _mm_sfence(); }

#include "eval/kernels.inl"

constexpr KernelTable kTable = make_table("x86-64-v3");

}  // namespace

const KernelTable& table() noexcept;
const KernelTable& table() noexcept { return kTable; }

}  // namespace balmer::eval::x86_v3
