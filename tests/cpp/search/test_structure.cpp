// Searches for the parts of a template.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/search/search.hpp"

namespace balmer {
namespace {

/// Rows of a law over x0, x1 and x2, the last one 1, 2 or 3.
Dataset<double> rows_of(const char* law, std::size_t rows = 80) {
    Rng rng(8, 0);
    std::vector<double> X(3 * rows), y(rows);
    for (std::size_t i = 0; i < 2 * rows; ++i) X[i] = 0.5 + rng.uniform();
    for (std::size_t i = 0; i < rows; ++i) X[2 * rows + i] = static_cast<double>(1 + i % 3);
    const MatrixView<double> view{X.data(), rows, 3, 1, rows};
    const Dataset<double> features(view);
    Workspace<double> workspace;
    Evaluator<double>(features).evaluate(parse(law), y, workspace);
    return Dataset<double>(view, y);
}

SearchOptions options_for(Template structure, int niterations = 10) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Sin, Op::Exp};
    options.structure = std::move(structure);
    options.evolution.populations = 4;
    options.evolution.niterations = niterations;
    options.evolution.ncycles_per_iteration = 100;
    options.evolution.maxsize = 14;
    options.seed = 2;
    return options;
}

Template two_parts() { return Template("sin(f(x0, x1)) + g(x2)^2", {"f", "g"}, {"x0", "x1", "x2"}); }

TEST_CASE("a search finds the parts of a template") {
    const Dataset<double> data = rows_of("sin(x0 * x1) + (x2 + 1.5) ^ 2");
    Search search(data, OperatorSet::builtin(), options_for(two_parts(), 30));
    const SearchResult result = search.run();
    const FrontEntry* const found = best(result.front);
    REQUIRE(found != nullptr);
    CHECK(found->loss < 1e-20);
    CHECK(found->complexity == 6);  // of the parts alone
    CHECK(found->parts.size() == 2);
    CHECK(result.log.back().expression == result.front.back().expression);
}

TEST_CASE("constants of a part that is called twice count once") {
    const Dataset<double> data = rows_of("exp(0.7 * x0) - exp(0.7 * x1)");
    Search search(data, OperatorSet::builtin(), options_for(Template("f(x0) - f(x1)", {"f"}, {"x0", "x1", "x2"}), 30));
    const SearchResult result = search.run();
    const FrontEntry* const found = best(result.front);
    REQUIRE(found != nullptr);
    CHECK(found->loss < 1e-20);
    CHECK(found->complexity == 4);
    CHECK(found->parts[0].constants.size() == 1);
    CHECK(found->unknowns == std::vector<std::size_t>{1, 1});
}

TEST_CASE("every formula of a search keeps the structure") {
    const Dataset<double> data = rows_of("x0 * x1 + x2");
    SearchOptions options =
        options_for(Template("f(x0) * g(x1) + p[x2]", {"f", "g"}, {"x0", "x1", "x2"}, {{"p", 3}}), 4);
    options.evolution.maxdepth = 4;
    options.nested_constraints = {{Op::Sin, Op::Sin, 0}};
    const Template structure = *options.structure;
    Search search(data, OperatorSet::builtin(), options);
    const auto check = [&](const FrontEntry& entry) {
        REQUIRE(entry.parts.size() == 3);
        CHECK(entry.complexity <= 14);
        CHECK(entry.parts[2].constants.size() == 3);
        std::size_t nodes = 0;
        for (std::size_t part = 0; part < 2; ++part) {
            CHECK(entry.parts[part].valid(OperatorSet::builtin(), 1));  // its one argument, no other variable
            CHECK(entry.parts[part].depth() <= 4);
            nodes += entry.parts[part].size();
        }
        CHECK(entry.complexity == static_cast<int>(nodes));
        std::vector<std::size_t> sources;
        const auto whole = structure.compose(entry.parts);
        REQUIRE(whole);
        CHECK(Template::written_out(*whole, sources) == entry.expression);
    };
    int seen = 0;
    const SearchResult result = search.run([&](const Progress& progress) {
        for (const FrontEntry& entry : progress.front) check(entry), ++seen;
        return true;
    });
    for (const FrontEntry& entry : result.front) check(entry);
    CHECK(seen > 0);
}

bool same(const SearchResult& a, const SearchResult& b) {
    return std::ranges::equal(a.front, b.front, [](const FrontEntry& x, const FrontEntry& y) {
        return x.expression == y.expression && x.parts == y.parts && x.loss == y.loss;
    });
}

TEST_CASE("with a template, too, the front does not depend on the number of threads") {
    const Dataset<double> data = rows_of("sin(x0 + x1 * x1) + x2");
    SearchOptions options = options_for(two_parts(), 3);
    const SearchResult one = Search(data, OperatorSet::builtin(), options).run();
    for (const int threads : {2, 3}) {
        options.n_threads = threads;
        CHECK(same(one, Search(data, OperatorSet::builtin(), options).run()));
    }
}

TEST_CASE("a search with a template goes on from its saved state to the same front") {
    const Dataset<double> data = rows_of("x0 * sin(2.2 * x0 * x1) + x2");
    const Template structure("f(x0, x1) + p[x2]", {"f"}, {"x0", "x1", "x2"}, {{"p", 3}});
    SearchOptions options = options_for(structure, 4);
    const SearchResult whole = Search(data, OperatorSet::builtin(), options).run();
    options.evolution.niterations = 2;
    Search half(data, OperatorSet::builtin(), options);
    static_cast<void>(half.run());
    Search rest(data, OperatorSet::builtin(), options);
    rest.load(half.save());
    CHECK(same(whole, rest.run()));

    options.structure = Template("f(x0, x1) - p[x2]", {"f"}, {"x0", "x1", "x2"}, {{"p", 3}});
    Search other(data, OperatorSet::builtin(), options);
    CHECK_THROWS_WITH_AS(other.load(half.save()), doctest::Contains("belongs to other options"), std::invalid_argument);
}

TEST_CASE("batches, single precision and cross-validation go on working with a template") {
    const Dataset<double> data = rows_of("sin(x0 * x1) + x2 * x2", 400);
    SearchOptions options = options_for(two_parts(), 12);
    options.batching = Batching::on;
    options.batch_size = 64;
    options.precision = 32;
    options.cv_folds = 4;
    const SearchResult result = Search(data, OperatorSet::builtin(), options).run();
    const FrontEntry* const found = best(result.front);
    REQUIRE(found != nullptr);
    CHECK(found->loss < 1e-20);
    CHECK(found->cv_loss < 1e-20);
    CHECK(found->standard_errors.size() == found->expression.constants.size());
}

TEST_CASE("guesses of parts are fitted and offered") {
    const Dataset<double> data = rows_of("sin(1.25 * x0 * x1) + (x2 + 0.75) ^ 2");
    SearchOptions options = options_for(two_parts(), 0);
    options.guesses_of_parts = {{parse("1 * x0 * x1"), parse("x0 + 0.5")}};
    const SearchResult result = Search(data, OperatorSet::builtin(), options).run();
    REQUIRE(result.front.size() == 1);
    CHECK(result.front[0].loss < 1e-20);
    CHECK(result.front[0].parts[0].constants[0] == doctest::Approx(1.25).epsilon(1e-9));
}

TEST_CASE("options that do not go with a template are refused") {
    const Dataset<double> data = rows_of("x0");
    const auto message = [&](const SearchOptions& options) -> std::string {
        try {
            Search(data, OperatorSet::builtin(), options);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    const auto contains = [](const std::string& text, std::string_view part) {
        CAPTURE(text);
        return text.find(part) != std::string::npos;
    };
    SearchOptions options = options_for(Template("f(a)", {"f"}, {"a", "b"}));
    CHECK(contains(message(options), "name each of the 3 features"));
    options = options_for(two_parts());
    options.guesses = {parse("x0")};
    CHECK(contains(message(options), "a guess has an expression for each part"));
    options = options_for(two_parts());
    options.guesses_of_parts = {{parse("x0")}};
    CHECK(contains(message(options), "give one for each of the 2 parts"));
    options.guesses_of_parts = {{parse("x0"), parse("x1")}};
    CHECK(contains(message(options), "a guess for the part g is \"x1\"; use only its 1 arguments"));
    options.guesses_of_parts = {{parse("cos(x0)"), parse("x0")}};
    CHECK(contains(message(options), "add its operator cos"));
    options = options_for(two_parts());
    options.variable_constraints = {{Op::Sin, {true, true, true}}};
    CHECK(contains(message(options), "what a part is called with is all that it sees"));
    options = options_for(two_parts());
    options.complexity.of_variables = {1, 2, 3};
    CHECK(contains(message(options), "have arguments, not variables"));
    options = options_for(two_parts());
    options.dimensions.target = Dimension{};
    CHECK(contains(message(options), "have no units yet"));
    options = options_for(Template("f(x0) + p[x2]", {"f"}, {"x0", "x1", "x2"}, {{"p", 2}}));
    CHECK(contains(message(options), "'x2', by which the template looks up parameters, is 3 in a row"));
    options = options_for(two_parts());
    options.structure.reset();
    options.guesses_of_parts = {{parse("x0")}};
    CHECK(contains(message(options), "give a template, too"));
}

}  // namespace
}  // namespace balmer
