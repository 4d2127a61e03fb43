// Random trees of the shapes that bench/trees.py draws, and rows to run them over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/dataset.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer::bench {

enum class Set : std::uint8_t {
    arithmetic,  ///< + - * /
    full,        ///< and sin cos exp log sqrt tanh
};
[[nodiscard]] std::string_view name(Set set) noexcept;

/// A tree of about `size` nodes: operators uniform among those that fit, the nodes of a binary operator split uniformly,
/// leaves a normal constant with probability 0.3, else one of `n_features` features.
[[nodiscard]] Expression random_tree(Rng& rng, std::size_t size, Set set, std::uint32_t n_features = 10);

/// `count` trees of 5 to 50 nodes.
[[nodiscard]] std::vector<Expression> random_trees(Set set, std::size_t count, std::uint64_t seed = 1);

/// Features uniform in [0.1, 3].
template <class T>
struct Rows {
    std::vector<T> X;
    std::size_t rows, columns;

    Rows(std::size_t n_rows, std::size_t n_columns, std::uint64_t seed) : rows(n_rows), columns(n_columns) {
        Rng rng(seed, 1);
        X.resize(rows * columns);
        for (T& x : X) {
            x = static_cast<T>(0.1 + 2.9 * rng.uniform());
        }
    }
    [[nodiscard]] MatrixView<T> view() const { return {X.data(), rows, columns, 1, rows}; }
};

[[nodiscard]] std::size_t count_nodes(const std::vector<Expression>& trees);

}  // namespace balmer::bench
