#include "search/families.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <tuple>

#include "search/scan_dispatch.hpp"
#include "search/scan_loop.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kLanes = kPanelLanes;
constexpr float kLeastShare = 0.3F;

}  // namespace

float dot(const float* a, const float* b, std::size_t n) noexcept {
    float lane[16] = {};
    for (std::size_t k = 0; k < n; ++k) lane[k % 16] += a[k] * b[k];
    for (std::size_t width = 8; width > 0; width /= 2) {
        for (std::size_t j = 0; j < width; ++j) lane[j] += lane[j + width];
    }
    return lane[0];
}

std::vector<BlockRange> block_ranges(std::span<const Atom> atoms, std::size_t blocks) {
    std::vector<BlockRange> ranges(blocks, {HitBuckets::kBuckets, 0});
    for (std::size_t j = 0; j < atoms.size(); ++j) {
        BlockRange& range = ranges[j / kLanes];
        range.low = std::min<std::size_t>(range.low, atoms[j].complexity);
        range.high = std::max<std::size_t>(range.high, atoms[j].complexity);
    }
    return ranges;
}

std::vector<Hit> all_hits(const std::vector<HitBuckets>& buckets) {
    std::vector<Hit> hits;
    for (const HitBuckets& b : buckets) {
        const std::vector<Hit> some = b.sorted();
        hits.insert(hits.end(), some.begin(), some.end());
    }
    return hits;
}

bool better(const Hit& a, const Hit& b) noexcept {
    return std::tie(a.left, a.i, a.j, a.target, a.family) < std::tie(b.left, b.i, b.j, b.target, b.family);
}

HitBuckets::HitBuckets(std::size_t keep, float bound) : keep_(keep) { bound_.fill(bound); }

float HitBuckets::bound(std::size_t low, std::size_t high) const noexcept {
    float largest = 0;
    for (std::size_t c = std::min(low, kBuckets - 1); c <= std::min(high, kBuckets - 1); ++c) {
        largest = std::max(largest, bound_[c]);
    }
    // The kernels compare without dividing: a little slack, so that rounding there loses nothing that `add` would keep.
    return largest * 1.00001F + 1e-12F;
}

void HitBuckets::trim(std::vector<Hit>& hits, std::size_t keep) {
    if (hits.size() <= keep) return;
    std::nth_element(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(keep) - 1, hits.end(), better);
    hits.resize(keep);
}

void HitBuckets::add(const Hit& hit) {
    const std::size_t c = std::min<std::size_t>(hit.complexity, kBuckets - 1);
    // A tie with the bound is kept: which of equals survives is decided by the total order alone.
    if (!(hit.left <= bound_[c])) return;
    hits_[c].push_back(hit);
    if (hits_[c].size() >= 4 * keep_) {
        trim(hits_[c], keep_);
        bound_[c] = hits_[c].back().left;
    }
}

void HitBuckets::merge(const HitBuckets& other) {
    for (std::size_t c = 0; c < kBuckets; ++c) {
        hits_[c].insert(hits_[c].end(), other.hits_[c].begin(), other.hits_[c].end());
        trim(hits_[c], keep_);
    }
}

std::vector<Hit> HitBuckets::sorted() const {
    std::vector<Hit> all;
    for (const std::vector<Hit>& bucket : hits_) {
        std::vector<Hit> hits = bucket;
        std::sort(hits.begin(), hits.end(), better);
        hits.resize(std::min(hits.size(), keep_));
        all.insert(all.end(), hits.begin(), hits.end());
    }
    return all;
}

std::vector<Hit> scan_pairs(const Panel& panel, std::span<const Atom> atoms, const ScanTargets& targets,
                            const ScanOptions& options) {
    const std::size_t m = panel.rows(), n_targets = targets.values.size(), n = atoms.size();
    const ScanKernels& kernels = scan_kernels();
    std::vector<std::vector<float>> r(n_targets, std::vector<float>(panel.blocks() * kLanes, 0.0F));
    std::vector<char> usable(n_targets, 1);
    std::vector<float> t(m);
    for (std::size_t q = 0; q < n_targets; ++q) {
        usable[q] = standardise(targets.values[q].data(), targets.root_weight, m, t.data()) ? 1 : 0;
        for (std::size_t j = 0; usable[q] && j < n; ++j) r[q][j] = dot(panel.column(j), t.data(), m);
    }
    const std::vector<BlockRange> ranges = block_ranges(atoms, panel.blocks());
    const auto limit = static_cast<std::size_t>(options.max_complexity);
    return for_row_blocks(n, n_targets, options, [&](std::size_t i0, std::vector<HitBuckets>& buckets) {
        const std::size_t count = std::min(kScanRows, n - i0);
        const float* a[kScanRows];
        for (std::size_t q = 0; q < kScanRows; ++q) a[q] = panel.column(i0 + std::min(q, count - 1));
        for (std::size_t q = 0; q < count; ++q) {
            for (std::size_t k = 0; k < n_targets; ++k) {
                const std::size_t complexity = atoms[i0 + q].complexity + static_cast<std::size_t>(targets.overhead[k]);
                const auto i = static_cast<std::uint32_t>(i0 + q);
                const float left = 1 - r[k][i] * r[k][i];
                if (!usable[k] || complexity > limit) continue;
                buckets[k].add({left, i, i, static_cast<std::uint16_t>(k), static_cast<std::uint16_t>(complexity),
                                Family::single});
            }
        }
        float g[kScanRows * kLanes];
        const std::size_t last_block = (i0 + count - 1) / kLanes;
        for (std::size_t b = 0; b <= last_block; ++b) {
            if (ranges[b].low + atoms[i0].complexity > limit) break;
            kernels.dots(a, panel.block(b), m, g);
            for (std::size_t q = 0; q < count; ++q) {
                const std::size_t i = i0 + q;
                if (b * kLanes >= i) break;
                const std::size_t below = i - b * kLanes;  // lanes with j < i
                const std::uint32_t lanes = below >= kLanes ? ~std::uint32_t{0} : (std::uint32_t{1} << below) - 1;
                for (std::size_t k = 0; k < n_targets; ++k) {
                    if (!usable[k]) continue;
                    const std::size_t base = atoms[i].complexity + static_cast<std::size_t>(targets.overhead[k]) + 3;
                    const float bound = buckets[k].bound(base + ranges[b].low, base + ranges[b].high);
                    std::uint32_t mask = lanes & kernels.pair_hits(g + q * kLanes, &r[k][b * kLanes], r[k][i], bound);
                    for (; mask != 0; mask &= mask - 1) {
                        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
                        const std::size_t j = b * kLanes + lane, complexity = base + atoms[j].complexity;
                        if (complexity > limit) continue;
                        const float gij = g[q * kLanes + lane], ri = r[k][i], rj = r[k][j];
                        const float left =
                            (1.0F - gij * gij - ri * ri - rj * rj + 2.0F * gij * (ri * rj)) / (1.0F - gij * gij);
                        buckets[k].add({std::max(left, 0.0F), static_cast<std::uint32_t>(i),
                                        static_cast<std::uint32_t>(j), static_cast<std::uint16_t>(k),
                                        static_cast<std::uint16_t>(complexity), Family::pair});
                    }
                }
            }
        }
    });
}

std::vector<Hit> scan_products(const Library& library, std::span<const std::uint32_t> factors,
                               std::span<const Atom> atoms, const ScanTargets& targets, const ScanOptions& options) {
    const std::size_t m = library.n_screen(), n_targets = targets.values.size();
    const ScanKernels& kernels = scan_kernels();
    // Products are not centred: f itself, and its square, under weights that the factor changes.
    const Panel plain = standard_panel(library, atoms, {});
    Panel squared(atoms.size(), m);
    for (std::size_t j = 0; j < atoms.size(); ++j) {
        for (std::size_t k = 0; k < m; ++k) squared.column(j)[k] = plain.column(j)[k] * plain.column(j)[k];
    }
    squared.arrange();
    // Targets with their centred weighted norm as the unit, so that 1 - R^2 means the same as for pairs.
    std::vector<std::vector<float>> t(n_targets, std::vector<float>(m, 0.0F));
    std::vector<float> unit(m);
    std::vector<char> usable(n_targets, 0);
    for (std::size_t q = 0; q < n_targets; ++q) {
        if (!standardise(targets.values[q].data(), targets.root_weight, m, unit.data())) continue;
        double weighted = 0, weight = 0, spread = 0;
        const auto w = [&](std::size_t k) { return targets.root_weight.empty() ? 1 : targets.root_weight[k]; };
        for (std::size_t k = 0; k < m; ++k) {
            weighted += w(k) * w(k) * targets.values[q][k];
            weight += w(k) * w(k);
        }
        for (std::size_t k = 0; k < m; ++k) {
            const double d = w(k) * (targets.values[q][k] - weighted / weight);
            spread += d * d;
        }
        for (std::size_t k = 0; k < m; ++k)
            t[q][k] = static_cast<float>(w(k) * targets.values[q][k] / std::sqrt(spread));
        usable[q] = 1;
    }
    const std::vector<BlockRange> ranges = block_ranges(atoms, plain.blocks());
    const auto limit = static_cast<std::size_t>(options.max_complexity);
    return for_row_blocks(factors.size(), n_targets, options, [&](std::size_t i0, std::vector<HitBuckets>& buckets) {
        const std::size_t count = std::min(kScanRows, factors.size() - i0);
        std::vector<float> g(kScanRows * m, 0.0F), weight(kScanRows * m, 0.0F), rest(n_targets * kScanRows * m, 0.0F);
        std::vector<float> rest_norm(n_targets * kScanRows, 0.0F);
        bool any = false;
        for (std::size_t q = 0; q < count; ++q) {
            const double* values = library.screen(factors[i0 + q]);
            double norm = 0;
            for (std::size_t k = 0; k < m; ++k) {
                const double v = values[k] * (targets.root_weight.empty() ? 1 : targets.root_weight[k]);
                norm += v * v;
            }
            if (!(norm > 0) || !std::isfinite(norm)) continue;
            any = true;
            float* gq = &g[q * m];
            for (std::size_t k = 0; k < m; ++k) {
                gq[k] = static_cast<float>(values[k] * (targets.root_weight.empty() ? 1 : targets.root_weight[k]) /
                                           std::sqrt(norm));
                weight[q * m + k] = gq[k] * gq[k];
            }
            for (std::size_t z = 0; z < n_targets; ++z) {
                if (!usable[z]) continue;
                const float along = dot(gq, t[z].data(), m);
                float* rho = &rest[(z * kScanRows + q) * m];
                for (std::size_t k = 0; k < m; ++k) rho[k] = t[z][k] - along * gq[k];
                rest_norm[z * kScanRows + q] = dot(rho, rho, m);
                for (std::size_t k = 0; k < m; ++k) rho[k] *= gq[k];
            }
        }
        if (!any) return;
        const float* weight_rows[kScanRows];
        for (std::size_t q = 0; q < kScanRows; ++q) weight_rows[q] = &weight[q * m];
        float along[kScanRows * kLanes], norm[kScanRows * kLanes], product[kScanRows * kLanes];
        for (std::size_t b = 0; b < plain.blocks(); ++b) {
            kernels.dots(weight_rows, plain.block(b), m, along);
            kernels.dots(weight_rows, squared.block(b), m, norm);
            for (std::size_t z = 0; z < n_targets; ++z) {
                if (!usable[z]) continue;
                const float* rest_rows[kScanRows];
                for (std::size_t q = 0; q < kScanRows; ++q) rest_rows[q] = &rest[(z * kScanRows + q) * m];
                kernels.dots(rest_rows, plain.block(b), m, product);
                for (std::size_t q = 0; q < count; ++q) {
                    const std::size_t base = static_cast<std::size_t>(library.complexity(factors[i0 + q])) +
                                             static_cast<std::size_t>(targets.overhead[z]) + 1;
                    const float total = rest_norm[z * kScanRows + q];
                    const float bound = buckets[z].bound(base + ranges[b].low, base + ranges[b].high);
                    // Where the factor alone leaves less than the bound, an atom must still explain a good part of that.
                    const float least = std::max(total - bound, kLeastShare * total);
                    std::uint32_t mask =
                        kernels.gain_hits(product + q * kLanes, norm + q * kLanes, along + q * kLanes, least);
                    for (; mask != 0; mask &= mask - 1) {
                        const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
                        const std::size_t j = b * kLanes + lane;
                        if (j >= atoms.size() || base + atoms[j].complexity > limit) continue;
                        const float p = product[q * kLanes + lane], c = along[q * kLanes + lane];
                        const float left = total - p * p / (norm[q * kLanes + lane] - c * c);
                        buckets[z].add({std::max(left, 0.0F), factors[i0 + q], static_cast<std::uint32_t>(j),
                                        static_cast<std::uint16_t>(z),
                                        static_cast<std::uint16_t>(base + atoms[j].complexity), Family::product});
                    }
                }
            }
        }
    });
}

std::vector<Hit> scan_rationals(const Library& library, std::span<const std::uint32_t> factors,
                                std::span<const Atom> atoms, const ScanTargets& targets, const ScanOptions& options) {
    const std::size_t m = library.n_screen();
    const ScanKernels& kernels = scan_kernels();
    const std::vector<BlockRange> ranges = block_ranges(atoms, (atoms.size() + kLanes - 1) / kLanes);
    const auto limit = static_cast<std::size_t>(options.max_complexity);
    const Panel centred = standard_panel(library, atoms, targets.root_weight);
    std::vector<Hit> all;
    for (std::size_t z = 0; z < targets.values.size(); ++z) {
        std::vector<float> t(m);
        if (!standardise(targets.values[z].data(), targets.root_weight, m, t.data())) continue;
        // Both sides without their parts along 1 and T: what is left must agree.
        Panel free = centred;
        for (std::size_t j = 0; j < atoms.size(); ++j) {
            float* f = free.column(j);
            const float along = dot(f, t.data(), m);
            const float norm = 1 - along * along;
            const float factor = norm > 1e-4F ? 1 / std::sqrt(norm) : 0.0F;
            for (std::size_t k = 0; k < m; ++k) f[k] = (f[k] - along * t[k]) * factor;
        }
        free.arrange();
        const std::vector<Hit> hits =
            for_row_blocks(factors.size(), 1, options, [&](std::size_t i0, std::vector<HitBuckets>& buckets) {
                const std::size_t count = std::min(kScanRows, factors.size() - i0);
                std::vector<double> product(m);
                std::vector<float> w(kScanRows * m, 0.0F);
                const float* rows[kScanRows];
                for (std::size_t q = 0; q < kScanRows; ++q) rows[q] = &w[q * m];
                for (std::size_t q = 0; q < count; ++q) {
                    const double* g = library.screen(factors[i0 + q]);
                    for (std::size_t k = 0; k < m; ++k) product[k] = targets.values[z][k] * g[k];
                    float* out = &w[q * m];
                    if (!standardise(product.data(), targets.root_weight, m, out)) continue;
                    const float along = dot(out, t.data(), m);
                    const float norm = 1 - along * along;
                    const float factor = norm > 1e-4F ? 1 / std::sqrt(norm) : 0.0F;
                    for (std::size_t k = 0; k < m; ++k) out[k] = (out[k] - along * t[k]) * factor;
                }
                float g[kScanRows * kLanes], ones[kLanes], zeros[kLanes] = {};
                std::fill(std::begin(ones), std::end(ones), 1.0F);
                for (std::size_t b = 0; b < free.blocks(); ++b) {
                    kernels.dots(rows, free.block(b), m, g);
                    for (std::size_t q = 0; q < count; ++q) {
                        const std::size_t base = static_cast<std::size_t>(library.complexity(factors[i0 + q])) +
                                                 static_cast<std::size_t>(targets.overhead[z]) + 3;
                        const float bound = buckets[0].bound(base + ranges[b].low, base + ranges[b].high);
                        std::uint32_t mask = kernels.gain_hits(g + q * kLanes, ones, zeros, 1 - bound);
                        for (; mask != 0; mask &= mask - 1) {
                            const auto lane = static_cast<std::size_t>(std::countr_zero(mask));
                            const std::size_t j = b * kLanes + lane;
                            if (j >= atoms.size() || base + atoms[j].complexity > limit) continue;
                            const float gij = g[q * kLanes + lane];
                            buckets[0].add({std::max(1 - gij * gij, 0.0F), factors[i0 + q],
                                            static_cast<std::uint32_t>(j), static_cast<std::uint16_t>(z),
                                            static_cast<std::uint16_t>(base + atoms[j].complexity), Family::rational});
                        }
                    }
                }
            });
        all.insert(all.end(), hits.begin(), hits.end());
    }
    return all;
}

}  // namespace balmer::search
