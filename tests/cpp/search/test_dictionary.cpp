// Quotients of sums under noise.
#include "search/dictionary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"

using namespace balmer;
using namespace balmer::search;

namespace {

using Law = std::function<double(const double* x)>;

/// What is left of the variance of the noise by the best formula of at most `most` nodes: 1 or a little less if it is the law.
double left_by_quotients(const Law& law, double noise, int most) {
    constexpr std::size_t kRows = 600, kFeatures = 4;
    Rng rng(11, 0);
    std::vector<double> X, y;
    double variance = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
        for (std::size_t j = 0; j < kFeatures; ++j) X.push_back(1 + 4 * rng.uniform());
        const double error = noise * rng.normal();
        y.push_back(law(X.data() + kFeatures * i) + error);
        variance += error * error / static_cast<double>(kRows);
    }
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, kFeatures, kFeatures, 1}, y);
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div};
    const OperatorSet& operators = OperatorSet::builtin();
    const Vocabulary vocabulary(options, operators);
    const Evaluator<double> evaluator(data, operators);
    SeedArchive archive(description_scale(y, 9), 0, 0);
    Work work{0, 1e10};
    const std::atomic<bool> cancel = false;
    Polisher polisher(evaluator, vocabulary, archive, work, cancel, 1);
    noisy_quotients(raw_view(data, vocabulary), polisher, noise);
    double least = INFINITY;
    for (const std::vector<Found>& entries : archive.by_complexity()) {
        for (const Found& found : entries) {
            if (found.complexity <= most) least = std::min(least, found.loss);
        }
    }
    return least / variance;
}

}  // namespace

TEST_CASE("quotients of sums are found under noise, whatever stands below") {
    const Law weighted_mean = [](const double* x) { return (x[0] * x[1] + x[2] * x[3]) / (x[0] + x[2]); };
    const Law saturation = [](const double* x) { return 3 * x[0] * x[1] / (x[0] + 2 * x[1] + 0.5 * x[0] * x[1]); };
    const Law lens = [](const double* x) { return 1 / (1 / x[0] + x[2] / x[1]); };
    for (const double noise : {0.01, 0.05}) {
        INFO(noise);
        CHECK(left_by_quotients(weighted_mean, noise, 19) < 1.0);
        CHECK(left_by_quotients(saturation, noise, 19) < 1.0);
    }
    CHECK(left_by_quotients(lens, 0.01, 19) < 1.0);
}

TEST_CASE("noise is no quotient of sums") {
    CHECK(left_by_quotients([](const double*) { return 0.0; }, 1, 30) == INFINITY);
}
