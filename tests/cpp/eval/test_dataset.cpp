#include "balmer/eval/dataset.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"

using namespace balmer;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

MatrixView<double> by_row(const std::vector<double>& values, std::size_t columns) {
    return {values.data(), values.size() / columns, columns, columns, 1};
}

}  // namespace

TEST_CASE("columns are aligned, padded with the last row, and read from any strides") {
    const std::vector<double> values = {1, 10, 2, 20, 3, 30};
    const Dataset<double> data(by_row(values, 2), std::vector<double>{7, 8, 9});
    REQUIRE(data.n_rows() == 3);
    REQUIRE(data.n_features() == 2);
    for (std::size_t j = 0; j < 2; ++j) {
        CHECK(reinterpret_cast<std::uintptr_t>(data.column(j)) % kAlignment == 0);
        const double factor = j == 0 ? 1 : 10;
        for (std::size_t i = 0; i < padded(3); ++i) {
            CHECK(data.column(j)[i] == factor * static_cast<double>(std::min<std::size_t>(i, 2) + 1));
        }
    }
    CHECK(data.target()[2] == 9);
    CHECK(data.weights() == nullptr);
    CHECK(data.weight_sum(2) == 2);
    CHECK(data.row_order().empty());
}

TEST_CASE("a copy has columns of its own") {
    const std::vector<double> values = {1, 2, 3, 4};
    auto original = std::make_unique<Dataset<double>>(by_row(values, 2));
    const Dataset<double> copy(*original);
    CHECK(copy.column(1) != original->column(1));
    original.reset();
    CHECK(copy.column(1)[1] == 4);
}

TEST_CASE("another target is as if the data had been made with it") {
    std::vector<double> x, y, z, w;
    for (int i = 0; i < 40; ++i) {
        x.push_back(i * 0.3);
        y.push_back((i * 7) % 11);
        z.push_back(5 - (i * 3) % 13);
        w.push_back(1 + i % 3);
    }
    Dataset<double> data(by_row(x, 1), y, w, RowOrder::ladder);
    data.set_target(z);
    const std::vector<std::uint32_t> order(data.row_order().begin(), data.row_order().end());
    for (std::size_t i = 0; i < padded(40); ++i) {
        CHECK(data.target()[i] == z[order[std::min<std::size_t>(i, 39)]]);
    }
    const Dataset<double> made(by_row(x, 1), z, w);
    CHECK(data.target_mean() == doctest::Approx(made.target_mean()));
    CHECK(data.target_variance() == doctest::Approx(made.target_variance()));
    z[3] = kNan;
    CHECK_THROWS_AS(data.set_target(z), std::invalid_argument);
    z.pop_back();
    CHECK_THROWS_AS(data.set_target(z), std::invalid_argument);
    CHECK(data.target_mean() == doctest::Approx(made.target_mean()));
}

TEST_CASE("weights, mean and variance") {
    const std::vector<double> x = {0, 0, 0, 0}, y = {1, 2, 3, 100}, w = {1, 2, 1, 0};
    const Dataset<double> data(by_row(x, 1), y, w);
    CHECK(data.weight_sum(0) == 0);
    CHECK(data.weight_sum(2) == 3);
    CHECK(data.weight_sum(4) == 4);
    CHECK(data.target_mean() == 2);
    CHECK(data.target_variance() == 0.5);
}

TEST_CASE("bad numbers are refused with their place and the remedy") {
    const std::vector<double> x = {1, 2, 3}, y = {1, 2, 3};
    const auto make = [&](std::vector<double> target, std::vector<double> weights = {}) {
        return Dataset<double>(by_row(x, 1), target, weights);
    };
    CHECK_THROWS_WITH_AS(make({1, kNan, 3}), "the target at row 1 is NaN: remove or replace such rows",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({1, 2, -kInf}), "the target at row 2 is infinite: remove or replace such rows",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({1, 2}), "the target has 2 values, X has 3 rows: there must be one value per row",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make(y, {1, 1}), "there are 2 weights, X has 3 rows: there must be one weight per row",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make(y, {1, -2, 1}), "the weight at row 1 is -2.000000: weights must not be negative",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make(y, {0, 0, 0}), "all weights are 0: at least one row must count", std::invalid_argument);
    CHECK_THROWS_WITH_AS(Dataset<double>(MatrixView<double>{}), "X has no rows: at least one is needed",
                         std::invalid_argument);
    const std::vector<double> bad = {1, 2, kInf};
    CHECK_THROWS_WITH_AS(Dataset<double>(by_row(bad, 1), y, {}, RowOrder::ladder),
                         "feature 0 at row 2 is infinite: remove or replace such rows", std::invalid_argument);
}

TEST_CASE("every prefix of the ladder is spread over the target and the features") {
    constexpr std::size_t n = 5000;
    Rng rng(1, 0);
    std::vector<double> x, y;
    for (std::size_t i = 0; i < n; ++i) {
        x.push_back(rng.uniform());
        x.push_back(rng.uniform() * 1e20);
        y.push_back(std::exp(3 * rng.normal()));  // a long tail
    }
    const Dataset<double> data(by_row(x, 2), y, {}, RowOrder::ladder);
    auto order = std::vector<std::uint32_t>(data.row_order().begin(), data.row_order().end());
    for (std::size_t i = 0; i < n; i += 97) {
        CHECK(data.column(1)[i] == x[2 * order[i] + 1]);
        CHECK(data.target()[i] == y[order[i]]);
    }
    std::vector<double> sorted = y;
    std::sort(sorted.begin(), sorted.end());
    for (const std::size_t rows : {std::size_t{64}, std::size_t{256}, std::size_t{1024}}) {
        // Each quarter of the quantiles has its share of the prefix.
        int count[4] = {};
        for (std::size_t i = 0; i < rows; ++i) {
            const auto rank = std::lower_bound(sorted.begin(), sorted.end(), data.target()[i]) - sorted.begin();
            ++count[rank * 4 / static_cast<std::ptrdiff_t>(n)];
        }
        for (const int c : count) {
            CHECK(std::abs(c - static_cast<int>(rows / 4)) <= static_cast<int>(rows / 16));
        }
    }
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> all(n);
    std::iota(all.begin(), all.end(), 0U);
    CHECK(order == all);
    CHECK(data.rungs() == std::vector<std::size_t>{64, 4096, 5000});
}

TEST_CASE("tables of more than 2^31 values are evaluated, and those that no address reaches refused") {
    constexpr std::size_t kSide = 70'000;  // 4.9e9 values, in columns that overlap
    std::vector<double> values(2 * kSide);
    std::iota(values.begin(), values.end(), 0.0);
    const Dataset<double> table = Dataset<double>::view({values.data(), kSide, kSide, 1, 1});
    Workspace<double> workspace;
    std::vector<double> out(kSide);
    Evaluator<double>(table).evaluate(parse("x69999 + x1"), out, workspace);
    CHECK(out[0] == 70'000);
    CHECK(out[kSide - 1] == 2 * 69'999.0 + 70'000);
    const auto columns = [&](std::size_t n) { return MatrixView<double>{values.data(), 4, n, 1, 0}; };
    constexpr std::size_t kWraps = std::size_t{1} << 60;  // times 16 padded rows: 0
    CHECK_THROWS_WITH_AS(Dataset<double>{columns(kWraps)},
                         "X has 4 rows and 1152921504606846976 columns: so many values cannot be addressed",
                         std::invalid_argument);
}
