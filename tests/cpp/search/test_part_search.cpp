// Formulas whose parts are replaced by better ones.
#include "search/part_search.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"

using namespace balmer;
using namespace balmer::search;

namespace {

using Law = std::function<double(const double* x)>;

/// A law of three features from 1 to 2 times `unit`, and the archive of a search for it.
struct Problem {
    static constexpr std::size_t kRows = 200;

    explicit Problem(const Law& law, double unit = 1) {
        Rng rng(5, 0);
        std::vector<double> X, y;
        for (std::size_t i = 0; i < kRows; ++i) {
            for (int j = 0; j < 3; ++j) X.push_back(unit * (1 + rng.uniform()));
            y.push_back(law(X.data() + 3 * i));
        }
        data = Dataset<double>(MatrixView<double>{X.data(), kRows, 3, 3, 1}, y);
        options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Exp, Op::Sin};
    }

    /// The loss after a search for better parts of the formula, in units of the loss before.
    double improvement_of(const char* formula) {
        const OperatorSet& operators = OperatorSet::builtin();
        const Vocabulary vocabulary(options, operators);
        const Evaluator<double> evaluator(data, operators);
        SeedArchive archive(description_scale({data.target(), data.n_rows()}, 10), 1e-25, 1e-28);
        Work work{0, 1e9};
        const std::atomic<bool> cancel = false;
        Polisher polisher(evaluator, vocabulary, archive, work, cancel, 1);
        polisher.submit({parse(formula)}, "test");
        REQUIRE(archive.best() != nullptr);
        const double before = archive.best()->loss;
        search_for_parts(raw_view(data, vocabulary), polisher, first_rows(data, kRows), PartOptions{},
                         [](const std::string&) {});
        return archive.best()->loss / before;
    }

    Dataset<double> data;
    SearchOptions options;
};

}  // namespace

TEST_CASE("a part that is wrong is replaced by one that is right") {
    Problem problem([](const double* x) { return std::exp(x[0] * x[1]) * std::sin(3 * x[2]); });
    CHECK(problem.improvement_of("exp(x0 * x1) * (2 - x2)") < 1e-20);
}

TEST_CASE("parts so large that no double holds what an error of theirs does to the target, squared, are left alone") {
    Problem problem([](const double* x) { return x[0] / x[1] + 0.1 * x[2] / x[0]; }, 1e170);
    CHECK(problem.improvement_of("x0 / x1") <= 1);  // crashed
}
