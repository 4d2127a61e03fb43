// Included by scan_<isa>.cpp, which defines BALMER_SCAN_ISA (a namespace), BALMER_SCAN_BYTES (of a register) and
// BALMER_SCAN_TARGET (the attribute that lets the compiler use the set in these functions and nowhere else).
#include "search/scan_kernels.hpp"

namespace balmer::search::BALMER_SCAN_ISA {
namespace {

constexpr std::size_t kLanes = BALMER_SCAN_BYTES / sizeof(float);
constexpr std::size_t kWide = 2;  // registers of columns at a time: kScanRows * kWide accumulators stay in registers

typedef float Vec __attribute__((vector_size(BALMER_SCAN_BYTES)));
typedef float VecUnaligned __attribute__((vector_size(BALMER_SCAN_BYTES), aligned(4), may_alias));

BALMER_SCAN_TARGET void dots(const float* const* a, const float* block, std::size_t m, float* out) noexcept {
    for (std::size_t lane = 0; lane < kPanelLanes; lane += kWide * kLanes) {
        Vec sum[kScanRows][kWide] = {};
        for (std::size_t k = 0; k < m; ++k) {
            const float* row = block + k * kPanelLanes + lane;
            const Vec b0 = *reinterpret_cast<const VecUnaligned*>(row);
            const Vec b1 = *reinterpret_cast<const VecUnaligned*>(row + kLanes);
#pragma GCC unroll 6
            for (std::size_t q = 0; q < kScanRows; ++q) {
                sum[q][0] += a[q][k] * b0;
                sum[q][1] += a[q][k] * b1;
            }
        }
#pragma GCC unroll 6
        for (std::size_t q = 0; q < kScanRows; ++q) {
            *reinterpret_cast<VecUnaligned*>(out + q * kPanelLanes + lane) = sum[q][0];
            *reinterpret_cast<VecUnaligned*>(out + q * kPanelLanes + lane + kLanes) = sum[q][1];
        }
    }
}

constexpr float kLeastAngle = 3e-4F;  // 1 - g^2 below this: f and the column are the same to the precision of floats

BALMER_SCAN_TARGET std::uint32_t pair_hits(const float* g, const float* rj, float ri, float bound) noexcept {
    std::int32_t hit[kPanelLanes];
    std::int32_t any = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) {
        const float free = 1.0F - g[j] * g[j];
        const float left = free - ri * ri - rj[j] * rj[j] + 2.0F * g[j] * (ri * rj[j]);
        hit[j] = (left < bound * free) & (free > kLeastAngle);
        any |= hit[j];
    }
    if (any == 0) return 0;
    std::uint32_t mask = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) mask |= static_cast<std::uint32_t>(hit[j]) << j;
    return mask;
}

BALMER_SCAN_TARGET std::uint32_t gain_hits(const float* b, const float* h, const float* c, float least) noexcept {
    std::int32_t hit[kPanelLanes];
    std::int32_t any = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) {
        const float free = h[j] - c[j] * c[j];
        hit[j] = (b[j] * b[j] > least * free) & (free > kLeastAngle * h[j]);
        any |= hit[j];
    }
    if (any == 0) return 0;
    std::uint32_t mask = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) mask |= static_cast<std::uint32_t>(hit[j]) << j;
    return mask;
}

}  // namespace

const ScanKernels& kernels() noexcept {
    static constexpr ScanKernels table{dots, pair_hits, gain_hits};
    return table;
}

}  // namespace balmer::search::BALMER_SCAN_ISA
