// The price that decides between formulas.
#include "search/description_length.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "balmer/expr/parse.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

TEST_CASE("a few rows pay for a law that leaves next to nothing of them, and for no other of its size") {
    std::vector<double> y;
    for (int i = 0; i < 8; ++i) y.push_back(1.7 * i + 0.01 * (i % 3));
    const DescriptionScale scale = description_scale(y, 11);
    double mean = 0, variance = 0;
    for (const double v : y) mean += v / 8;
    for (const double v : y) variance += (v - mean) * (v - mean) / 8;
    const Expression constant = Expression::constant(0.8789665836674063);
    const Expression law = parse("log(0.4 + 0.3 * exp(0.6931471805599453 * x0))");
    const double price_of_constant = description_length(constant, variance, scale);
    CHECK(description_length(law, 2e-4 * variance, scale) < price_of_constant);
    CHECK(description_length(law, 2e-3 * variance, scale) > price_of_constant);
    // Each node costs the choice among the symbols, whatever the number of rows.
    CHECK(description_length(5, 0, 1, {.rows = 8, .quantum = 0, .symbols = 11}) ==
          description_length(5, 0, 1, {.rows = 1000, .quantum = 0, .symbols = 11}));
}

TEST_CASE("that the target depends on a variable is a claim that has its price") {
    const DescriptionScale scale{.rows = 20, .quantum = 0, .symbols = 11};
    const double constant = description_length(parse("2 + 3"), 1, scale);
    const double variable = description_length(parse("2 + x0"), 1, scale);
    const double price_of_three = std::log(3 + 1) + std::log(2);
    CHECK(variable - (constant - price_of_three) == doctest::Approx(std::log(20)));
}

}  // namespace
