// What ends a search, what it may cost, and that a search with all its stages goes on as if nothing had happened.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/search/search.hpp"
#include "sanitized.hpp"
#include "search/problem.hpp"

namespace balmer {
namespace {

Dataset<double> rows(std::size_t n, double noise = 0.02, RowOrder order = RowOrder::ladder) {
    Rng rng(23, 0);
    std::vector<double> X(3 * n), y;
    for (double& x : X) x = 1 + 2 * rng.uniform();
    for (std::size_t i = 0; i < n; ++i) {
        const double a = X[i], b = X[n + i], c = X[2 * n + i];
        y.push_back(a * std::exp(-b) + 0.7 * std::sin(c * a) + noise * rng.normal());
    }
    return Dataset<double>(MatrixView<double>{X.data(), n, 3, 1, n}, y, {}, order);
}

/// Every stage, none of them long.
SearchOptions every_stage(int threads = 1) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Mul, Op::Div, Op::Exp, Op::Sin};
    options.evolution.populations = 4;
    options.evolution.niterations = 4;
    options.evolution.ncycles_per_iteration = 50;
    options.seed_work = test::repeats(2e8, 4e7);
    options.n_threads = threads;
    return options;
}

bool same(const SearchResult& a, const SearchResult& b) {
    if (a.front.size() != b.front.size() || a.evaluations != b.evaluations) return false;
    for (std::size_t i = 0; i < a.front.size(); ++i) {
        const FrontEntry &x = a.front[i], &y = b.front[i];
        if (!(x.expression == y.expression) || x.loss != y.loss || x.description_length != y.description_length ||
            x.bic != y.bic || x.standard_errors.size() != y.standard_errors.size()) {
            return false;
        }
    }
    return true;
}

SearchResult search(const Dataset<double>& data, const SearchOptions& options) {
    return Search(data, OperatorSet::builtin(), options).run();
}

TEST_CASE("with every stage on, the result does not depend on the number of threads") {
    const Dataset<double> small = rows(100), large = rows(1500);
    SearchOptions batched = every_stage();
    batched.batching = Batching::on;
    SearchOptions robust = every_stage();
    robust.evolution.loss = Loss("L1DistLoss");
    robust.cv_folds = 3;
    const std::pair<const Dataset<double>*, SearchOptions> cases[] = {
        {&small, every_stage()}, {&large, batched}, {&small, robust}};
    for (auto [data, options] : cases) {
        const SearchResult one = search(*data, options);
        REQUIRE(one.front.size() > 3);
        CHECK(one.seed_work > 0);
        CHECK(one.iterations == 4);
        for (int threads = 2; threads <= test::repeats(3, 2); ++threads) {
            options.n_threads = threads;
            CHECK(same(search(*data, options), one));
        }
    }
}

/// The records of the log that are no account of the end of a run.
std::vector<LogEntry> found(const SearchResult& result, bool cut_in_first_stage) {
    std::vector<LogEntry> records;
    for (const LogEntry& entry : result.log) {
        const bool end = entry.stage == "finish" || (cut_in_first_stage && entry.stage == "seed");
        if (!end) records.push_back(entry);
    }
    return records;
}

TEST_CASE("a timed search is a prefix of the untimed one, in every stage") {
    const Dataset<double> data = rows(400, 0.1);
    SearchOptions options = every_stage();
    options.seed_work = test::repeats(6e8, 6e7);
    options.evolution.niterations = 6;
    options.evolution.ncycles_per_iteration = 2000;
    const std::vector<LogEntry> whole = found(search(data, options), false);
    for (const double seconds : {1e-9, 0.1, 0.5, 1.5}) {
        options.timeout_in_seconds = seconds;
        const SearchResult timed = search(data, options);
        if (timed.reason != StopReason::timeout) continue;  // a fast machine
        CHECK_FALSE(timed.front.empty());
        bool evolved = false;
        for (const LogEntry& entry : timed.log) evolved = evolved || entry.stage.starts_with("evolution");
        const std::vector<LogEntry> part = found(timed, !evolved);
        REQUIRE(part.size() <= whole.size());
        for (std::size_t i = 0; i < part.size(); ++i) {
            CAPTURE(seconds);
            CAPTURE(i);
            CHECK(part[i].stage == whole[i].stage);
            CHECK(part[i].work == whole[i].work);
            CHECK(part[i].loss == whole[i].loss);
            CHECK(part[i].expression == whole[i].expression);
        }
    }
}

TEST_CASE("a search interrupted in the first stage, or saved after it, ends like one that ran through") {
    const Dataset<double> data = rows(300, 0.1);
    SearchOptions options = every_stage();
    options.seed_work = test::repeats(3e9, 1e8);
    const SearchResult whole = search(data, options);

    SUBCASE("in the first stage") {
        Search first(data, OperatorSet::builtin(), options);
        const SearchResult part = first.run({}, [] { return false; });  // at the first poll
        CHECK(part.reason == StopReason::interrupted);
        CHECK(part.iterations == 0);
        CHECK_FALSE(part.front.empty());
        Search second(data, OperatorSet::builtin(), options);
        second.load(first.save());
        CHECK(same(second.run(), whole));
        CHECK(same(first.run(), whole));
    }
    SUBCASE("while islands evolve") {
        Search first(data, OperatorSet::builtin(), options);
        const SearchResult part = first.run([](const Progress& progress) { return progress.iteration < 2; });
        CHECK(part.iterations == 2);
        CHECK(part.seed_work == whole.seed_work);
        const std::string state = first.save();
        Search second(data, OperatorSet::builtin(), options);
        second.load(state);
        CHECK(second.save() == state);
        const SearchResult rest = second.run();
        CHECK(same(rest, whole));
        REQUIRE(rest.log.size() == whole.log.size());
        for (std::size_t i = 0; i < rest.log.size(); ++i) {
            CHECK(rest.log[i].stage == whole.log[i].stage);
            CHECK(rest.log[i].work == whole.log[i].work);
            CHECK(rest.log[i].expression == whole.log[i].expression);
        }
        CHECK(std::isnan(rest.log[0].cpu_seconds));  // of another process, for all that is known
        CHECK(rest.log.back().cpu_seconds >= 0);
    }
}

TEST_CASE("max_evals counts what the first stage does, and that takes at most half, but for its last step") {
    const Dataset<double> data = rows(200);
    SearchOptions options = every_stage();
    options.evolution.niterations = 1000;
    options.seed_work = 1e10;
    const double whole_stage = [&] {
        SearchOptions unlimited = options;
        unlimited.evolution.niterations = 1;
        unlimited.seed_work = 1e10;
        return search(data, unlimited).seed_work;
    }();
    options.max_evals = 20'000;
    const SearchResult result = search(data, options);
    CHECK(result.reason == StopReason::max_evals);
    CHECK(result.evaluations >= options.max_evals);
    CHECK(result.seed_work > 0);
    CHECK(result.seed_work < 0.5 * whole_stage);
    options.max_evals = 1e9;
    options.evolution.niterations = 2;
    CHECK(search(data, options).reason == StopReason::iterations);
}

TEST_CASE("an exact law ends the search at once, with every stage on or evolution alone") {
    Rng rng(1, 0);
    std::vector<double> x(50), y;
    for (double& v : x) v = 1 + rng.uniform();
    for (const double v : x) y.push_back(2.5 * v * v + 1);
    const Dataset<double> data(MatrixView<double>{x.data(), 50, 1, 1, 50}, y);
    for (const bool seeding : {true, false}) {
        SearchOptions options = every_stage();
        options.seeding = seeding;
        options.evolution.niterations = 1'000'000;
        const SearchResult result = search(data, options);
        CHECK(result.reason == StopReason::exact);
        CHECK(result.front.back().loss < 1e-24);
        CHECK((result.iterations == 0) == seeding);
    }
}

TEST_CASE("within less memory the first stage looks at fewer rows; losses are those of all rows") {
    const Dataset<double> data = rows(3000);
    SearchOptions options = every_stage();
    options.seed_work = 2e8;
    options.evolution.niterations = 1;
    const auto seed_rows = [&](double bytes) {
        options.memory_limit_in_bytes = bytes;
        const Problem problem(data, OperatorSet::builtin(), options);
        return problem.rows_in_memory(50, 32'768);
    };
    CHECK(seed_rows(1e9) == 3000);
    CHECK(seed_rows(1e6) == 1250);  // half a megabyte, 400 bytes a row
    const SearchResult result = search(data, options);
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    for (const FrontEntry& entry : result.front) {
        CHECK(entry.loss == evaluator.mean_squared_error(entry.expression, data.n_rows(), workspace));
    }
    CHECK(result.front.back().loss < 0.1 * data.target_variance());
}

}  // namespace
}  // namespace balmer
