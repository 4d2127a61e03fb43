#include "search/batch.hpp"

#include <algorithm>
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

}  // namespace balmer
