// Rows of numbers: the features, the target and the weights that an expression is held against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"

namespace balmer {

/// A matrix that somebody else holds: element (row, column) is data[row * row_stride + column * column_stride].
template <class T>
struct MatrixView {
    const T* data = nullptr;
    std::size_t rows = 0, columns = 0;
    std::size_t row_stride = 1, column_stride = 0;
};

enum class RowOrder : std::uint8_t {
    as_given,
    ladder,  ///< every prefix is spread over the quantiles of the target, the first 64 rows over the features as well
};

/// Columns of features, optionally a target and weights, aligned and padded with copies of the last row.
///
/// In the order `ladder` each prefix of the rows is a fair sample, so a search may screen candidates on 64 rows, then on
/// more: a nested ladder of rungs. A value: const use from several threads is safe.
template <class T>
class Dataset {
   public:
    Dataset() = default;

    /// Copies. `target` and `weights` are empty or have one value per row; every one is finite, weights are not negative
    /// and not all zero, and in the order `ladder` features are finite too. Throws std::invalid_argument, naming the first
    /// bad value and its place, if that is not so.
    template <class S>
    explicit Dataset(MatrixView<S> X, std::span<const double> target = {}, std::span<const double> weights = {},
                     RowOrder order = RowOrder::as_given);

    /// Another target for the rows, its values in the order in which the constructor was given them; row_order() stays as it
    /// is. Throws as the constructor does; the dataset is then as it was.
    void set_target(std::span<const double> target);

    /// Refers to `X` instead of copying (columns contiguous: row_stride 1); values are not checked. `X` must outlive this.
    [[nodiscard]] static Dataset view(MatrixView<T> X);

    [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }
    [[nodiscard]] std::size_t n_features() const noexcept { return columns_.size(); }
    [[nodiscard]] const T* column(std::size_t j) const noexcept { return columns_[j]; }
    [[nodiscard]] std::span<const T* const> columns() const noexcept { return columns_; }
    [[nodiscard]] const T* target() const noexcept { return target_.empty() ? nullptr : target_.data(); }
    [[nodiscard]] const T* weights() const noexcept { return weights_.empty() ? nullptr : weights_.data(); }
    /// Whether columns may be read up to the next multiple of kLanes rows.
    [[nodiscard]] bool is_padded() const noexcept { return padded_; }

    /// Whether features are so large or small that products of a few leave the range of T (false for a view).
    [[nodiscard]] bool is_extreme() const noexcept { return extreme_; }

    /// Sum of the weights of the first `rows` rows (their number, without weights).
    [[nodiscard]] double weight_sum(std::size_t rows) const noexcept {
        return weight_sums_.empty() ? static_cast<double>(rows) : weight_sums_[rows];
    }
    /// The row of the input that stands at each place; empty if that is the place itself (order as_given).
    [[nodiscard]] std::span<const std::uint32_t> row_order() const noexcept { return order_; }
    /// Sizes of the prefixes to screen on: 64 (256 when the data have noise to average), 4096, 32768, ..., all.
    [[nodiscard]] std::vector<std::size_t> rungs(std::size_t first = 64) const;

    /// Weighted mean and variance (divided by the sum of weights) of the target.
    [[nodiscard]] double target_mean() const noexcept { return target_mean_; }
    [[nodiscard]] double target_variance() const noexcept { return target_variance_; }

   private:
    void put_target(std::span<const double> target);

    std::size_t n_rows_ = 0;
    bool padded_ = true, extreme_ = false;
    AlignedVector<T> storage_;
    std::vector<const T*> columns_;
    AlignedVector<T> target_, weights_;
    std::vector<double> weight_sums_;  // prefix sums, n_rows + 1 values; empty without weights
    std::vector<std::uint32_t> order_;
    double target_mean_ = 0, target_variance_ = 0;

   public:
    Dataset(const Dataset& other);
    Dataset& operator=(const Dataset& other);
    Dataset(Dataset&&) noexcept = default;
    Dataset& operator=(Dataset&&) noexcept = default;
    ~Dataset() = default;
};

}  // namespace balmer
