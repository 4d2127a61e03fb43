// Rows of a law, and the seed stage on them.
#pragma once

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "balmer/core/rng.hpp"
#include "sanitized.hpp"
#include "search/seed.hpp"

namespace balmer::search::test {

using balmer::test::kSanitized;
using balmer::test::repeats;

struct Rows {
    std::vector<double> x, y, weights = {};
    std::size_t features = 0;

    [[nodiscard]] Dataset<double> dataset() const {
        return Dataset<double>(MatrixView<double>{x.data(), y.size(), features, features, 1}, y, weights,
                               RowOrder::ladder);
    }
};

/// Rows with features uniform in [1, 4] and a target with noise relative to its root mean square.
template <class F>
Rows rows_of(std::size_t n, std::size_t features, F law, double noise = 0) {
    Rows rows;
    rows.features = features;
    Rng rng(11, 0);
    double square = 0;
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<double> x(features);
        for (double& v : x) v = 1 + 3 * rng.uniform();
        rows.y.push_back(law(x));
        square += rows.y.back() * rows.y.back();
        rows.x.insert(rows.x.end(), x.begin(), x.end());
    }
    for (double& y : rows.y) y += noise * std::sqrt(square / static_cast<double>(n)) * rng.normal();
    return rows;
}

inline SearchOptions options_with(std::vector<Op> operators) {
    SearchOptions options;
    options.operators = std::move(operators);
    return options;
}

inline const std::vector<Op> kUsual = {Op::Add,  Op::Sub, Op::Mul, Op::Div, Op::Square,
                                       Op::Sqrt, Op::Exp, Op::Log, Op::Sin, Op::Cos};

inline SeedResult run(const Rows& rows, const SearchOptions& options, Work& work) {
    const Dataset<double> data = rows.dataset();
    const OperatorSet operators;
    const std::atomic<bool> cancel{false};
    return Seed(data, operators, options).run(work, cancel);
}

/// With at most `limit` of work: nodes times rows.
inline SeedResult run(const Rows& rows, const SearchOptions& options, double limit = 2e9) {
    Work work{.limit = limit};
    return run(rows, options, work);
}

}  // namespace balmer::search::test
