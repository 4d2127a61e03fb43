#include "balmer/eval/dataset.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "eval/dispatch.hpp"
#include "eval/padded_columns.hpp"
#include "eval/row_sum.hpp"

namespace balmer {
namespace {

using eval::column_stride;

std::string place(const std::string& what, std::size_t row) { return what + " at row " + std::to_string(row); }

/// The name is put together only for a bad value: this is asked once for every number of the data.
template <class Name>
void check_finite(double value, Name name, std::size_t row) {
    if (!std::isfinite(value)) {
        throw std::invalid_argument(place(name(), row) + " is " + (std::isnan(value) ? "NaN" : "infinite") +
                                    ": remove or replace such rows");
    }
}

void check_target(std::span<const double> target, std::size_t rows) {
    if (target.size() != rows) {
        throw std::invalid_argument("the target has " + std::to_string(target.size()) + " values, X has " +
                                    std::to_string(rows) + " rows: there must be one value per row");
    }
    if (eval::kernels().f64.all_finite(target.data(), rows)) {
        return;
    }
    for (std::size_t i = 0; i < rows; ++i) {
        check_finite(target[i], [] { return "the target"; }, i);
    }
}

/// Sum of f(i) over i < n, in lanes: the adders wait for each other in a single sum.
template <class F>
double sum_rows(std::size_t n, F f) {
    alignas(kAlignment) double lanes[eval::kSumLanes] = {};
    eval::add_rows(n, lanes, f);
    return eval::sum_lanes(lanes);
}

/// 0, n/2, n/4, 3n/4, n/8, ...: the places 0..n-1 in the order of their reversed bits.
std::vector<std::uint32_t> bit_reversed(std::size_t n) {
    unsigned bits = 0;
    while ((std::size_t{1} << bits) < n) {
        ++bits;
    }
    std::vector<std::uint32_t> order;
    order.reserve(n);
    for (std::size_t i = 0; i < (std::size_t{1} << bits); ++i) {
        std::size_t reversed = 0;
        for (unsigned b = 0; b < bits; ++b) {
            reversed |= ((i >> b) & 1U) << (bits - 1 - b);
        }
        if (reversed < n) {
            order.push_back(static_cast<std::uint32_t>(reversed));
        }
    }
    return order;
}

/// Every prefix of the order is spread over the quantiles of `target`. The first rows are, each within its stratum of
/// quantiles, the ones farthest in (scaled) X from those before them.
template <class S>
std::vector<std::uint32_t> ladder(const MatrixView<S>& X, std::span<const double> target) {
    constexpr std::size_t kSpread = 64;        // rows chosen for their place in X
    constexpr std::size_t kStratumLimit = 32;  // candidates looked at for each
    const std::size_t n = X.rows;
    std::vector<std::uint32_t> sorted(n);
    std::iota(sorted.begin(), sorted.end(), 0U);
    if (!target.empty()) {
        std::stable_sort(sorted.begin(), sorted.end(), [&](auto i, auto j) { return target[i] < target[j]; });
    }
    const auto at = [&](std::size_t row, std::size_t j) {
        return static_cast<double>(X.data[row * X.row_stride + j * X.column_stride]);
    };
    if (n > 2 * kSpread) {
        std::vector<double> inverse_range(X.columns);
        for (std::size_t j = 0; j < X.columns; ++j) {
            double low = at(0, j), high = low;
            for (std::size_t i = 1; i < n; ++i) {
                low = std::min(low, at(i, j));
                high = std::max(high, at(i, j));
            }
            inverse_range[j] = high > low ? 1 / (high - low) : 0;
        }
        std::vector<std::uint32_t> chosen;
        for (const std::uint32_t stratum : bit_reversed(kSpread)) {
            const std::size_t first = stratum * n / kSpread, last = (stratum + 1) * n / kSpread;
            const std::size_t step = std::max<std::size_t>(1, (last - first) / kStratumLimit);
            std::size_t best = first;
            double best_distance = -1;
            for (std::size_t i = first; i < last; i += step) {
                double nearest = std::numeric_limits<double>::infinity();
                for (const std::uint32_t other : chosen) {
                    double distance = 0;
                    for (std::size_t j = 0; j < X.columns; ++j) {
                        const double d = (at(sorted[i], j) - at(other, j)) * inverse_range[j];
                        distance += d * d;
                    }
                    nearest = std::min(nearest, distance);
                }
                if (nearest > best_distance) {
                    best_distance = nearest;
                    best = i;
                }
            }
            chosen.push_back(sorted[best]);
            std::swap(sorted[best], sorted[first]);  // the first of each stratum is what the order below takes first
        }
        std::vector<bool> taken(n, false);
        for (const auto row : chosen) {
            taken[row] = true;
        }
        for (const std::uint32_t i : bit_reversed(n)) {
            if (!taken[sorted[i]]) {
                chosen.push_back(sorted[i]);
            }
        }
        return chosen;
    }
    std::vector<std::uint32_t> order;
    order.reserve(n);
    for (const std::uint32_t i : bit_reversed(n)) {
        order.push_back(sorted[i]);
    }
    return order;
}

}  // namespace

template <class T>
template <class S>
Dataset<T>::Dataset(MatrixView<S> X, std::span<const double> target, std::span<const double> weights, RowOrder order)
    : n_rows_(X.rows) {
    if (X.rows == 0) {
        throw std::invalid_argument("X has no rows: at least one is needed");
    }
    if (X.rows > std::numeric_limits<std::uint32_t>::max() - kLanes) {
        throw std::invalid_argument("X has " + std::to_string(X.rows) + " rows: more than 2^32 are not supported");
    }
    if (X.columns > storage_.max_size() / column_stride<T>(X.rows)) {
        throw std::invalid_argument("X has " + std::to_string(X.rows) + " rows and " + std::to_string(X.columns) +
                                    " columns: so many values cannot be addressed");
    }
    if (!target.empty()) {
        check_target(target, X.rows);
    }
    if (!weights.empty() && weights.size() != X.rows) {
        throw std::invalid_argument("there are " + std::to_string(weights.size()) + " weights, X has " +
                                    std::to_string(X.rows) + " rows: there must be one weight per row");
    }
    if (order == RowOrder::ladder) {
        for (std::size_t j = 0; j < X.columns; ++j) {
            for (std::size_t i = 0; i < X.rows; ++i) {
                check_finite(
                    static_cast<double>(X.data[i * X.row_stride + j * X.column_stride]),
                    [j] { return "feature " + std::to_string(j); }, i);
            }
        }
        order_ = ladder(X, target);
    }
    const auto row_of = [&](std::size_t i) { return order_.empty() ? i : order_[i]; };

    const std::size_t stride = column_stride<T>(n_rows_);
    storage_.resize(stride * X.columns);
    columns_.resize(X.columns);
    for (std::size_t j = 0; j < X.columns; ++j) {
        T* out = storage_.data() + j * stride;
        const S* in = X.data + j * X.column_stride;
        if (order == RowOrder::as_given) {
            for (std::size_t i = 0; i < n_rows_; ++i) {
                out[i] = static_cast<T>(in[i * X.row_stride]);
            }
        } else {
            for (std::size_t i = 0; i < n_rows_; ++i) {
                out[i] = static_cast<T>(in[order_[i] * X.row_stride]);
            }
        }
        std::fill(out + n_rows_, out + stride, out[n_rows_ - 1]);
        columns_[j] = out;
        // Four such factors overflow.
        const T large = static_cast<T>(sizeof(T) == 8 ? 1e75 : 1e9);
        for (std::size_t i = 0; i < n_rows_ && !extreme_; ++i) {
            const T magnitude = std::abs(out[i]);
            extreme_ = magnitude > large || (magnitude > 0 && magnitude < 1 / large);
        }
    }
    if (!weights.empty()) {
        weights_.assign(padded(n_rows_), T(0));
        weight_sums_.assign(n_rows_ + 1, 0.0);
        for (std::size_t i = 0; i < n_rows_; ++i) {
            const double w = weights[row_of(i)];
            check_finite(w, [] { return "the weight"; }, row_of(i));
            if (w < 0) {
                throw std::invalid_argument(place("the weight", row_of(i)) + " is " + std::to_string(w) +
                                            ": weights must not be negative");
            }
            weights_[i] = static_cast<T>(w);
            weight_sums_[i + 1] = weight_sums_[i] + static_cast<double>(weights_[i]);
        }
        if (!(weight_sums_.back() > 0)) {
            throw std::invalid_argument("all weights are 0: at least one row must count");
        }
    }
    if (!target.empty()) {
        put_target(target);
    }
}

template <class T>
void Dataset<T>::set_target(std::span<const double> target) {
    check_target(target, n_rows_);
    put_target(target);
}

/// Copies a target that was checked. Its moments take two passes over scaled values, so that targets near the ends of the
/// double range keep their variance finite.
template <class T>
void Dataset<T>::put_target(std::span<const double> target) {
    target_.resize(padded(n_rows_));
    for (std::size_t i = 0; i < n_rows_; ++i) {
        target_[i] = static_cast<T>(target[order_.empty() ? i : order_[i]]);
    }
    std::fill(target_.begin() + static_cast<std::ptrdiff_t>(n_rows_), target_.end(), target_[n_rows_ - 1]);
    const double total = weight_sum(n_rows_), equal = 1 / total;
    const T *const y = target_.data(), *const w = weights();
    const auto mean_of = [&](auto f) {  // of f(share, y)
        return w == nullptr ? sum_rows(n_rows_, [&](std::size_t i) { return f(equal, static_cast<double>(y[i])); })
                            : sum_rows(n_rows_, [&](std::size_t i) {
                                  return f(static_cast<double>(w[i]) / total, static_cast<double>(y[i]));
                              });
    };
    target_mean_ = mean_of([](double share, double value) { return share * value; });
    target_variance_ = mean_of([mean = target_mean_](double share, double value) {
        const double d = value - mean;
        return share * d * d;
    });
}

template <class T>
Dataset<T> Dataset<T>::view(MatrixView<T> X) {
    if (X.rows == 0) {
        throw std::invalid_argument("X has no rows: at least one is needed");
    }
    Dataset out;
    out.n_rows_ = X.rows;
    out.padded_ = false;
    out.columns_.resize(X.columns);
    for (std::size_t j = 0; j < X.columns; ++j) {
        out.columns_[j] = X.data + j * X.column_stride;
    }
    return out;
}

template <class T>
Dataset<T>::Dataset(const Dataset& other)
    : n_rows_(other.n_rows_),
      padded_(other.padded_),
      extreme_(other.extreme_),
      storage_(other.storage_),
      columns_(other.columns_),
      target_(other.target_),
      weights_(other.weights_),
      weight_sums_(other.weight_sums_),
      order_(other.order_),
      target_mean_(other.target_mean_),
      target_variance_(other.target_variance_) {
    if (!storage_.empty()) {
        for (auto& column : columns_) {
            column = storage_.data() + (column - other.storage_.data());
        }
    }
}

template <class T>
Dataset<T>& Dataset<T>::operator=(const Dataset& other) {
    if (this != &other) {
        *this = Dataset(other);
    }
    return *this;
}

template <class T>
std::vector<std::size_t> Dataset<T>::rungs(std::size_t first) const {
    std::vector<std::size_t> out;
    for (std::size_t size = first; size < n_rows_; size = size < 4096 ? 4096 : size * 8) {
        out.push_back(size);
    }
    out.push_back(n_rows_);
    return out;
}

template class Dataset<double>;
template class Dataset<float>;
template Dataset<double>::Dataset(MatrixView<double>, std::span<const double>, std::span<const double>, RowOrder);
template Dataset<double>::Dataset(MatrixView<float>, std::span<const double>, std::span<const double>, RowOrder);
template Dataset<float>::Dataset(MatrixView<double>, std::span<const double>, std::span<const double>, RowOrder);
template Dataset<float>::Dataset(MatrixView<float>, std::span<const double>, std::span<const double>, RowOrder);

}  // namespace balmer
