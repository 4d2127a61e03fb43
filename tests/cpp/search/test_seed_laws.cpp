// Which laws the seed stage finds.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>

#include "balmer/expr/print.hpp"
#include "search/seed_rows.hpp"

namespace balmer::search::test {
namespace {

TEST_CASE("laws of one step are found exactly") {
    const SearchOptions options = options_with(kUsual);
    CHECK(run(rows_of(200, 3, [](const auto& x) { return 0.3 * x[0] * x[0] / (x[1] * std::sqrt(x[2])); }), options)
              .exact);
    CHECK(run(rows_of(200, 3, [](const auto& x) { return x[0] / std::sqrt(1 - x[1] * x[1] / (25 * x[2] * x[2])); }),
              options)
              .exact);
    CHECK(run(rows_of(200, 2, [](const auto& x) { return 1 / (std::exp(0.7 * x[0] / x[1]) - 1); }), options).exact);
    CHECK(run(rows_of(30, 1, [](const auto& x) { return x[0] * x[0] * x[0] - 2 * x[0] * x[0] + 3; }), options).exact);
}

TEST_CASE("quotients of sums with a constant inside are found exactly") {
    SearchOptions options = options_with(kUsual);
    options.operators.push_back(Op::Pow);
    const Rows laws[] = {
        rows_of(200, 1, [](const auto& x) { return (0.1 - 0.01 * x[0]) / (std::exp((10 - x[0]) / 10) - 1); }),
        rows_of(200, 1, [](const auto& x) { return x[0] / (std::exp(0.3 * x[0]) - 1); }),
        rows_of(200, 1, [](const auto& x) { return 2.3 * std::pow(x[0], 2.8) / (1.7 + std::pow(x[0], 2.8)); }),
        rows_of(200, 2, [](const auto& x) { return 13 + 0.6 * x[0] + (0.4 * x[0] - 11) * std::pow(x[1], 0.16); }),
    };
    for (const Rows& rows : std::span(laws).first(repeats(4, 1))) {
        CHECK(run(rows, options, 1e8).exact);
        options.stages.quotients = false;
        CHECK_FALSE(run(rows, options, 1e8).exact);
        options.stages.quotients = true;
    }
}

TEST_CASE("laws whose halves lie deep in the library are found exactly") {
    SearchOptions options = options_with(kUsual);
    // Terms that are nearly proportional to each other, so that no correlation tells them apart.
    Rows close = rows_of(120, 1, [](const auto& x) { return std::log(10 * x[0] + std::sqrt(100 * x[0] * x[0] + 1)); });
    for (double& x : close.x) x *= 10;
    CHECK(run(close, options, 4e9).exact);
    // Few constants, high degrees, and signs: x^5 must not be written as exp(5 log(x)).
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Exp, Op::Log};
    Rows ratio = rows_of(20, 1, [](const auto& x) {
        const double z = (x[0] - 2.5) / 1.5;
        return (z * z * z * z * z * (z + 1)) / (z * z * z * z + z * z * z + z * z + z + 1);
    });
    for (double& x : ratio.x) x = (x - 2.5) / 1.5;
    options.evolution.maxsize = 40;
    CHECK(run(ratio, options, 1e9).exact);
}

// Not under the sanitizer, where so much work takes minutes.
TEST_CASE("laws of two halves that lie deep, and of four powers, are found exactly" * doctest::skip(kSanitized)) {
    const SearchOptions options = options_with(kUsual);
    // u (a g + b) with u and g of four to six nodes, over periods that no surface follows.
    const Rows nested = rows_of(
        200, 3, [](const auto& x) { return std::cos(5 * x[0] * x[1]) * (1 + x[2] * std::cos(5 * x[0] * x[1])); });
    CHECK_FALSE(run(nested, options, 1e8).exact);  // not by what comes before
    Rows scaled = nested;                          // in units that make the inner constant 1
    for (std::size_t i = 0; i < scaled.y.size(); ++i) scaled.x[3 * i] *= 5;
    CHECK(run(scaled, options, 4e9).exact);
    // A denominator with neither a constant nor a variable alone.
    const Rows quartic = rows_of(200, 4, [](const auto& x) {
        return 0.81 + (2 * x[0] + 3 * x[1] * x[1]) / (4 * std::pow(x[2], 3) + 5 * std::pow(x[3], 4));
    });
    CHECK(run(quartic, options, 1e9).exact);
}

TEST_CASE("a law of a part that is found and one that is not is completed") {
    // The sine changes its sign, so that y has no logarithm; what is left beside the sine has one.
    const Rows rows = rows_of(
        100, 4, [](const auto& x) { return std::sin(x[0] * x[1]) * std::exp(0.3 * x[2] * x[3] - std::sqrt(x[2])); });
    SearchOptions options = options_with(kUsual);
    options.stages = {.views = false,
                      .dictionary = false,
                      .factors = false,
                      .deep = false,
                      .inner_constants = false,
                      .large_libraries = false};
    Work work{.limit = 4e9};
    CHECK(run(rows, options, work).exact);
    options.stages.parts = false;
    CHECK_FALSE(run(rows, options, repeats(2.0, 0.1) * work.used).exact);
}

TEST_CASE("a law that is found at once comes with formulas of some of its parts") {
    const Rows rows = rows_of(100, 3, [](const auto& x) { return 2.5382 * std::cos(x[1]) + x[0] * x[0] - 0.5; });
    const SeedResult result = run(rows, options_with(kUsual), 1e9);
    REQUIRE(result.exact);
    std::vector<int> complexities;
    double loss = INFINITY;
    for (const FrontEntry& entry : result.candidates) {
        if (!(entry.loss < loss)) continue;
        loss = entry.loss;
        complexities.push_back(entry.complexity);
    }
    CHECK(complexities.size() >= 4);
}

// Not under the sanitizer, where so much work takes minutes.
TEST_CASE("noise of a tenth does not hide a law that is a sum only after inversion" * doctest::skip(kSanitized)) {
    const OperatorSet operators;
    const SearchOptions options = options_with(kUsual);
    const auto best_of = [&](const Rows& rows) {
        const SeedResult result = run(rows, options, 3.2e9);
        const Vocabulary vocabulary(options, operators);
        const DescriptionScale scale = description_scale(rows.y, vocabulary.n_symbols(rows.features));
        const FrontEntry* best = nullptr;
        double least = INFINITY;
        for (const FrontEntry& entry : result.candidates) {
            const double length = description_length(entry.expression, entry.loss, scale);
            if (length < least) best = &entry;
            least = std::min(least, length);
        }
        return *best;
    };
    // 1 / y is steep where y is small: those rows must not count, and must not make the transform useless.
    const FrontEntry lens = best_of(rows_of(500, 3, [](const auto& x) { return 1 / (1 / x[0] + x[1] / x[2]); }, 0.1));
    INFO(to_text(lens.expression));
    CHECK(lens.complexity <= 9);
    for (const double c : lens.expression.constants) CHECK(c == 1);
}

}  // namespace
}  // namespace balmer::search::test
