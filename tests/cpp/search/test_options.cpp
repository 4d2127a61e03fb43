#include "balmer/search/named_options.hpp"
#include "balmer/search/options.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

SearchOptions good() {
    SearchOptions options;
    options.operators = {Op::Add, Op::Mul, Op::Sin};
    return options;
}

/// The message for options that `spoil` has made bad.
std::string message(const std::function<void(SearchOptions&)>& spoil) {
    SearchOptions options = good();
    spoil(options);
    try {
        validate(options, OperatorSet::builtin(), 2);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("the defaults are valid") { CHECK_NOTHROW(validate(good(), OperatorSet::builtin(), 2)); }

TEST_CASE("a bad option is named with its value and a remedy") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(message([](SearchOptions& o) { o.operators.clear(); }) ==
          "the list of operators is empty; give at least one, e.g. add");
    CHECK(message([](SearchOptions& o) { o.evolution.maxsize = 2; }) == "maxsize is 2; give at least 3");
    CHECK(message([](SearchOptions& o) { o.evolution.population_size = 1; }) ==
          "population_size is 1; give at least 2");
    CHECK(message([](SearchOptions& o) { o.evolution.tournament_selection_n = 28; }) ==
          "tournament_selection_n is 28; give at most population_size, which is 27");
    CHECK(message([](SearchOptions& o) { o.evolution.crossover_probability = 1.5; }) ==
          "crossover_probability is 1.5; give a number from 0 to 1");
    CHECK(message([](SearchOptions& o) { o.evolution.weights.add_node = -1; }) ==
          "weight of add_node is -1; give a finite number, 0 or more");
    CHECK(contains(message([&](SearchOptions& o) { o.evolution.parsimony = nan; }), "parsimony is nan"));
    CHECK(contains(message([](SearchOptions& o) { o.evolution.weights = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; }),
                   "at least one mutation"));
    CHECK(contains(message([](SearchOptions& o) { o.timeout_in_seconds = 0; }), "timeout_in_seconds is 0"));
    CHECK(contains(message([](SearchOptions& o) { o.max_evals = -5; }), "max_evals is -5"));
    CHECK(message([](SearchOptions& o) { o.memory_limit_in_bytes = 1000; }) ==
          "memory_limit_in_bytes is 1000; give at least 1e6, a megabyte");
    CHECK(message([](SearchOptions& o) { o.cv_folds = 1; }) ==
          "cv_folds is 1; give at least 2, or 0 for no cross-validation");
    CHECK(message([](SearchOptions& o) { o.cv_folds = -3; }) == "cv_folds is -3; give at least 0");
    CHECK(message([](SearchOptions& o) { o.precision = 16; }) == "precision is 16; give 32 or 64 bits");
    CHECK(contains(message([](SearchOptions& o) {
                       o.cv_folds = 5;
                       o.evolution.whole_loss = [](std::span<const double>) { return 0.0; };
                   }),
                   "cv_folds is 5; a loss of whole predictions needs all rows"));
    CHECK(message([](SearchOptions& o) { o.n_threads = 0; }) == "n_threads is 0; give at least 1");
    CHECK(message([](SearchOptions& o) { o.operators = {Op::Add, Op::Add}; }) ==
          "operator is \"add\" twice; name each operator once");
    CHECK(contains(message([](SearchOptions& o) { o.operators = {static_cast<Op>(kFirstUserOp)}; }), "no operator"));
    CHECK(contains(message([](SearchOptions& o) { o.complexity.of_variables = {1, 2, 3}; }),
                   "one for each of the 2 features"));
    CHECK(contains(message([](SearchOptions& o) { o.constraints = {{Op::Sin, {-2, -1, -1}}}; }),
                   "a constraint of sin is -2"));
    CHECK(contains(message([](SearchOptions& o) { o.nested_constraints = {{Op::Sin, Op::Sin, -1}}; }), "is -1"));
    CHECK(contains(message([](SearchOptions& o) { o.early_stop = parse("x0 + x2"); }), "(loss, complexity)"));
    CHECK(contains(message([](SearchOptions& o) { o.guesses = {parse("x0 + x5")}; }), "2 features"));
    CHECK(contains(message([](SearchOptions& o) { o.guesses = {parse("exp(x0)")}; }), "operator exp to the operators"));
}

TEST_CASE("options by name: a double is as good as a whole number where it holds each of them") {
    SearchOptions options;
    set_option(options, "seed", 9007199254740992.0);
    CHECK(options.seed == 9007199254740992U);
    CHECK_THROWS_AS(set_option(options, "seed", 9007199254740994.0), std::invalid_argument);
    set_whole_option(options, "seed", 9007199254740993);
    CHECK(options.seed == 9007199254740993U);
    set_whole_option(options, "parsimony", 2);
    CHECK(options.evolution.parsimony == 2);
    CHECK_THROWS_AS(set_option(options, "maxsize", 20.5), std::invalid_argument);
    CHECK_THROWS_AS(set_whole_option(options, "maxsize", 3'000'000'000), std::invalid_argument);
    CHECK_THROWS_AS(set_whole_option(options, "seed", -1), std::invalid_argument);
    CHECK_THROWS_AS(set_whole_option(options, "seeding", 2), std::invalid_argument);
}

TEST_CASE("an unknown operator is answered with the nearest name") {
    const OperatorSet& set = OperatorSet::builtin();
    CHECK(operator_named("sin", set) == Op::Sin);
    CHECK(operator_named("+", set, 2) == Op::Add);
    try {
        (void)operator_named("sine", set);
        FAIL("no exception");
    } catch (const std::invalid_argument& error) {
        CHECK(contains(error.what(), "unknown operator \"sine\""));
        CHECK(contains(error.what(), "did you mean \"sin"));
    }
    try {
        (void)operator_named("sin", set, 2);
        FAIL("no exception");
    } catch (const std::invalid_argument& error) {
        CHECK(std::string(error.what()) == "operator \"sin\" takes 1 operands, not 2");
    }
}

}  // namespace
}  // namespace balmer
