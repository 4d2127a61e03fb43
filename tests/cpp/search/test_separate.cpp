// Views without a variable that acts through a factor or a term of its own.
#include "search/separate.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"

using namespace balmer;
using namespace balmer::search;

namespace {

using Law = std::function<double(const double* x)>;

/// All that a view of three features from 1 to 4 needs.
struct Problem {
    explicit Problem(const Law& law, std::size_t rows = 600) {
        Rng rng(3, 0);
        std::vector<double> X, y;
        for (std::size_t i = 0; i < rows; ++i) {
            for (int j = 0; j < 3; ++j) X.push_back(1 + 3 * rng.uniform());
            y.push_back(law(X.data() + 3 * i));
        }
        data = Dataset<double>(MatrixView<double>{X.data(), rows, 3, 3, 1}, y);
        options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Square, Op::Exp, Op::Sin, Op::Cos};
    }

    std::vector<View> views() {
        const OperatorSet& operators = OperatorSet::builtin();
        const Vocabulary vocabulary(options, operators);
        const Evaluator<double> evaluator(data, operators);
        SeedArchive archive(description_scale({data.target(), data.n_rows()}, 10), 0, 0);
        Work work{0, 1e9};
        const std::atomic<bool> cancel = false;
        Polisher polisher(evaluator, vocabulary, archive, work, cancel, 1);
        return separated(raw_view(data, vocabulary), polisher, first_rows(data, 1000));
    }

    Dataset<double> data;
    SearchOptions options;
};

/// The most that z differs from a multiple, or with a sum from a shift, of what it should be, in units of its range.
double error_of(const View& view, const Dataset<double>& data, const Law& rest) {
    std::vector<double> wanted;
    for (std::size_t i = 0; i < data.n_rows(); ++i) {
        const double x[] = {data.column(0)[i], data.column(1)[i], data.column(2)[i]};
        wanted.push_back(rest(x));
    }
    const bool product = view.frame.nodes.empty();
    const double unit = product ? view.target[0] / wanted[0] : view.target[0] - wanted[0];
    double error = 0, most = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double expected = product ? unit * wanted[i] : unit + wanted[i];
        error = std::max(error, std::abs(view.target[i] - expected));
        most = std::max(most, std::abs(expected));
    }
    return error / most;
}

}  // namespace

TEST_CASE("a factor of one variable is taken off, with its offset") {
    const Law rest = [](const double* x) { return std::exp(-x[0]) * std::sin(2 * x[0]) + 0.1 * x[1] * x[0]; };
    Problem problem([&](const double* x) { return (x[2] * x[2] - 5) * rest(x); });
    const std::vector<View> views = problem.views();
    REQUIRE_FALSE(views.empty());
    const View& view = views.front();
    CHECK(view.variables.size() == 2);
    REQUIRE(view.unit.size() == 1);
    INFO(to_text(view.unit[0].base));
    CHECK(error_of(view, problem.data, rest) < 1e-9);
}

TEST_CASE("a term of one variable is taken off, nearly") {
    const Law rest = [](const double* x) { return 3 * std::sin(2 * x[0]) * x[1]; };
    Problem problem([&](const double* x) { return 4 * std::cos(x[2]) + rest(x); });
    const std::vector<View> views = problem.views();
    REQUIRE_FALSE(views.empty());
    const View& view = views.front();
    CHECK(view.variables.size() == 2);
    REQUIRE_FALSE(view.frame.nodes.empty());
    // The frame with the law of the rest in its hole is the law.
    INFO(to_text(view.frame));
    CHECK(error_of(view, problem.data, rest) < 0.05);
}

TEST_CASE("nothing is taken off a law that has neither, noise, or few rows") {
    CHECK(Problem([](const double* x) { return std::sin(x[0] * x[1] + x[2] * x[0] + x[1] * x[2]); }).views().empty());
    Rng rng(8, 0);
    CHECK(Problem([&](const double*) { return rng.normal(); }).views().empty());
    CHECK(Problem([](const double* x) { return x[0] * (x[1] + x[2]); }, 60).views().empty());
}
