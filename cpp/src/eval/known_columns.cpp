#include "eval/known_columns.hpp"

#include <vector>

#include "eval/dispatch.hpp"
#include "eval/padded_columns.hpp"

namespace balmer::eval {
namespace {

/// Half of a second-level cache.
constexpr std::size_t kLargestBytes = std::size_t{512} << 10;

}  // namespace

template <class T>
KnownColumns<T>::KnownColumns(const Dataset<T>& data, std::span<const Op> operators, const OperatorSet& set)
    : n_features_(data.n_features()), stride_(column_stride<T>(data.n_rows())) {
    places_.fill(-1);
    std::vector<Op> known;
    for (const Op op : operators) {
        if (!OperatorSet::is_user(op) && set.arity(op) == 1) known.push_back(op);
    }
    const std::size_t size = known.size() * n_features_ * stride_;
    if (!data.is_padded() || size * sizeof(T) > kLargestBytes) return;
    columns_.resize(size);
    const KernelTable& table = kernels();
    const FlushSubnormals scope(table);
    T* out = columns_.data();
    for (std::size_t k = 0; k < known.size(); ++k) {
        const auto code = static_cast<std::size_t>(known[k]);
        places_[code] = static_cast<std::int16_t>(k);
        const ForwardKernel<T> kernel = kernels_of<T>(table).forward[code - kFirstOp][vv];
        for (std::size_t j = 0; j < n_features_; ++j, out += stride_) {
            kernel(out, data.column(j), data.column(j), nullptr, padded(data.n_rows()));
        }
    }
}

template class KnownColumns<double>;
template class KnownColumns<float>;

}  // namespace balmer::eval
