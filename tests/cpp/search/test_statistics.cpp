// What a result tells of its formulas beside their losses.
#include "search/statistics.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <utility>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

/// y = 2 x + 3 with noise of standard deviation 0.1, x uniform in [0, 1].
struct Line {
    std::vector<double> x, y;
    explicit Line(std::size_t rows, double noise = 0.1) {
        Rng rng(5, 0);
        for (std::size_t i = 0; i < rows; ++i) {
            x.push_back(rng.uniform());
            y.push_back(2 * x.back() + 3 + noise * rng.normal());
        }
    }
    [[nodiscard]] Dataset<double> dataset(std::vector<double> weights = {}) const {
        return Dataset<double>(MatrixView<double>{x.data(), x.size(), 1, 1, x.size()}, y, weights);
    }
};

std::vector<FrontEntry> statistics_of(const Dataset<double>& data, const std::vector<const char*>& formulas,
                                      int folds = 0, int threads = 1, const char* loss = nullptr,
                                      std::uint64_t seed = 0) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Mul, Op::Pow, Op::Sin};
    options.cv_folds = folds;
    options.n_threads = threads;
    options.seed = seed;
    if (loss != nullptr) options.evolution.loss = Loss(loss);
    const Problem problem(data, OperatorSet::builtin(), options);
    FitWorkspace<double> workspace;
    std::vector<FrontEntry> front;
    for (const char* text : formulas) {
        Expression formula = parse(text);
        const FitResult fit = problem.objective.fit({&formula, 1}, {}, workspace);
        front.push_back({formula, problem.space.complexity(formula), fit.loss});
    }
    const std::atomic<bool> cancelled{false};
    double evaluations = 0;
    add_statistics(front, problem, cancelled, evaluations);
    CHECK(evaluations > 0);
    return front;
}

TEST_CASE("standard errors of a line are those of the textbook") {
    const Line line(50);
    const Dataset<double> data = line.dataset();
    const FrontEntry entry = statistics_of(data, {"1.9 * x0 + 3.1"})[0];
    double mean = 0, spread = 0;
    for (const double x : line.x) mean += x / 50;
    for (const double x : line.x) spread += (x - mean) * (x - mean);
    const double variance = entry.loss * 50 / 48;
    REQUIRE(entry.standard_errors.size() == 2);
    CHECK(entry.standard_errors[0] == doctest::Approx(std::sqrt(variance / spread)));
    CHECK(entry.standard_errors[1] == doctest::Approx(std::sqrt(variance * (1.0 / 50 + mean * mean / spread))));
}

TEST_CASE("whole numbers are part of the structure: no error, no price, no fit") {
    Line line(50);
    for (std::size_t i = 0; i < 50; ++i) line.y[i] = 2.5 * line.x[i] * line.x[i];
    line.y[7] += 0.3;
    const Dataset<double> data = line.dataset();
    SearchOptions options;
    options.operators = {Op::Mul, Op::Pow};
    options.cv_folds = 5;
    const Problem problem(data, OperatorSet::builtin(), options);
    std::vector<FrontEntry> front(2);
    front[0].expression = parse("2.5 * x0^2.0"), front[1].expression = parse("2.5 * x0^2.01");
    FitWorkspace<double> workspace;
    for (FrontEntry& entry : front) entry.loss = problem.objective.loss({&entry.expression, 1}, 1e9, workspace);
    const std::atomic<bool> cancelled{false};
    double evaluations = 0;
    add_statistics(front, problem, cancelled, evaluations);
    CHECK(front[0].standard_errors[1] == 0);
    CHECK(front[1].standard_errors[1] > 0);
    CHECK(front[0].bic == doctest::Approx(50 * std::log(front[0].loss) + std::log(50)));
    CHECK(front[1].bic == doctest::Approx(50 * std::log(front[1].loss) + 2 * std::log(50)));
    // With the power held, less is fitted to the row that is off.
    CHECK(front[0].cv_loss < front[1].cv_loss);
}

TEST_CASE("r2 is the explained share of the variance, also for other losses") {
    const Line line(40);
    const Dataset<double> data = line.dataset();
    CHECK(statistics_of(data, {"3.5"})[0].r2 == doctest::Approx(0).epsilon(1e-9));
    const FrontEntry squares = statistics_of(data, {"1.9 * x0 + 3.1"})[0];
    CHECK(squares.r2 == doctest::Approx(1 - squares.loss / data.target_variance()));
    const FrontEntry absolute = statistics_of(data, {"1.9 * x0 + 3.1"}, 0, 1, "L1DistLoss")[0];
    CHECK(absolute.r2 > 0.9);
    CHECK(absolute.r2 <= squares.r2);
    CHECK(absolute.standard_errors.empty());
}

TEST_CASE("a loss that is a power of the residual counts n / exponent ln(loss) nats") {
    const Line line(50);
    const Dataset<double> data = line.dataset();
    const std::vector<const char*> formulas = {"3.5", "1.9 * x0 + 3.1"};
    for (const auto& [name, exponent] : {std::pair{"L1DistLoss", 1.0}, std::pair{"LPDistLoss{3}()", 3.0},
                                         std::pair{"loss(p, t) = 7 * (p - t)^4", 4.0}}) {
        const char* const loss = name;  // Clang 16 hands no structured binding to the lambda of CAPTURE
        CAPTURE(loss);
        const std::vector<FrontEntry> front = statistics_of(data, formulas, 0, 1, loss);
        for (const FrontEntry& entry : front) {
            const double nats = 50 / exponent * std::log(entry.loss);
            const auto constants = static_cast<double>(entry.expression.constants.size());
            CHECK(entry.bic == doctest::Approx(2 * nats + constants * std::log(50)));
            CHECK(std::isfinite(entry.description_length));
        }
        CHECK(front[1].description_length < front[0].description_length);
    }
    // The price of structure and constants is that of least squares.
    const std::vector<FrontEntry> squares = statistics_of(data, formulas, 0, 1, "loss(p, t) = 5 * (p - t)^2 + 0 * p");
    CHECK(std::isfinite(squares[0].bic));
    // Margins are no residuals.
    const FrontEntry margin = statistics_of(data, {"1.9 * x0 + 3.1"}, 0, 1, "L1HingeLoss")[0];
    CHECK(std::isinf(margin.bic));
    CHECK(std::isinf(margin.description_length));
}

TEST_CASE("an exact formula has a finite description length for every loss") {
    const Line line(30, 0);
    const Dataset<double> data = line.dataset();
    for (const char* loss : {"L1DistLoss", "HuberLoss(0.1)"}) {
        const std::vector<FrontEntry> front = statistics_of(data, {"3.5", "1.9 * x0 + 3.1"}, 0, 1, loss);
        CHECK(std::isfinite(front[1].description_length));
        CHECK(front[1].description_length < front[0].description_length);
    }
}

TEST_CASE("the loss of cross-validation is that of rows that were left out") {
    // With as many parts as rows: the classical identity for least squares, residual / (1 - leverage).
    const Line line(20);
    const Dataset<double> data = line.dataset();
    const FrontEntry entry = statistics_of(data, {"1.9 * x0 + 3.1"}, 20)[0];
    double mean = 0, spread = 0, expected = 0;
    for (const double x : line.x) mean += x / 20;
    for (const double x : line.x) spread += (x - mean) * (x - mean);
    for (std::size_t i = 0; i < 20; ++i) {
        const double residual = line.y[i] - (entry.expression.constants[0] * line.x[i] + entry.expression.constants[1]);
        const double leverage = 1.0 / 20 + (line.x[i] - mean) * (line.x[i] - mean) / spread;
        expected += residual * residual / ((1 - leverage) * (1 - leverage)) / 20;
    }
    CHECK(entry.cv_loss == doctest::Approx(expected));
    CHECK(entry.cv_error > 0);
    CHECK(std::isnan(statistics_of(data, {"1.9 * x0 + 3.1"})[0].cv_loss));
    // More parts than rows: each row is one.
    CHECK(statistics_of(data, {"1.9 * x0 + 3.1"}, 50)[0].cv_loss == entry.cv_loss);
}

TEST_CASE("the parts depend on nothing but the rows") {
    const Line line(60);
    const Dataset<double> data = line.dataset();
    const std::vector<const char*> formulas = {"3.5", "1.9 * x0 + 3.1", "1.9 * x0 + 3.1 + 0.1 * sin(9.0 * x0)"};
    const std::vector<FrontEntry> expected = statistics_of(data, formulas, 5);
    for (const int threads : {2, 3}) {
        const std::vector<FrontEntry> other = statistics_of(data, formulas, 5, threads, nullptr, 77);
        for (std::size_t e = 0; e < formulas.size(); ++e) {
            CHECK(other[e].cv_loss == expected[e].cv_loss);
            CHECK(other[e].cv_error == expected[e].cv_error);
        }
    }
    CHECK(expected[1].cv_loss < expected[0].cv_loss);
}

TEST_CASE("rows without weight are no rows") {
    Line line(40), longer(40);
    longer.x.push_back(0.5), longer.y.push_back(1e6);
    std::vector<double> weights(40, 1.0);
    weights.push_back(0);
    const Dataset<double> data = line.dataset(std::vector<double>(40, 1.0)), more = longer.dataset(weights);
    const FrontEntry expected = statistics_of(data, {"1.9 * x0 + 3.1"}, 5)[0];
    const FrontEntry entry = statistics_of(more, {"1.9 * x0 + 3.1"}, 5)[0];
    CHECK(entry.cv_loss == doctest::Approx(expected.cv_loss));
    CHECK(entry.bic == doctest::Approx(expected.bic));
    CHECK(entry.standard_errors[0] == doctest::Approx(expected.standard_errors[0]));
}

TEST_CASE("a formula that is not finite on rows left out has an infinite loss there") {
    Line line(20);
    const Dataset<double> data = line.dataset();
    const FrontEntry entry = statistics_of(data, {"x0 + 1.5 * (x0 - 0.9)^1.5"}, 4)[0];
    CHECK(std::isinf(entry.cv_loss));
    CHECK(std::isinf(entry.cv_error));
}

}  // namespace
}  // namespace balmer
