// Functions of single features, computed once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "balmer/core/aligned.hpp"
#include "balmer/eval/evaluator.hpp"

namespace balmer::eval {

/// The columns sin(x0), sin(x1), ..., exp(x0), ... of a dataset: a search meets them in most of its formulas.
template <class T>
class KnownColumns {
   public:
    /// Of those of `operators` that are built in and have one operand. Nothing for data that are not padded, or where the
    /// columns would be too large to stay in the cache. `data` may go afterwards.
    KnownColumns(const Dataset<T>& data, std::span<const Op> operators, const OperatorSet& set);

    /// The column of `op` over the feature, readable like those of the data; null if it is not known.
    [[nodiscard]] const T* find(Op op, std::size_t feature) const noexcept {
        const std::int16_t place = places_[static_cast<std::size_t>(op)];
        return place < 0 ? nullptr
                         : columns_.data() + (static_cast<std::size_t>(place) * n_features_ + feature) * stride_;
    }

   private:
    std::array<std::int16_t, 256> places_;  // by operator; -1: not known
    std::size_t n_features_, stride_;
    AlignedVector<T> columns_;
};

/// Evaluator::mean_squared_error with the known columns of the same data, if there are any: the same bits in less time.
template <class T>
[[nodiscard]] double mean_squared_error(const Evaluator<T>& evaluator, const Expression& expression, std::size_t rows,
                                        Workspace<T>& workspace, double bound, const KnownColumns<T>* known);

}  // namespace balmer::eval
