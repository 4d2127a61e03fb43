// Which rows a pass visits.
#pragma once

#include <algorithm>
#include <cstddef>

#include "balmer/core/aligned.hpp"

namespace balmer::fit {

/// `length` rows from each multiple of `stride`, below `end`: all rows of a prefix, or runs spread over it.
struct RowRuns {
    std::size_t end = 0, length = 0, stride = 0;

    /// The first `rows` rows. Implicit: most callers mean that.
    RowRuns(std::size_t rows) noexcept : end(rows), length(rows), stride(rows) {}  // NOLINT

    /// `runs` runs of `length` rows (a multiple of kLanes) at equal distances: rows in the order of time or size are sampled
    /// all over. All of the first `rows` rows if there are not twice as
    /// many.
    [[nodiscard]] static RowRuns spread(std::size_t rows, std::size_t runs, std::size_t length) noexcept {
        RowRuns result(rows);
        if (rows < 2 * runs * length) {
            return result;
        }
        const std::size_t stride = (rows - length) / (runs - 1) / kLanes * kLanes;
        result.end = (runs - 1) * stride + length;
        result.length = length;
        result.stride = stride;
        return result;
    }

    [[nodiscard]] std::size_t count() const noexcept {
        return stride == length ? end : (end + stride - length) / stride * length;
    }

    /// Calls visit(first, number of rows) for each run until it returns false.
    template <class Visit>
    bool for_each_run(const Visit& visit) const {
        for (std::size_t first = 0; first < end; first += stride) {
            if (!visit(first, std::min(length, end - first))) {
                return false;
            }
        }
        return true;
    }
};

}  // namespace balmer::fit
