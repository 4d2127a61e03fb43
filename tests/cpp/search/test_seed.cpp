// The seed stage as a whole: what it finds, what it keeps to, and that chance and threads have no say.
#include "search/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"
#include "search/probe.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

struct Rows {
    std::vector<double> x, y;
    std::size_t features = 0;

    [[nodiscard]] Dataset<double> dataset() const {
        return Dataset<double>(MatrixView<double>{x.data(), y.size(), features, features, 1}, y, {}, RowOrder::ladder);
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

SearchOptions options_with(std::vector<Op> operators) {
    SearchOptions options;
    options.operators = std::move(operators);
    return options;
}

const std::vector<Op> kUsual = {Op::Add,  Op::Sub, Op::Mul, Op::Div, Op::Square,
                                Op::Sqrt, Op::Exp, Op::Log, Op::Sin, Op::Cos};

SeedResult run(const Rows& rows, const SearchOptions& options, double limit = 2e9) {
    const Dataset<double> data = rows.dataset();
    const OperatorSet operators;
    Work work;
    work.limit = limit;
    const std::atomic<bool> cancel{false};
    return Seed(data, operators, options).run(work, cancel);
}

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
    for (const Rows& rows : laws) {
        CHECK(run(rows, options, 1e8).exact);
        options.stages.quotients = false;
        CHECK_FALSE(run(rows, options, 1e8).exact);
        options.stages.quotients = true;
    }
}

TEST_CASE("laws whose halves lie deep in the library are found exactly") {
    SearchOptions options = options_with(kUsual);
    // u (a g + b) with u and g of four to six nodes, over periods that no surface follows.
    const Rows nested = rows_of(
        200, 3, [](const auto& x) { return std::cos(5 * x[0] * x[1]) * (1 + x[2] * std::cos(5 * x[0] * x[1])); });
    CHECK_FALSE(run(nested, options, 1e8).exact);  // not by what comes before
    Rows scaled = nested;                          // in units that make the inner constant 1
    for (std::size_t i = 0; i < scaled.y.size(); ++i) scaled.x[3 * i] *= 5;
    CHECK(run(scaled, options, 4e9).exact);
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
    // A denominator with neither a constant nor a variable alone.
    options = options_with(kUsual);
    const Rows quartic = rows_of(200, 4, [](const auto& x) {
        return 0.81 + (2 * x[0] + 3 * x[1] * x[1]) / (4 * std::pow(x[2], 3) + 5 * std::pow(x[3], 4));
    });
    CHECK(run(quartic, options, 1e9).exact);
}

TEST_CASE("a law of a part that is found and one that is not is completed") {
    // The sine changes its sign, so that y has no logarithm; what is left beside the sine has one.
    const Rows rows = rows_of(
        300, 4, [](const auto& x) { return std::sin(x[0] * x[1]) * std::exp(0.3 * x[2] * x[3] - std::sqrt(x[2])); });
    SearchOptions options = options_with(kUsual);
    options.stages = {.views = false,
                      .dictionary = false,
                      .factors = false,
                      .deep = false,
                      .inner_constants = false,
                      .large_libraries = false};
    CHECK(run(rows, options, 4e9).exact);
    options.stages.parts = false;
    CHECK_FALSE(run(rows, options, 4e9).exact);
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

TEST_CASE("noise of a tenth does not hide a law that is a sum only after inversion") {
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

TEST_CASE("every candidate keeps to the operators, the size and the constraints") {
    SearchOptions options = options_with({Op::Add, Op::Mul, Op::Inv, Op::Exp});
    options.evolution.maxsize = 15;
    options.constraints = {{Op::Exp, {3, -1, -1}}};
    const SeedResult result = run(rows_of(100, 2, [](const auto& x) { return std::cos(x[0]) / x[1]; }), options, 2e8);
    REQUIRE(result.candidates.size() > 3);
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    for (const FrontEntry& entry : result.candidates) {
        CHECK(vocabulary.admissible(entry.expression));
        CHECK(entry.complexity <= 15);
        CHECK(entry.complexity == vocabulary.complexity(entry.expression));
    }
}

#if !defined(__SANITIZE_ADDRESS__)  // minutes there, for parts that the other tests run too
TEST_CASE("a part that is switched off does not run") {
    // A law that the stage cannot find, without noise: every part has its turn.
    const Rows rows = rows_of(100, 2, [](const std::vector<double>& x) {
        return std::sin(x[0] * x[0] + std::exp(std::cos(3 * x[1]))) / (1.3 + std::exp(x[1] * std::sin(x[0])));
    });
    const auto has = [](const SeedResult& result, const std::string& part) {
        return std::any_of(result.log.begin(), result.log.end(),
                           [&](const SeedLogEntry& entry) { return entry.stage.find(part) != std::string::npos; });
    };
    SearchOptions options = options_with({Op::Add, Op::Mul, Op::Sin});
    CHECK(has(run(rows, options, 1e10), "14000 atoms"));
    options.stages.large_libraries = false;  // the slowest
    const SeedResult most = run(rows, options, 1e10);
    CHECK_FALSE(has(most, "14000 atoms"));
    const std::pair<std::string, bool StageSwitches::*> parts[] = {
        {"probe", &StageSwitches::views},         {"dictionary", &StageSwitches::dictionary},
        {": families", &StageSwitches::families}, {"weighted families", &StageSwitches::weighted_families},
        {": factors", &StageSwitches::factors},   {"inner constants", &StageSwitches::inner_constants},
        {"quotients", &StageSwitches::quotients}, {": deep", &StageSwitches::deep},
        {"parts of", &StageSwitches::parts},      {"finish", &StageSwitches::seed_finish},
    };
    for (const auto& [name, member] : parts) CHECK_MESSAGE(has(most, name), name);
    // Part k is off in the runs that are the digits of k + 1 in binary: no two parts are off in the same runs.
    constexpr int kDigits = 4;
    for (int digit = 0; digit < kDigits; ++digit) {
        const auto is_off = [digit](std::size_t k) { return ((k + 1) >> digit & 1) != 0; };
        SearchOptions without = options;
        for (std::size_t k = 0; k < std::size(parts); ++k) without.stages.*parts[k].second = !is_off(k);
        const SeedResult some = run(rows, without, 1e10);
        for (std::size_t k = 0; k < std::size(parts); ++k) {
            if (is_off(k)) CHECK_FALSE_MESSAGE(has(some, parts[k].first), parts[k].first);
        }
    }
}
#endif

TEST_CASE("threads do not change a bit of the candidates") {
    const Rows rows = rows_of(120, 3, [](const auto& x) { return std::sin(x[0]) + x[1] / (x[2] + 0.7); }, 0.02);
    SearchOptions options = options_with(kUsual);
    const SeedResult one = run(rows, options, 5e8);
    for (const int threads : {2, 3}) {
        options.n_threads = threads;
        const SeedResult many = run(rows, options, 5e8);
        REQUIRE(many.candidates.size() == one.candidates.size());
        for (std::size_t k = 0; k < one.candidates.size(); ++k) {
            CHECK(many.candidates[k].expression == one.candidates[k].expression);
            CHECK(many.candidates[k].loss == one.candidates[k].loss);
        }
    }
}

TEST_CASE("a constant target, few rows and extreme units are no trouble") {
    const SearchOptions options = options_with(kUsual);
    CHECK(run(rows_of(50, 2, [](const auto&) { return 3.0; }), options).candidates.size() == 1);
    CHECK_FALSE(run(rows_of(3, 1, [](const auto& x) { return x[0]; }), options, 1e8).candidates.empty());
    const SeedResult result =
        run(rows_of(200, 2, [](const auto& x) { return 6.67e-34 * x[0] * x[0] / x[1]; }), options);
    CHECK(result.exact);
}

View raw_view_of(const Rows& rows) {
    View raw;
    raw.target = rows.y;
    raw.weight_sum = static_cast<double>(rows.y.size());
    for (std::uint32_t j = 0; j < rows.features; ++j) {
        Variable v{Expression::feature(j), {}};
        for (std::size_t i = 0; i < rows.y.size(); ++i) v.values.push_back(rows.x[i * rows.features + j]);
        raw.variables.push_back(std::move(v));
    }
    return raw;
}

TEST_CASE("the probe peels powers with noise and without, and merges what acts together") {
    const SearchOptions options = options_with(kUsual);
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    for (const double noise : {0.0, 0.01}) {
        const Rows rows =
            rows_of(600, 4, [](const auto& x) { return x[0] * x[0] * std::exp(-x[1] * x[2] / 8) / x[3]; }, noise);
        const View raw = raw_view_of(rows);
        const ProbeResult result = probe(raw, vocabulary);
        REQUIRE_FALSE(result.views.empty());
        const View& view = result.views.front();
        // Gradients are noisier than values: with noise the two variables of the product may stay apart.
        CHECK(view.variables.size() <= (noise == 0 ? 1 : 2));
        double power_of_first = 0, power_of_last = 0;
        for (const Power& p : view.unit) {
            if (p.base == Expression::feature(0)) power_of_first = p.exponent;
            if (p.base == Expression::feature(3)) power_of_last = p.exponent;
        }
        CHECK(power_of_first == 2);
        CHECK(power_of_last == -1);
    }
}

TEST_CASE("the probe does not take a bent slope for a power of a third while whole powers are left") {
    const SearchOptions options = options_with(kUsual);
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    // Klein-Nishina: the ratio acts like its power 7/3 as long as the surface has the other variables to follow.
    const Rows rows = rows_of(600, 5, [](const auto& x) {
        const double ratio = x[0] / x[1], sine = std::sin(x[2]);
        return x[3] * x[3] / (x[4] * x[4]) * ratio * ratio * (ratio + 1 / ratio - sine * sine);
    });
    const ProbeResult result = probe(raw_view_of(rows), vocabulary);
    REQUIRE_FALSE(result.views.empty());
    CHECK(result.views.front().variables.size() == 2);
    for (const Power& p : result.views.front().unit) CHECK(p.exponent == std::nearbyint(p.exponent));
}

}  // namespace
