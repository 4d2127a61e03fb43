#include "search/batch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace balmer {
namespace {

TEST_CASE("a batch holds each row at most once, and every row sooner or later") {
    constexpr std::size_t kRows = 1003;
    std::vector<double> x(kRows), y(kRows), w(kRows);
    for (std::size_t i = 0; i < kRows; ++i) {
        x[i] = static_cast<double>(i);
        y[i] = 2 * x[i];
        w[i] = i % 3 == 0 ? 0 : 1 + x[i];
    }
    const MatrixView<double> X{x.data(), kRows, 1, 1, kRows};
    for (const bool weighted : {false, true}) {
        const Dataset<double> data(X, y, weighted ? std::span<const double>(w) : std::span<const double>());
        BatchSampler sampler(data, 128);
        std::set<double> ever;
        for (std::uint32_t k = 0; k < 200; ++k) {
            const Dataset<double> batch = sampler.draw(Rng(1, k));
            REQUIRE(batch.n_rows() == 128);
            std::set<double> seen;
            for (std::size_t i = 0; i < batch.n_rows(); ++i) {
                const double row = batch.column(0)[i];
                CHECK(batch.target()[i] == 2 * row);
                if (weighted) CHECK(batch.weights()[i] == 1 + row);
                seen.insert(row);
            }
            CHECK(seen.size() == 128);
            ever.insert(seen.begin(), seen.end());
        }
        CHECK(ever.size() == (weighted ? kRows - 335 : kRows));  // rows of weight 0 are never drawn
    }
}

TEST_CASE("a batch is no larger than the rows of positive weight") {
    const std::vector<double> x = {1, 2, 3, 4}, y = {1, 2, 3, 4}, w = {0, 1, 0, 2};
    const Dataset<double> data(MatrixView<double>{x.data(), 4, 1, 1, 4}, y, w);
    BatchSampler sampler(data, 3);
    CHECK(sampler.size() == 2);
    const Dataset<double> batch = sampler.draw(Rng(1, 1));
    CHECK(batch.column(0)[0] == 2);
    CHECK(batch.column(0)[1] == 4);
}

TEST_CASE("a sample leaves out targets that have underflown, unless they are most") {
    const std::vector<double> X = {0, 1, 2, 3, 4, 5};
    const auto targets_of = [&](const std::vector<double>& y) {
        const Dataset<double> data(MatrixView<double>{X.data(), 6, 1, 1, 6}, y, {}, RowOrder::as_given);
        const Dataset<double> sample = first_rows_of(data, 6);
        return std::vector<double>(sample.target(), sample.target() + sample.n_rows());
    };
    using Values = std::vector<double>;
    CHECK(targets_of({1, 2e-320, 0, -3e-308, 4, 5}) == Values{1, -3e-308, 4, 5});
    CHECK(targets_of({1, 2, 0, -3, 4, 5}) == Values{1, 2, 0, -3, 4, 5});  // a zero may be a zero
    CHECK(targets_of({1, 2e-320, 0, 0, 0, 5}) == Values{1, 2e-320, 0, 0, 0, 5});
}

TEST_CASE("a sample has the first rows that have weight, without outliers if they are dropped") {
    std::vector<double> x(20), y(20), w(20, 1.0);
    for (std::size_t i = 0; i < 20; ++i) x[i] = static_cast<double>(i), y[i] = x[i];
    w[1] = 0, y[3] = 1000, y[5] = -1000;
    const Dataset<double> data(MatrixView<double>{x.data(), 20, 1, 1, 20}, y, w);
    const Dataset<double> kept = first_rows_of(data, 10);
    REQUIRE(kept.n_rows() == 10);
    CHECK(kept.column(0)[0] == 0);
    CHECK(kept.column(0)[1] == 2);
    CHECK(kept.target()[2] == 1000);
    const Dataset<double> dropped = first_rows_of(data, 100, Outliers::dropped);
    REQUIRE(dropped.n_rows() == 17);
    for (std::size_t i = 0; i < 17; ++i) CHECK(dropped.target()[i] == dropped.column(0)[i]);
    // Without a scale there are no outliers.
    std::fill(y.begin(), y.begin() + 16, 7.0);
    const Dataset<double> flat(MatrixView<double>{x.data(), 20, 1, 1, 20}, y);
    CHECK(first_rows_of(flat, 100, Outliers::dropped).n_rows() == 20);
}

}  // namespace
}  // namespace balmer
