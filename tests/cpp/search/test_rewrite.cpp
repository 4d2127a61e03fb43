// Shorter forms: the same values with fewer constants, and the neighbours that the finish tries.
#include "search/rewrite.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

const std::vector<std::string> kNames = {"x", "y"};

struct Setup {
    SearchOptions options;
    OperatorSet operators;
    Setup() { options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Square, Op::Sqrt, Op::Exp, Op::Sin}; }
};

std::vector<double> values_of(const Expression& e) {
    const std::vector<double> x = {0.4, 1.1, 1.9, 0.8, 0.6, 2.3, 1.7, 0.9};
    const std::vector<double> y(4, 0.0);
    const Dataset<double> data(MatrixView<double>{x.data(), 4, 2, 2, 1}, y, {}, RowOrder::as_given);
    const OperatorSet operators;
    const Evaluator<double> evaluator(data, operators);
    std::vector<double> out(4);
    Workspace<double> workspace;
    evaluator.evaluate(e, out, workspace);
    return out;
}

std::string text(const Expression& e) { return to_text(e, kNames, OperatorSet::builtin(), {6}); }

bool contains(const std::vector<Expression>& all, const std::string& formula) {
    const Expression wanted = parse(formula, kNames);
    return std::any_of(all.begin(), all.end(), [&](const Expression& e) { return e == wanted; });
}

TEST_CASE("a constant that only scales others is taken into them") {
    const Setup setup;
    const Vocabulary vocabulary(setup.options, setup.operators);
    struct Case {
        const char *given, *expected;
    };
    for (const Case& c :
         {Case{"2 / (4 / x + 6 * y)", "1 / (2 / x + 3 * y)"}, Case{"3 * (x * 2 + 5)", "x * 6 + 15"},
          Case{"4 * square(3 * x)", "square(6 * x)"}, Case{"x / (2 * (y + 1.5)) + y", "x / (y * 2 + 3) + y"}}) {
        const Expression given = parse(c.given, kNames);
        const Expression shorter = with_factors_absorbed(given, vocabulary);
        INFO(c.given << " became " << text(shorter));
        const std::vector<double> before = values_of(given), after = values_of(shorter);
        for (std::size_t k = 0; k < before.size(); ++k) CHECK(after[k] == doctest::Approx(before[k]).epsilon(1e-14));
        const auto free = [](const Expression& e) {
            return std::count_if(e.constants.begin(), e.constants.end(), [](double v) { return std::abs(v) != 1; });
        };
        CHECK(free(shorter) <= free(parse(c.expected, kNames)));
        CHECK(shorter.size() <= parse(c.expected, kNames).size());
    }
    // Nothing to take it into, or only under a function that does not let it through.
    for (const char* given : {"2 * x", "3 * exp(2 * x)", "3 / (x + y)", "-2 * square(3 * x)"}) {
        const Expression e = parse(given, kNames);
        CHECK(with_factors_absorbed(e, vocabulary) == e);
    }
}

TEST_CASE("a function of a small argument may go, as may each side of a sum or product") {
    const Setup setup;
    const Vocabulary vocabulary(setup.options, setup.operators);
    const std::vector<Expression> near = without_one_part(parse("y + sin(x * 0.5)", kNames), vocabulary);
    CHECK(contains(near, "y + x * 0.5"));
    CHECK(contains(near, "y"));
    CHECK(contains(near, "sin(x * 0.5)"));
    CHECK(contains(near, "y + sin(x)"));
    for (const Expression& e : near) CHECK(e.size() < 6);
}

TEST_CASE("terms with nearly equal factors are tried with one") {
    const Setup setup;
    const Vocabulary vocabulary(setup.options, setup.operators);
    CHECK(contains(with_one_factor(parse("2 * x + 2.1 * y", kNames), 0.2, vocabulary), "2 * (x + y)"));
    CHECK(contains(with_one_factor(parse("2 * x - 2.1 * y", kNames), 0.2, vocabulary), "2 * (x - y)"));
    CHECK(with_one_factor(parse("2 * x + 3 * y", kNames), 0.2, vocabulary).empty());
    CHECK(with_one_factor(parse("x + y", kNames), 0.2, vocabulary).empty());
}

}  // namespace
