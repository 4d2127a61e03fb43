// Columns that can be read by whole vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "balmer/eval/dataset.hpp"

namespace balmer::eval {

/// Odd number of cache lines between columns, so that the same row of many columns does not fall into one cache set.
template <class T>
std::size_t column_stride(std::size_t rows) {
    constexpr std::size_t line = kAlignment / sizeof(T);
    const std::size_t lines = padded(rows) / line + (padded(rows) % line != 0 ? 1 : 0);
    return (lines | 1) * line;
}

/// Room for some rows of all columns of a dataset: aligned, and padded with copies of the last one.
template <class T>
class PaddedColumns {
   public:
    PaddedColumns() = default;
    PaddedColumns(std::size_t n_columns, std::size_t n_rows) : stride_(column_stride<T>(n_rows)) {
        storage_.resize(n_columns * stride_);
        for (std::size_t j = 0; j < n_columns; ++j) {
            columns_.push_back(storage_.data() + j * stride_);
        }
    }
    PaddedColumns(PaddedColumns&&) noexcept = default;
    PaddedColumns& operator=(PaddedColumns&&) noexcept = default;

    /// The rows of `data` from `first` on.
    PaddedColumns(const Dataset<T>& data, std::size_t first) : PaddedColumns(data.n_features(), data.n_rows() - first) {
        copy(data, first, data.n_rows());
    }

    /// Rows [first, last) of `data` come to the places from 0 on, if they are not there yet. There must be room.
    void copy(const Dataset<T>& data, std::size_t first, std::size_t last) {
        if (first == first_ && last == last_) {
            return;
        }
        const std::size_t rows = last - first;
        for (std::size_t j = 0; j < columns_.size(); ++j) {
            T* const out = storage_.data() + j * stride_;
            std::copy_n(data.column(j) + first, rows, out);
            std::fill(out + rows, out + padded(rows), out[rows - 1]);
        }
        first_ = first;
        last_ = last;
    }

    [[nodiscard]] std::span<const T* const> columns() const noexcept { return columns_; }

   private:
    std::size_t stride_ = 0;
    AlignedVector<T> storage_;
    std::vector<const T*> columns_;
    std::size_t first_ = 0, last_ = 0;  // the rows that are here
};

}  // namespace balmer::eval
