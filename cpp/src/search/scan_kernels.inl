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

/// Bit j is hit[j], 0 or 1.
BALMER_SCAN_TARGET std::uint32_t mask_of(const std::int32_t* hit) noexcept {
    std::uint32_t mask = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) mask |= static_cast<std::uint32_t>(hit[j]) << j;
    return mask;
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
    return any == 0 ? 0 : mask_of(hit);
}

BALMER_SCAN_TARGET std::uint32_t gain_hits(const float* b, const float* h, const float* c, float least) noexcept {
    std::int32_t hit[kPanelLanes];
    std::int32_t any = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) {
        const float free = h[j] - c[j] * c[j];
        hit[j] = (b[j] * b[j] > least * free) & (free > kLeastAngle * h[j]);
        any |= hit[j];
    }
    return any == 0 ? 0 : mask_of(hit);
}

constexpr float kIndependent = 1e-3F;  // share of the product's square that must not follow from f and g
constexpr float kWorthwhile = 0.3F;    // share of what f and g leave that the product must explain

BALMER_SCAN_TARGET std::uint32_t product_hits(const ProductLanes& lanes, float bound, float* left) noexcept {
    const float ri = lanes.rf, weight = lanes.weight;
    std::int32_t hit[kPanelLanes];
    std::int32_t any = 0;
    for (std::size_t j = 0; j < kPanelLanes; ++j) {
        const float c = lanes.fg[j], f = lanes.hf[j], g = lanes.hg[j], hh = lanes.hh[j], rj = lanes.rg[j];
        const float determinant = 1.0F - c * c;
        const float pair = 1.0F - (ri * ri + rj * rj - 2.0F * c * (ri * rj)) / determinant;
        const float norm = hh - c * c / weight - (f * f + g * g - 2.0F * c * (f * g)) / determinant;
        const float along = lanes.ht[j] - (f * ri + g * rj - c * (f * rj + g * ri)) / determinant;
        const float gain = along * along / norm;
        const bool usable = (determinant > kIndependent) & (norm > kIndependent * hh) & (gain > kWorthwhile * pair);
        const float rest = pair - gain < 0.0F ? 0.0F : pair - gain;
        left[j] = usable ? rest : 1.0F;
        hit[j] = left[j] < bound;
        any |= hit[j];
    }
    return any == 0 ? 0 : mask_of(hit);
}

}  // namespace

const ScanKernels& kernels() noexcept {
    static constexpr ScanKernels table{dots, pair_hits, gain_hits, product_hits};
    return table;
}

}  // namespace balmer::search::BALMER_SCAN_ISA
