// Searches over data with physical units.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/dimensional_objective.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/search/search.hpp"
#include "search/dimensionless.hpp"

namespace {

using namespace balmer;
using namespace balmer::search;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Dimension kNumber, kMetre({1, 0, 0, 0, 0, 0, 0}), kKilogram({0, 1, 0, 0, 0, 0, 0}),
    kSecond({0, 0, 1, 0, 0, 0, 0});
const Dimension kAcceleration = kMetre.times(kSecond, -2);

/// 80 rows of y = f(x0, x1, x2), features from 1 to 3.
Dataset<double> rows_of(const char* law) {
    constexpr std::size_t kRows = 80;
    Rng rng(4, 0);
    std::vector<double> X(3 * kRows), y(kRows);
    for (double& x : X) x = 1 + 2 * rng.uniform();
    const MatrixView<double> features{X.data(), kRows, 3, 1, kRows};
    Workspace<double> workspace;
    const Dataset<double> data(features);
    Evaluator<double>(data).evaluate(parse(law), y, workspace);
    return Dataset<double>(features, y);
}

SearchOptions with_dimensions(DataDimensions dimensions) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Sqrt, Op::Log, Op::Sin};
    options.evolution.populations = 4;
    options.evolution.ncycles_per_iteration = 50;
    options.evolution.niterations = 4;
    options.dimensions = std::move(dimensions);
    return options;
}

std::size_t violations(const std::vector<FrontEntry>& front, const DataDimensions& dimensions) {
    return static_cast<std::size_t>(std::ranges::count_if(front, [&](const FrontEntry& entry) {
        return dimension_violation(entry.expression, dimensions, OperatorSet::builtin()).has_value();
    }));
}

TEST_CASE("the front keeps to the units, whatever fits better") {
    const Dataset<double> data = rows_of("x0 + x1 * sin(x2)");
    for (const bool seeding : {true, false}) {
        for (const bool numbers : {true, false}) {
            SearchOptions options = with_dimensions({{kMetre, kSecond, kKilogram}, kMetre, numbers});
            options.seeding = seeding;
            const SearchResult result = Search(data, OperatorSet::builtin(), options).run();
            CAPTURE(seeding);
            CAPTURE(numbers);
            REQUIRE_FALSE(result.front.empty());
            CHECK(violations(result.front, options.dimensions) == 0);
        }
    }
}

TEST_CASE("a penalty lets a violation pass that is worth it") {
    const Dataset<double> data = rows_of("x0 + x1");
    SearchOptions options = with_dimensions({{kMetre, kSecond, kKilogram}, kMetre, true});
    options.seeding = false;
    options.dimensional_constraint_penalty = 1e-4;
    const std::vector<FrontEntry> front = Search(data, OperatorSet::builtin(), options).run().front;
    REQUIRE(violations(front, options.dimensions) > 0);
    CHECK(front.back().loss == doctest::Approx(1e-4));
}

TEST_CASE("units are part of what a saved search belongs to") {
    const Dataset<double> data = rows_of("x0 * x1 + log(x2)");
    const SearchOptions options = with_dimensions({{kMetre, kSecond, kNumber}, {}, false});
    Search search(data, OperatorSet::builtin(), options);
    const std::string state = search.save();
    CHECK_NOTHROW(Search(data, OperatorSet::builtin(), options).load(state));
    SearchOptions others = options;
    others.dimensions.features[2] = kMetre;
    CHECK_THROWS_AS(Search(data, OperatorSet::builtin(), others).load(state), std::invalid_argument);
    others = options;
    others.dimensional_constraint_penalty = 10;
    CHECK_THROWS_AS(Search(data, OperatorSet::builtin(), others).load(state), std::invalid_argument);
}

TEST_CASE("dimensions that make no sense are named") {
    const auto message = [](SearchOptions options) -> std::string {
        try {
            validate(options, OperatorSet::builtin(), 3);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message(with_dimensions({{kMetre}, {}, false})) ==
          "the number of dimensions of features is 1; give one for each of the 3 features");
    const DataDimensions unreachable{{kMetre, kSecond, kNumber}, kKilogram, true};
    CHECK(message(with_dimensions(unreachable)).starts_with("the target's dimension is kg; the features do not make"));
    SearchOptions options = with_dimensions(unreachable);
    options.dimensions.features[2].reset();
    CHECK(message(options) == "");
    options.dimensional_constraint_penalty = -1;
    CHECK(message(options) == "dimensional_constraint_penalty is -1; give 0 or more, infinity to forbid violations");
}

TEST_CASE("an objective with a price adds it to the loss of a violation") {
    const Dataset<double> data = rows_of("x0 + x1");
    const LeastSquares plain(data, OperatorSet::builtin());
    const DataDimensions dimensions{{kMetre, kSecond, kKilogram}, kMetre, true};
    const Expression bad = parse("x0 + x1 + 0.5"), good = parse("x0 + x0");
    FitWorkspace<double> workspace;
    const auto loss = [&](const Expression& e, double penalty, double bound) {
        const DimensionalPrice price(dimensions, OperatorSet::builtin(), penalty);
        return DimensionalObjective(plain, price).loss({&e, 1}, bound, workspace);
    };
    CHECK(loss(bad, 3, kInfinity) == doctest::Approx(3.25));
    CHECK(loss(bad, 3, 4) == doctest::Approx(3.25));
    CHECK(loss(bad, 3, 1) > 1);
    CHECK(loss(bad, kInfinity, kInfinity) == kInfinity);
    CHECK(loss(bad, 0, kInfinity) == doctest::Approx(0.25));
    CHECK(loss(good, kInfinity, kInfinity) == plain.loss({&good, 1}, kInfinity, workspace));
}

TEST_CASE("ratios that are numbers take the place of quantities") {
    const Dataset<double> data = rows_of("sqrt(x0 / x1) * (2 + x2 / x0)");  // lengths over an acceleration
    const SearchOptions options = with_dimensions({{kMetre, kAcceleration, kMetre}, kSecond, true});
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    const std::vector<View> views = dimensionless_views(raw_view(data, vocabulary), vocabulary);
    REQUIRE(views.size() == 2);
    const View& view = views[0];
    REQUIRE(view.variables.size() == 1);
    CHECK(to_text(view.variables[0].expression) == "x2 / x0");
    CHECK(to_text(power_product(1, view.unit, vocabulary)) == "sqrt(x0 / x1)");
    for (std::size_t i = 0; i < data.n_rows(); ++i) {
        CHECK(view.variables[0].values[i] == doctest::Approx(data.column(2)[i] / data.column(0)[i]));
        CHECK(view.target[i] == doctest::Approx(2 + view.variables[0].values[i]));
        CHECK(view.weight[i] == doctest::Approx(data.column(0)[i] / data.column(1)[i]));
    }
}

TEST_CASE("there are no such ratios without the units that they take") {
    const Dataset<double> data = rows_of("x0");
    const auto count = [&](const DataDimensions& dimensions) {
        const SearchOptions options = with_dimensions(dimensions);
        const OperatorSet operators;
        const Vocabulary vocabulary(options, operators);
        return dimensionless_views(raw_view(data, vocabulary), vocabulary).size();
    };
    CHECK(count({}) == 0);
    CHECK(count({{kNumber, kNumber, kNumber}, kNumber, true}) == 0);
    CHECK(count({{kMetre, kMetre, kSecond}, kKilogram, false}) == 0);
    CHECK(count({{kMetre, kMetre, kSecond}, {}, false}) == 0);
    CHECK(count({{kMetre, {}, kNumber}, kMetre, false}) == 1);
}

TEST_CASE("a library holds what keeps to the units, and logarithms that a constant makes valid") {
    const Dataset<double> data = rows_of("x0");
    std::vector<std::uint32_t> rows(64);
    std::iota(rows.begin(), rows.end(), 0U);
    const auto grown = [&](const SearchOptions& options) {
        const OperatorSet operators;
        const Vocabulary vocabulary(options, operators);
        const View raw = raw_view(data, vocabulary);
        Library library(vocabulary, raw.variables, rows, 20'000);
        while (library.level() < 4 && library.grow()) {
        }
        std::vector<Expression> formulas;
        for (std::size_t i = 0; i < library.size(); ++i) formulas.push_back(library.expression(i));
        return formulas;
    };
    const DataDimensions dimensions{{kMetre, kSecond, kNumber}, kMetre, true};
    const std::vector<Expression> all = grown(with_dimensions({})), kept = grown(with_dimensions(dimensions));
    CHECK(kept.size() > 50);
    CHECK(3 * kept.size() < 2 * all.size());
    for (const Expression& e : kept) {
        CAPTURE(to_text(e));
        CHECK(dimension_of(e, dimensions, OperatorSet::builtin()));
    }
    DataDimensions open = dimensions;
    open.dimensionless_constants_only = false;
    const std::vector<Expression> more = grown(with_dimensions(open));
    const Expression logarithm = parse("log(x0)");
    CHECK(std::ranges::find(more, logarithm) != more.end());
    CHECK(std::ranges::find(kept, logarithm) == kept.end());
}

TEST_CASE("functions of quantities get a constant that makes them valid") {
    const SearchOptions options = with_dimensions({{kMetre, kSecond, kNumber}, kMetre, false});
    const OperatorSet operators;
    const Vocabulary vocabulary(options, operators);
    CHECK(to_text(vocabulary.with_units(parse("3 * log(x0) + sin(x1 * x0) * x0"))) ==
          "3 * log(2 * x0) + sin(2 * (x1 * x0)) * x0");
    for (const char* text : {"x0 + x1", "3 * log(x2)", "log(x0) + x1", "x0 ^ x1"}) {
        CHECK(vocabulary.with_units(parse(text)) == parse(text));
    }
}

}  // namespace
