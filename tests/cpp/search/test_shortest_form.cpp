// Smaller equals of formulas.
#include "search/shortest_form.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "sanitized.hpp"
#include "search/products.hpp"

using namespace balmer;
using namespace balmer::search;

namespace {

/// Rows of three positive features and one of both signs.
struct Rows {
    std::vector<double> X;
    Dataset<double> data;

    Rows() : X(4 * 50) {
        Rng rng(3, 0);
        for (double& x : X) x = 0.3 + 2 * rng.uniform();
        for (std::size_t i = 150; i < 200; ++i) X[i] -= 1.3;
        data = Dataset<double>(MatrixView<double>{X.data(), 50, 4, 1, 50});
    }
    [[nodiscard]] std::vector<double> values(const Expression& e) const {
        std::vector<double> out(50);
        Workspace<double> workspace;
        Evaluator<double>(data).evaluate(e, out, workspace);
        return out;
    }
    [[nodiscard]] bool positive(const Expression& e) const {
        return std::ranges::all_of(values(e), [](double v) { return v > 0; });
    }
};

SearchOptions allowing(const std::vector<std::string>& names) {
    SearchOptions options;
    for (const std::string& name : names) options.operators.push_back(operator_named(name, OperatorSet::builtin()));
    options.evolution.maxsize = 200;
    return options;
}

const std::vector<std::string> kAll = {"+",    "-",    "*",   "/",   "^",   "neg", "inv", "square",
                                       "cube", "sqrt", "exp", "log", "sin", "cos", "abs", "tanh"};

class Shortening {
   public:
    explicit Shortening(const std::vector<std::string>& names = kAll)
        : options_(allowing(names)), vocabulary_(options_, OperatorSet::builtin()) {}

    [[nodiscard]] Expression operator()(const Expression& e) const {
        return shortest_form(e, vocabulary_, [this](const Expression& part) { return rows.positive(part); });
    }
    [[nodiscard]] int complexity(const Expression& e) const { return vocabulary_.complexity(e); }
    [[nodiscard]] bool allows(const Expression& e) const { return vocabulary_.admissible(e); }

    Rows rows;

   private:
    SearchOptions options_;
    Vocabulary vocabulary_;
};

/// Of parts of the size that the values have on the way: cancellation makes the rest rounding.
bool same_values(const std::vector<double>& before, const std::vector<double>& after, double scale) {
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (!std::isfinite(before[i])) continue;
        if (!(std::abs(after[i] - before[i]) <= 1e-9 * std::max(scale, std::abs(before[i])))) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("formulas are written with the least") {
    const Shortening shorten;
    const struct {
        const char *before, *after;
    } cases[] = {
        {"x0 * (x1 + 3 / x0)", "x0 * x1 + 3"},
        {"1 / (1 / x3)", "x3"},
        {"exp(2.5 * log(x0))", "x0 ^ 2.5"},
        {"exp(2 * log(x0))", "square(x0)"},
        {"sin(x0) * cos(x1) - cos(x0) * sin(x1)", "sin(x0 - x1)"},
        {"cos(x0) * cos(x1) - sin(x0) * sin(x1)", "cos(x0 + x1)"},
        {"0.5 * (sin(x0) * cos(x3)) - sin(x0) - 0.5 * (cos(x0) * sin(x3))", "0.5 * sin(x0 - x3) - sin(x0)"},
        {"3 * square(sin(x3)) + x0 + 3 * square(cos(x3))", "x0 + 3"},
        {"0.5 * (sin(x0 * x0 * (x0 - 1)) + sin((x0 * x0 + x0) * x0))", "sin(cube(x0)) * cos(square(x0))"},
        {"cos(x0 + x3) - cos(x0 - x3)", "-2 * sin(x0) * sin(x3)"},
        {"cos(x0 + x3) + cos(x0 - x3)", "2 * cos(x0) * cos(x3)"},
        {"sin(x0 + x3) - sin(x0 - x3)", "2 * cos(x0) * sin(x3)"},
        {"sqrt(x3 + 2) * sqrt(x3 + 2)", "x3 + 2"},
        {"log(exp(x3) * x0)", "x3 + log(x0)"},
        {"exp(log(x0) + log(x1))", "x0 * x1"},
        {"x3 * x3 * x3", "cube(x3)"},
        {"x0 * x1 + x0 * x3", "x0 * (x1 + x3)"},
        {"x0 / x1 + x3 / x1", "(x0 + x3) / x1"},
        {"(x0 + 1) * (x0 + 2) - 3 * x0", "square(x0) + 2"},
        {"(4 * x0 + 3 * square(x0) - x0 * x3 - cube(x0)) / (x0 + 1)", "x0 * (4 - x0 - x3 / (x0 + 1))"},
        {"(x0 * x3 - 0.075 * square(x3) - 0.075 * (x0 * square(x3))) / (x0 + 1)", "x3 * (x0 / (x0 + 1) - 0.075 * x3)"},
        {"cos(x0) * (sin(x0 * x0) - 1 / cos(x0))", "sin(square(x0)) * cos(x0) - 1"},
        {"x1 * x0 * exp(2 * log(x0 / x1 * (x0 / x1)))", "x0 ^ 5 / cube(x1)"},
        {"(x1 / x0 + 1.5) / (0.25 * (2 / x0 + x0))", "(x1 + 1.5 * x0) / (0.25 * (square(x0) + 2))"},
        {"log(2.5 * x0 + 5 * x1) + 1.25", "log(x0 + 2 * x1) + 2.166290731874155"},
        {"2 * exp(x3 + 0.5)", "exp(x3 + 1.1931471805599454)"},
        {"abs(x0 + x1)", "x0 + x1"},
        {"exp(x0) * exp(x1 - x0)", "exp(x1)"},
        {"sqrt(square(x0) * x1)", "x0 * sqrt(x1)"},
    };
    for (const auto& [before, after] : cases) {
        const Expression e = parse(before), found = shorten(e);
        const char* const text = before;  // Clang 16 hands no structured binding to the lambda of INFO
        INFO(text, " -> ", to_text(found));
        CHECK(shorten.complexity(found) <= shorten.complexity(parse(after)));
        CHECK(same_values(shorten.rows.values(e), shorten.rows.values(found), 1));
    }
}

TEST_CASE("what holds for positive values only is not done to others") {
    const Shortening shorten;
    for (const char* text : {"abs(x3)", "sqrt(square(x3))", "exp(0.5 * log(square(x3)))", "sqrt(x3 * x3 * x0)"}) {
        const Expression e = parse(text), found = shorten(e);
        INFO(text, " -> ", to_text(found));
        CHECK(same_values(shorten.rows.values(e), shorten.rows.values(found), 1));
    }
}

TEST_CASE("only operators that are allowed are used") {
    const Shortening shorten({"+", "*", "exp", "log"});
    CHECK(to_text(shorten(parse("exp(2.5 * log(x0))"))) == "exp(2.5 * log(x0))");
    CHECK(to_text(shorten(parse("x0 * (x1 + 3 * exp(-1 * log(x0)))"))).find('/') == std::string::npos);
}

namespace {

/// A formula over the named operators, of small constants and four features.
Expression random_formula(Rng& rng, const std::vector<std::string>& names, std::uint32_t depth) {
    if (depth == 0 || rng.below(6) == 0) {
        if (rng.below(3) == 0) return Expression::constant(static_cast<double>(1 + rng.below(4)) / 2);
        return Expression::feature(rng.below(4));
    }
    const Op op = operator_named(names[rng.below(static_cast<std::uint32_t>(names.size()))], OperatorSet::builtin());
    const Expression first = random_formula(rng, names, depth - 1);
    if (info(op).arity == 1) return Expression::apply(op, first);
    return Expression::apply(op, first, random_formula(rng, names, depth - 1));
}

}  // namespace

TEST_CASE("random formulas keep their values and their operators, and never grow") {
    const std::vector<std::vector<std::string>> sets = {
        {"+", "-", "*", "/", "+", "*", "neg", "inv", "square", "cube", "sqrt", "exp", "log", "sin", "cos", "abs",
         "tanh"},
        {"+", "*", "inv", "neg", "sqrt"},
        {"-", "/", "exp", "log"},
        {"*", "sin", "cos", "+", "-"},
    };
    for (const std::vector<std::string>& names : sets) {
        const Shortening shorten(names);
        Rng rng(17, names.size());
        int shorter = 0, compared = 0;
        const int formulas = test::repeats(1500, 500);
        for (int k = 0; k < formulas; ++k) {
            const Expression e = random_formula(rng, names, 2 + rng.below(4));
            const std::vector<double> before = shorten.rows.values(e);
            const bool ordinary =
                std::ranges::all_of(before, [](double v) { return std::isfinite(v) && std::abs(v) < 1e6; });
            if (!ordinary) continue;
            ++compared;
            const Expression found = shorten(e);
            INFO(to_text(e), " -> ", to_text(found));
            CHECK(shorten.complexity(found) <= shorten.complexity(e));
            CHECK(shorten.allows(found));
            CHECK(same_values(before, shorten.rows.values(found), 1e3));
            shorter += shorten.complexity(found) < shorten.complexity(e);
        }
        CHECK(compared > formulas / 5);
        CHECK(shorter > formulas / 30);
    }
}
