// The reduced problem stands for the whole one, whatever columns are chosen.
#include "search/linear_fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "balmer/core/rng.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

TEST_CASE("a reduced problem has the coefficients, errors and residual of the whole one") {
    Rng rng(5, 0);
    constexpr std::size_t n = 80;
    std::vector<std::vector<double>> x(4, std::vector<double>(n));
    std::vector<double> y(n), w(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j : {0, 1, 3}) x[j][i] = rng.normal();
        x[2][i] = 2 * x[0][i] - x[1][i] + 3;  // depends on the two before it
        y[i] = 1 + 2 * x[0][i] - 0.5 * x[3][i] + 0.1 * rng.normal();
        w[i] = 0.5 + rng.uniform();
    }
    std::vector<const double*> columns;
    for (const auto& column : x) columns.push_back(column.data());
    LinearFit whole, small;
    ReducedProblem problem;
    REQUIRE(small.reduce(columns, y.data(), w.data(), n, problem));
    REQUIRE(problem.columns == std::vector<std::size_t>{0, 1, 3});
    CHECK(problem.target.size() == 5);  // a row for each column, the constant's, and the rest
    for (const std::vector<std::size_t>& places : {std::vector<std::size_t>{0, 1, 2}, {0, 2}, {1}, {}}) {
        std::vector<const double*> chosen;
        for (const std::size_t k : places) chosen.push_back(columns[problem.columns[k]]);
        REQUIRE(whole.fit(chosen, y.data(), w.data(), n));
        REQUIRE(small.fit(problem, places));
        CHECK(small.residual_sum() == doctest::Approx(whole.residual_sum()).epsilon(1e-12));
        for (std::size_t k = 0; k <= places.size(); ++k) {
            CHECK(small.coefficients()[k] == doctest::Approx(whole.coefficients()[k]).epsilon(1e-12));
            CHECK(small.unit_error(k) == doctest::Approx(whole.unit_error(k)).epsilon(1e-12));
        }
    }
}

TEST_CASE("what cannot be reduced says so") {
    const std::vector<double> y = {1, 2, NAN, 4};
    const std::vector<double> x = {1, 2, 3, 5}, nothing(4, 0.0);
    const double* columns[] = {x.data()};
    LinearFit fit;
    ReducedProblem problem;
    CHECK_FALSE(fit.reduce(columns, y.data(), nullptr, 4, problem));
    CHECK_FALSE(fit.reduce(columns, x.data(), nothing.data(), 4, problem));
}

}  // namespace
