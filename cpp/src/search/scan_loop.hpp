// The loop that all scans of closed-form families share: blocks of rows on several threads, and the best hits of each thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/parallel.hpp"
#include "search/families.hpp"
#include "search/scan_kernels.hpp"

namespace balmer::search {

/// sum a[k] b[k] over 16 virtual lanes: the same bits for every width of the registers.
[[nodiscard]] float dot(const float* a, const float* b, std::size_t n) noexcept;

/// Smallest and largest complexity in each block of a panel.
struct BlockRange {
    std::size_t low, high;
};

[[nodiscard]] std::vector<BlockRange> block_ranges(std::span<const Atom> atoms, std::size_t blocks);

/// The hits of all targets, one target after the other.
[[nodiscard]] std::vector<Hit> all_hits(const std::vector<HitBuckets>& buckets);

/// Runs body(first row, its buckets) for blocks of kScanRows rows, on several threads, and merges what they found.
template <class Body>
[[nodiscard]] std::vector<Hit> for_row_blocks(std::size_t rows, std::size_t targets, const ScanOptions& options,
                                              const Body& body) {
    const auto blocks = static_cast<std::ptrdiff_t>((rows + kScanRows - 1) / kScanRows);
    const std::vector<HitBuckets> empty(targets, HitBuckets(options.keep, options.bound));
    std::vector<std::vector<HitBuckets>> of_thread(static_cast<std::size_t>(std::max(1, options.n_threads)), empty);
    constexpr int kChunk = 4;
    const auto scan = [&](std::ptrdiff_t b, int thread) {
        body(static_cast<std::size_t>(b) * kScanRows, of_thread[static_cast<std::size_t>(thread)]);
    };
    parallel_for(blocks, options.n_threads, scan, kChunk);
    std::vector<HitBuckets>& merged = of_thread.front();
    for (const std::vector<HitBuckets>& own : std::span(of_thread).subspan(1)) {
        for (std::size_t t = 0; t < targets; ++t) merged[t].merge(own[t]);
    }
    return all_hits(merged);
}

}  // namespace balmer::search
