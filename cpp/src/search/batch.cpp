#include "search/batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace balmer {

BatchSampler::BatchSampler(const Dataset<double>& data, std::size_t size) : data_(&data), size_(size) {
    if (const double* weights = data.weights()) {
        for (std::size_t i = 0; i < data.n_rows(); ++i) {
            if (weights[i] > 0) rows_.push_back(static_cast<std::uint32_t>(i));
        }
        size_ = std::min(size_, rows_.size());
        weights_.resize(size_);
    }
    size_ = std::min(size_, data.n_rows());
    features_.resize(size_ * data.n_features());
    target_.resize(size_);
}

Dataset<double> BatchSampler::draw(Rng rng) {
    const std::size_t available = rows_.empty() ? data_->n_rows() : rows_.size();
    for (std::size_t k = 0; k < size_; ++k) {
        const std::size_t first = available * k / size_, last = available * (k + 1) / size_;
        std::size_t row = first + rng.below(static_cast<std::uint32_t>(last - first));
        if (!rows_.empty()) row = rows_[row];
        for (std::size_t j = 0; j < data_->n_features(); ++j) features_[j * size_ + k] = data_->column(j)[row];
        target_[k] = data_->target()[row];
        if (!weights_.empty()) weights_[k] = data_->weights()[row];
    }
    const MatrixView<double> X{features_.data(), size_, data_->n_features(), 1, size_};
    return Dataset<double>(X, target_, weights_, RowOrder::as_given);
}

namespace {

constexpr double kLeastNormal = std::numeric_limits<double>::min();

/// Takes out the rows whose target lies beyond Tukey's fences.
void drop_outliers(const Dataset<double>& data, std::vector<std::size_t>& rows) {
    std::vector<double> sorted;
    for (const std::size_t row : rows) sorted.push_back(data.target()[row]);
    std::ranges::sort(sorted);
    const double low = sorted[sorted.size() / 4], high = sorted[sorted.size() - 1 - sorted.size() / 4];
    const double reach = 1.5 * (high - low);
    if (!(reach > 0)) return;  // more than half of the rows are equal: no scale
    std::erase_if(rows, [&](std::size_t row) {
        const double y = data.target()[row];
        return y < low - reach || y > high + reach;
    });
}

}  // namespace

bool underflows(const Dataset<double>& data) {
    std::size_t subnormal = 0, zero = 0;
    for (std::size_t i = 0; i < data.n_rows(); ++i) {
        const double y = std::abs(data.target()[i]);
        zero += y == 0 ? 1 : 0;
        subnormal += y != 0 && y < kLeastNormal ? 1 : 0;
    }
    return subnormal > 0 && 2 * (subnormal + zero) <= data.n_rows();
}

Dataset<double> first_rows_of(const Dataset<double>& data, std::size_t rows, Outliers outliers) {
    const double least = underflows(data) ? kLeastNormal : 0;
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < data.n_rows() && chosen.size() < rows; ++i) {
        const bool counts = data.weights() == nullptr || data.weights()[i] > 0;
        if (counts && std::abs(data.target()[i]) >= least) chosen.push_back(i);
    }
    if (outliers == Outliers::dropped) drop_outliers(data, chosen);
    const std::size_t n = chosen.size();
    std::vector<double> features(n * data.n_features()), target(n), weights;
    for (std::size_t j = 0; j < data.n_features(); ++j) {
        for (std::size_t k = 0; k < n; ++k) features[j * n + k] = data.column(j)[chosen[k]];
    }
    for (std::size_t k = 0; k < n; ++k) target[k] = data.target()[chosen[k]];
    if (data.weights() != nullptr) {
        for (const std::size_t row : chosen) weights.push_back(data.weights()[row]);
    }
    return Dataset<double>(MatrixView<double>{features.data(), n, data.n_features(), 1, n}, target, weights,
                           RowOrder::as_given);
}

}  // namespace balmer
