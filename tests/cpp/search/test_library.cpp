// The enumerated formulas: each set of values once, products ahead of their size.
#include "search/library.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "balmer/core/rng.hpp"
#include "balmer/expr/print.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

struct Setup {
    SearchOptions options;
    OperatorSet operators;
    std::vector<Variable> variables;
    std::vector<std::uint32_t> rows;

    explicit Setup(std::size_t d) : rows(64) {
        options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Square, Op::Sqrt, Op::Exp, Op::Sin, Op::Cos};
        std::iota(rows.begin(), rows.end(), 0U);
        Rng rng(3, 0);
        for (std::uint32_t j = 0; j < d; ++j) {
            variables.push_back({Expression::feature(j), {}});
            for (std::size_t i = 0; i < rows.size(); ++i) variables[j].values.push_back(1 + 2 * rng.uniform());
        }
    }

    /// The first place in the library of a formula with the values of `law` on all rows.
    template <class F>
    std::size_t place_of(Library& library, F law) const {
        library.prepare(library.size());
        for (std::size_t i = 0; i < library.size(); ++i) {
            bool same = true;
            for (std::size_t k = 0; k < rows.size() && same; ++k) {
                std::vector<double> x;
                for (const Variable& v : variables) x.push_back(v.values[k]);
                same = std::abs(library.screen(i)[k] - law(x)) <= 1e-9 * std::abs(law(x));
            }
            if (same) return i;
        }
        return library.size();
    }
};

TEST_CASE("products of powers and functions, and functions of products, stand ahead of their size") {
    const Setup four(4);
    const Vocabulary vocabulary(four.options, four.operators);
    Library library(vocabulary, four.variables, four.rows, 100000);
    while (library.level() < 5 && library.grow()) {
    }
    const std::size_t place = four.place_of(library, [](const auto& x) { return x[0] * std::cos(x[1]) / x[2]; });
    REQUIRE(place < library.size());
    CHECK(library.expression(place).size() == 6);
    CHECK(library.complexity(place) == 6);
    // A function of such a product.
    CHECK(four.place_of(library, [](const auto& x) { return std::exp(x[0] * x[1] / x[2]); }) < library.size());
    // One variable: several functions of it together.
    const Setup one(1);
    const Vocabulary words(one.options, one.operators);
    Library alone(words, one.variables, one.rows, 100000);
    while (alone.level() < 6 && alone.grow()) {
    }
    CHECK(one.place_of(alone, [](const auto& x) {
        return x[0] * x[0] * x[0] * std::exp(-x[0]) * std::cos(x[0]) * std::sin(x[0]);
    }) < alone.size());
}

TEST_CASE("a product that stands ahead is built upon at its own size") {
    const Setup setup(2);
    const Vocabulary vocabulary(setup.options, setup.operators);
    Library library(vocabulary, setup.variables, setup.rows, 200000);
    while (library.level() < 6 && library.grow()) {
    }
    CHECK(setup.place_of(library, [](const auto& x) { return std::exp(x[0] * std::sin(x[1])); }) < library.size());
}

TEST_CASE("no two formulas of one size have the same values, and no value comes more than twice") {
    const Setup setup(2);
    const Vocabulary vocabulary(setup.options, setup.operators);
    Library library(vocabulary, setup.variables, setup.rows, 100000);
    while (library.level() < 4 && library.grow()) {
    }
    library.prepare(library.size());
    std::vector<std::vector<double>> all;
    for (std::size_t i = 0; i < library.size(); ++i) {
        if (!library.is_constant(i)) all.emplace_back(library.key(i), library.key(i) + Library::kKeyRows);
    }
    std::size_t most = 0;
    for (const auto& a : all) {
        const auto close = [&](const std::vector<double>& b) {
            for (std::size_t k = 0; k < a.size(); ++k) {
                if (std::abs(a[k] - b[k]) > 1e-12 * std::abs(a[k])) return false;
            }
            return true;
        };
        most = std::max(most, static_cast<std::size_t>(std::count_if(all.begin(), all.end(), close)));
    }
    CHECK(most <= 2);
}

TEST_CASE("roots and logarithms of the magnitude of a product that changes its sign stand ahead of their size") {
    Setup setup(4);
    for (Variable& v : setup.variables) {
        for (double& x : v.values) x -= 2;
    }
    const auto root = [](const auto& x) { return std::sqrt(std::abs(x[0] * x[1] / x[2])); };
    const auto root_in_library = [&] {
        const Vocabulary vocabulary(setup.options, setup.operators);
        Library library(vocabulary, setup.variables, setup.rows, 100000);
        while (library.level() < 5 && library.grow()) {
        }
        const std::size_t place = setup.place_of(library, root);
        return place < library.size() ? to_text(library.expression(place)) : std::string();
    };
    CHECK(root_in_library() == "sqrt(sqrt(square(x1 * x0 / x2)))");
    setup.options.operators.push_back(Op::Abs);
    CHECK(root_in_library() == "sqrt(abs(x1 * x0 / x2))");
}

TEST_CASE("operators of the user's own are in the library, texts and compiled code alike") {
    Setup setup(2);
    const auto cubic = [](double* out, const double* a, const double*, std::size_t n) {
        for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * (1.7 + a[i] * a[i]);
    };
    setup.options.operators.push_back(setup.operators.define("swing(x) = sin(0.7 * x)"));
    setup.options.operators.push_back(setup.operators.define("part(x, y) = x / (1.3 + y)"));
    setup.options.operators.push_back(
        setup.operators.define({.name = "cubic", .arity = 1, .value = cubic, .derivatives = {}}));
    setup.options.operators.push_back(setup.operators.define("twice(x) = x * x"));
    const Vocabulary vocabulary(setup.options, setup.operators);
    Library library(vocabulary, setup.variables, setup.rows, 100000);
    while (library.level() < 4 && library.grow()) {
    }
    const auto text_of = [&](auto law) {
        const std::size_t place = setup.place_of(library, law);
        REQUIRE(place < library.size());
        return to_text(library.expression(place), {}, setup.operators);
    };
    CHECK(text_of([](const auto& x) { return std::sin(0.7 * x[0]) * x[1]; }) == "x1 * swing(x0)");
    CHECK(text_of([](const auto& x) { return std::sqrt(x[1] / (1.3 + x[0])); }) == "sqrt(part(x1, x0))");
    CHECK(text_of([](const auto& x) { return x[0] * (1.7 + x[0] * x[0]) - x[1]; }) == "cubic(x0) - x1");
    // What is a square under another name is one step, as ever.
    CHECK(text_of([](const auto& x) { return x[0] * x[0]; }) == "square(x0)");
}

}  // namespace
