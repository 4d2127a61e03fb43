// The family a f g + b f + c g + d: for all pairs of atoms at once, as matrix products of standardised columns.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "search/families.hpp"
#include "search/scan_dispatch.hpp"
#include "search/scan_loop.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kLanes = kPanelLanes;
constexpr double kLeastWeight = 1e-3;  // of the largest root weight: below, a row counts nothing here

/// 1 / root weight, which makes the product of two weighted columns a weighted product.
std::vector<float> inverse_weights(std::span<const double> root_weight, std::size_t rows) {
    std::vector<float> inverse(rows, 1.0F);
    if (root_weight.empty()) return inverse;
    const double largest = *std::ranges::max_element(root_weight);
    for (std::size_t k = 0; k < rows; ++k) {
        inverse[k] = root_weight[k] > kLeastWeight * largest ? static_cast<float>(1 / root_weight[k]) : 0.0F;
    }
    return inverse;
}

double sum_of_weights(std::span<const double> root_weight, std::size_t rows) {
    if (root_weight.empty()) return static_cast<double>(rows);
    double sum = 0;
    for (const double w : root_weight) sum += w * w;
    return sum;
}

/// Inner products of kScanRows vectors f with the lanes g of a block; h is the weighted product f g.
struct Products {
    float fg[kScanRows * kLanes], hf[kScanRows * kLanes], hg[kScanRows * kLanes], hh[kScanRows * kLanes];
};

}  // namespace

std::vector<Hit> scan_bilinear(const Panel& panel, std::span<const Atom> atoms, std::size_t count,
                               const ScanTargets& targets, const ScanOptions& options) {
    const std::size_t m = panel.rows(), n = std::min(count, atoms.size()), n_targets = targets.values.size();
    const ScanKernels& kernels = scan_kernels();
    const std::vector<float> inverse = inverse_weights(targets.root_weight, m);
    const auto weight = static_cast<float>(sum_of_weights(targets.root_weight, m));
    Panel squared(n, m);
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < m; ++k) {
            squared.column(j)[k] = panel.column(j)[k] * panel.column(j)[k] * inverse[k];
        }
    }
    squared.arrange();
    std::vector<std::vector<float>> t(n_targets), r(n_targets);
    for (std::size_t z = 0; z < n_targets; ++z) {
        std::vector<float> unit(m);
        if (!standardise(targets.values[z].data(), targets.root_weight, m, unit.data())) continue;
        r[z].assign(squared.blocks() * kLanes, 0.0F);
        for (std::size_t j = 0; j < n; ++j) r[z][j] = dot(panel.column(j), unit.data(), m);
        for (std::size_t k = 0; k < m; ++k) unit[k] *= inverse[k];
        t[z] = std::move(unit);
    }
    const std::vector<BlockRange> ranges = block_ranges(atoms.first(n), squared.blocks());
    const auto limit = static_cast<std::size_t>(options.max_complexity);
    return for_row_blocks(n, n_targets, options, [&](std::size_t i0, std::vector<HitBuckets>& buckets) {
        const std::size_t rows = std::min(kScanRows, n - i0);
        const float *f[kScanRows], *ff[kScanRows];
        for (std::size_t q = 0; q < kScanRows; ++q) {
            f[q] = panel.column(i0 + std::min(q, rows - 1));
            ff[q] = squared.column(i0 + std::min(q, rows - 1));
        }
        std::vector<float> ft(n_targets * kScanRows * m);
        for (std::size_t z = 0; z < n_targets; ++z) {
            for (std::size_t q = 0; q < kScanRows && !t[z].empty(); ++q) {
                for (std::size_t k = 0; k < m; ++k) ft[(z * kScanRows + q) * m + k] = f[q][k] * t[z][k];
            }
        }
        Products p;
        float ht[kScanRows * kLanes], left[kLanes];
        for (std::size_t b = 0; b <= (i0 + rows - 1) / kLanes; ++b) {
            if (ranges[b].low + atoms[i0].complexity > limit) break;
            kernels.dots(f, panel.block(b), m, p.fg);
            kernels.dots(ff, panel.block(b), m, p.hf);
            kernels.dots(f, squared.block(b), m, p.hg);
            kernels.dots(ff, squared.block(b), m, p.hh);
            for (std::size_t z = 0; z < n_targets; ++z) {
                if (t[z].empty()) continue;
                const float* ft_rows[kScanRows];
                for (std::size_t q = 0; q < kScanRows; ++q) ft_rows[q] = &ft[(z * kScanRows + q) * m];
                kernels.dots(ft_rows, panel.block(b), m, ht);
                for (std::size_t q = 0; q < rows; ++q) {
                    const std::size_t i = i0 + q;
                    const std::size_t base = atoms[i].complexity + static_cast<std::size_t>(targets.overhead[z]) + 3;
                    const float bound = buckets[z].bound(base + ranges[b].low, base + ranges[b].high);
                    const std::size_t at = q * kLanes;
                    const ProductLanes lanes{p.fg + at, p.hf + at,         p.hg + at, p.hh + at,
                                             ht + at,   &r[z][b * kLanes], r[z][i],   weight};
                    for (std::uint32_t hits = kernels.product_hits(lanes, bound, left); hits != 0; hits &= hits - 1) {
                        const auto lane = static_cast<std::size_t>(std::countr_zero(hits));
                        const std::size_t j = b * kLanes + lane;
                        if (j > i) break;
                        const std::size_t complexity = base + atoms[j].complexity;
                        if (complexity > limit) continue;
                        buckets[z].add({left[lane], static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j),
                                        static_cast<std::uint16_t>(z), static_cast<std::uint16_t>(complexity),
                                        Family::bilinear});
                    }
                }
            }
        }
    });
}

}  // namespace balmer::search
