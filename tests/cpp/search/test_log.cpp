// Which stage found what, after how much work.
#include "search/log.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"

namespace balmer {
namespace {

FrontEntry member(const char* text, int complexity, double loss) { return {parse(text), complexity, loss}; }

using Members = std::vector<FrontEntry>;

TEST_CASE("a formula is on record when it is new or better by a thousandth") {
    SearchLog log(10);
    const FrontEntry first = member("x0", 1, 8), tiny = member("x1", 1, 7.999), better = member("x2", 1, 7),
                     larger = member("x0 + x1", 3, 1);
    log.front("a", {10, 1}, Members{first});
    log.front("b", {20, 2}, Members{tiny, larger});
    log.front("c", {30, 3}, Members{better, larger});
    REQUIRE(log.entries().size() == 3);
    CHECK(log.entries()[0].stage == "a");
    CHECK(log.entries()[1].stage == "b");
    CHECK(log.entries()[1].complexity == 3);
    CHECK(log.entries()[1].work == 20);
    CHECK(log.entries()[2].expression == parse("x2"));
}

TEST_CASE("losses below zero are on record too") {
    SearchLog log(10);
    const FrontEntry first = member("x0", 1, -1), same = member("x1", 1, -1.0001), better = member("x2", 1, -2);
    log.front("a", {}, Members{first});
    log.front("a", {}, Members{same});
    log.front("a", {}, Members{better});
    CHECK(log.entries().size() == 2);
}

TEST_CASE("a log is saved but for its seconds") {
    SearchLog log(10);
    const FrontEntry first = member("2.5 * x0", 3, 8);
    log.front("stage: 100% of\nit", {10, 1}, Members{first});
    log.add({"nothing yet", 11, 2, 0, 0, 0, {}}, 5);
    StateWriter out;
    log.save(out, OperatorSet::builtin());
    const std::string text = std::move(out).finish();
    SearchLog copy(10);
    StateReader in(text);
    copy.load(in, OperatorSet::builtin(), 1);
    REQUIRE(copy.entries().size() == 2);
    CHECK(copy.entries()[0].stage == "stage: 100% of\nit");
    CHECK(copy.entries()[0].expression == first.expression);
    CHECK(copy.entries()[0].evaluations == 1);
    CHECK(std::isnan(copy.entries()[0].cpu_seconds));
    CHECK(copy.entries()[1].expression.nodes.empty());
    copy.front("again", {}, Members{first});  // it remembers what is on record
    CHECK(copy.entries().size() == 2);
}

/// A search of a law with noise, with the stage before evolution.
SearchResult searched(const Dataset<double>& data, int threads, double seed_work = 3e7) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Mul, Op::Div, Op::Exp};
    options.evolution.populations = 4;
    options.evolution.niterations = 3;
    options.evolution.ncycles_per_iteration = 50;
    options.seed_work = seed_work;
    options.n_threads = threads;
    return Search(data, OperatorSet::builtin(), options).run();
}

TEST_CASE("the log of a search tells of every stage, in order, the same with any number of threads") {
    Rng rng(3, 0);
    std::vector<double> X(200), y;
    for (double& x : X) x = 1 + rng.uniform();
    for (std::size_t i = 0; i < 100; ++i) y.push_back(X[i] * std::exp(-X[100 + i]) + 0.01 * rng.normal());
    const Dataset<double> data(MatrixView<double>{X.data(), 100, 2, 1, 100}, y, {}, RowOrder::ladder);
    const SearchResult result = searched(data, 1);
    REQUIRE(result.log.size() > 5);
    CHECK(result.log.front().stage.starts_with("seed: "));
    bool evolved = false;
    for (std::size_t i = 0; i < result.log.size(); ++i) {
        const LogEntry& entry = result.log[i];
        evolved = evolved || entry.stage.starts_with("evolution ");
        CHECK_FALSE((evolved && entry.stage.starts_with("seed")));
        CHECK(entry.cpu_seconds >= 0);
        if (i > 0) CHECK(entry.work >= result.log[i - 1].work);
        if (i > 0) CHECK(entry.evaluations >= result.log[i - 1].evaluations);
    }
    CHECK(result.seed_work > 0);
    CHECK(result.log.back().work >= result.seed_work);
    CHECK(result.log.back().evaluations <= result.evaluations);
    // Whatever is on the front was on record when it was found.
    for (const FrontEntry& entry : result.front) {
        bool found = false;
        for (const LogEntry& record : result.log) {
            found = found || (record.complexity == entry.complexity && record.loss <= entry.loss * 1.002);
        }
        CHECK(found);
    }
    const SearchResult other = searched(data, 3);
    REQUIRE(other.log.size() == result.log.size());
    for (std::size_t i = 0; i < result.log.size(); ++i) {
        CHECK(other.log[i].stage == result.log[i].stage);
        CHECK(other.log[i].work == result.log[i].work);
        CHECK(other.log[i].loss == result.log[i].loss);
        CHECK(other.log[i].expression == result.log[i].expression);
    }
}

}  // namespace
}  // namespace balmer
