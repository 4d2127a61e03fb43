// Laws with sines of high frequency.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/search/search.hpp"

using namespace balmer;

namespace {

using Law = std::function<double(const double* x)>;

/// The first stage alone, over three features from 0 to 5.
SearchResult search(const Law& law, double noise, const std::vector<std::string>& unary) {
    constexpr std::size_t kRows = 250, kFeatures = 3;
    Rng rng(23, 0);
    std::vector<double> X, y;
    for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < kFeatures; ++j) X.push_back(5 * rng.uniform());
        y.push_back(law(X.data() + i * kFeatures) + noise * rng.normal());
    }
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, kFeatures, kFeatures, 1}, y, {}, RowOrder::ladder);
    SearchOptions options;
    for (const char* name : {"+", "-", "*", "/"}) {
        options.operators.push_back(operator_named(name, OperatorSet::builtin(), 2));
    }
    for (const std::string& name : unary) {
        options.operators.push_back(operator_named(name, OperatorSet::builtin(), 1));
    }
    options.evolution.niterations = 1;
    options.evolution.populations = 1;
    return Search(data, OperatorSet::builtin(), options).run();
}

}  // namespace

TEST_CASE("a wave is found whatever its frequency and what it stands beside") {
    const std::vector<Law> laws = {
        [](const double* x) { return 1.7 * std::sin(61 * x[0] + 0.4) + 0.5 * x[1]; },
        [](const double* x) { return x[1] * std::sin(40 * x[0] + 1) - 2; },
        [](const double* x) { return 3 * std::sin(9.3 * x[0] * x[0]) + x[2]; },
        [](const double* x) { return 0.2 * std::sin(17 * x[0] * x[1] - 2) + x[2] - x[1]; },
    };
    for (std::size_t k = 0; k < laws.size(); ++k) {
        const SearchResult result = search(laws[k], 0, {"sin"});
        INFO("law ", k, ": ", to_text(result.front.back().expression));
        CHECK(result.reason == StopReason::exact);
    }
}

TEST_CASE("waves over two variables are found, running and standing, exact and under noise") {
    const std::vector<Law> laws = {
        [](const double* x) { return 1.3 * std::sin(31 * x[0] - 22 * x[1] + 0.4) + 0.7; },
        [](const double* x) { return 2 - 2.1 * std::cos(98 * x[0]) * std::sin(13 * x[2]) + x[1]; },
    };
    for (std::size_t k = 0; k < laws.size(); ++k) {
        const SearchResult exact = search(laws[k], 0, {"sin", "cos"});
        INFO("law ", k, ": ", to_text(exact.front.back().expression));
        CHECK(exact.reason == StopReason::exact);
        const SearchResult noisy = search(laws[k], 0.3, {"sin", "cos"});
        const FrontEntry& chosen = *best(noisy.front);
        INFO(to_text(chosen.expression));
        CHECK(chosen.loss < 1.2 * 0.09);
    }
}

TEST_CASE("a wave is found with the cosine alone, and under noise") {
    const Law law = [](const double* x) { return 1.7 * std::sin(61 * x[0] + 0.4) + 0.5 * x[1]; };
    CHECK(search(law, 0, {"cos"}).reason == StopReason::exact);
    const SearchResult noisy = search(law, 0.5, {"sin", "exp"});
    const FrontEntry& chosen = *best(noisy.front);
    INFO(to_text(chosen.expression));
    CHECK(chosen.loss < 1.2 * 0.25);
    CHECK(chosen.complexity <= 13);
}
