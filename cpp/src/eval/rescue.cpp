#include "eval/rescue.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace balmer::eval {

template <class T>
void Rescue<T>::begin(const Expression& expression, const OperatorSet& operators,
                      std::span<const T* const> columns) noexcept {
    expression_ = &expression;
    operators_ = &operators;
    columns_ = columns;
    compiled_ = false;
}

template <class T>
void Rescue<T>::compile() {
    used_.clear();
    for (const Node& node : expression_->nodes) {
        if (node.op == Op::Feature && std::find(used_.begin(), used_.end(), node.index) == used_.end()) {
            used_.push_back(node.index);
        }
    }
    gathered_.reserve(used_.size() * kMaxBlockRows);
    gathered_columns_.assign(columns_.size(), nullptr);
    for (std::size_t k = 0; k < used_.size(); ++k) {
        gathered_columns_[used_[k]] = gathered_.data() + k * kMaxBlockRows;
    }
    program_.compile(*expression_, *operators_, gathered_columns_, kMaxBlockRows, Derivatives::none, Range::extended);
    compiled_ = true;
}

template <class T>
void Rescue<T>::compute(const RowSet& rows, std::size_t first, T* values) {
    if (!compiled_) {
        compile();
    }
    std::array<std::uint16_t, kMaxBlockRows> places;
    std::size_t count = 0;
    for (std::size_t word = 0; word < rows.size(); ++word) {
        for (unsigned bits = rows[word]; bits != 0; bits &= bits - 1) {
            places[count++] = static_cast<std::uint16_t>(word * kSumLanes + std::countr_zero(bits));
        }
    }
    std::fill(places.begin() + count, places.begin() + padded(count), places[0]);
    for (std::size_t k = 0; k < used_.size(); ++k) {
        const T* const from = columns_[used_[k]] + first;
        T* const to = gathered_.data() + k * kMaxBlockRows;
        std::transform(places.begin(), places.begin() + padded(count), to, [&](std::size_t i) { return from[i]; });
    }
    for (std::size_t done = 0; done < count; done += program_.block_rows()) {
        const std::size_t n = std::min(program_.block_rows(), count - done);
        const T* const found = program_.run(done, padded(n));
        for (std::size_t i = 0; i < n; ++i) {
            values[places[done + i]] = found[i];
        }
    }
}

template class Rescue<double>;
template class Rescue<float>;

}  // namespace balmer::eval
