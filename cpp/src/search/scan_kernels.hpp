// The inner loops of the closed-form families, one set for each instruction set. This header is included by the files that
// are compiled for one instruction set: it holds no code and includes only <cstddef> and <cstdint>.
#pragma once

#include <cstddef>
#include <cstdint>

namespace balmer::search {

/// Columns that stand side by side in a panel: [row][lane].
inline constexpr std::size_t kPanelLanes = 32;
/// Vectors that one call multiplies with a block of a panel.
inline constexpr std::size_t kScanRows = 6;

/// For vectors f and g of mean 0 and norm 1, their weighted product h = f g and a target of mean 0 and norm 1: inner products
/// of one f with the lanes g of a block, and of the target with h, g and f. `weight` is the sum of the weights.
struct ProductLanes {
    const float *fg, *hf, *hg, *hh, *ht, *rg;
    float rf, weight;
};

/// Every dot product is summed in the order of the rows, multiplied and added in two roundings, so all sets give the same bits.
struct ScanKernels {
    /// out[q * kPanelLanes + lane] = sum over k < m of a[q][k] * block[k * kPanelLanes + lane], q < kScanRows.
    void (*dots)(const float* const* a, const float* block, std::size_t m, float* out) noexcept;

    /// For columns of norm 1 and one vector f of norm 1: g = <f, column>, rj = <t, column>, ri = <t, f>. Bit `lane` is set where
    /// the least-squares fit of t by f and the column leaves less than `bound` of the square: 1 - R^2 < bound.
    std::uint32_t (*pair_hits)(const float* g, const float* rj, float ri, float bound) noexcept;

    /// Bit `lane` is set where b[lane]^2 > least * (h[lane] - c[lane]^2) and the bracket is positive: a column, after projection,
    /// explains more than `least` of the rest. h: squared norm, c: part along what is fixed, b: product with the rest.
    std::uint32_t (*gain_hits)(const float* b, const float* h, const float* c, float least) noexcept;

    /// left[lane] = 1 - R^2 of t ~ 1, f, g, f g; 1 where the product is not worth its constants. Bit `lane` is set where
    /// left < bound.
    std::uint32_t (*product_hits)(const ProductLanes& lanes, float bound, float* left) noexcept;
};

/// One exported symbol each.
namespace scan_baseline {
const ScanKernels& kernels() noexcept;
}
namespace scan_x86_v3 {
const ScanKernels& kernels() noexcept;
}
namespace scan_x86_v4 {
const ScanKernels& kernels() noexcept;
}

}  // namespace balmer::search
