// What the seed stage keeps to, and that chance and threads have no say.
#include "search/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "balmer/expr/parse.hpp"
#include "search/seed_rows.hpp"

namespace balmer::search::test {
namespace {

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

// Not under the sanitizer: minutes there, for parts that the other tests run too.
TEST_CASE("a part that is switched off does not run" * doctest::skip(kSanitized)) {
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
    for (const auto& part : parts) CHECK_MESSAGE(has(most, part.first), part.first);
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

TEST_CASE("a residual that follows no simple formula is noise, but only where there are rows to tell") {
    const auto leaves_noise = [](const Rows& rows, const char* formula) {
        const Dataset<double> data = rows.dataset();
        const OperatorSet operators;
        const SearchOptions options = options_with(kUsual);
        const std::atomic<bool> never{false};
        return Seed(data, operators, options).leaves_noise(parse(formula), never);
    };
    const auto law = [](const std::vector<double>& x) { return x[0] * x[1] + 0.4 * std::sin(x[0]); };
    const Rows rows = rows_of(600, 2, law, 0.05);
    CHECK(leaves_noise(rows, "x0 * x1 + 0.4 * sin(x0)"));
    CHECK_FALSE(leaves_noise(rows, "x0 * x1"));                                  // a sine is left
    CHECK_FALSE(leaves_noise(rows, "5"));                                        // nothing is explained yet
    CHECK_FALSE(leaves_noise(rows_of(600, 2, law, 0.8), "x0 * x1"));             // nor half of the variance
    CHECK_FALSE(leaves_noise(rows_of(600, 2, law), "x0 * x1 + 0.4 * sin(x0)"));  // there is no noise
    CHECK_FALSE(leaves_noise(rows_of(199, 2, law, 0.05), "x0 * x1 + 0.4 * sin(x0)"));
    CHECK(leaves_noise(rows_of(200, 2, law, 0.05), "x0 * x1 + 0.4 * sin(x0)"));
    // More rows tell more: a part of a thousandth of the variance that is left.
    CHECK(leaves_noise(rows_of(1000, 2, law, 0.1), "x0 * x1 + 0.36 * sin(x0)"));
    CHECK_FALSE(leaves_noise(rows_of(30000, 2, law, 0.1), "x0 * x1 + 0.36 * sin(x0)"));
    CHECK(leaves_noise(rows_of(30000, 2, law, 0.1), "x0 * x1 + 0.4 * sin(x0)"));
    // Rows without weight do not count, and what half of the rows are sure of is not hidden by the others, a hundred times
    // as noisy.
    Rows weighted = rows_of(600, 2, law, 0.01);
    Rng rng(3, 0);
    for (std::size_t i = 0; i < 600; ++i) {
        weighted.weights.push_back(i % 2 == 0 ? 1 : 1e-4);
        if (i % 2 == 1) weighted.y[i] += 7 * rng.normal();
    }
    CHECK(leaves_noise(weighted, "x0 * x1 + 0.4 * sin(x0)"));
    CHECK_FALSE(leaves_noise(weighted, "x0 * x1 + 0.3 * sin(x0)"));
    for (std::size_t i = 0; i < 600; ++i) weighted.weights[i] = i % 4 == 0 ? 1 : 0;
    CHECK_FALSE(leaves_noise(weighted, "x0 * x1 + 0.4 * sin(x0)"));
}

TEST_CASE("threads do not change a bit of the candidates") {
    const Rows rows = rows_of(120, 3, [](const auto& x) { return std::sin(x[0]) + x[1] / (x[2] + 0.7); }, 0.02);
    SearchOptions options = options_with(kUsual);
    constexpr double kLimit = repeats(5e8, 1e8);
    const SeedResult one = run(rows, options, kLimit);
    for (const int threads : {2, 3}) {
        options.n_threads = threads;
        const SeedResult many = run(rows, options, kLimit);
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

}  // namespace
}  // namespace balmer::search::test
