#include "balmer/search/search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <future>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/isa.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "search/evolution.hpp"

namespace balmer {
namespace {

/// Rows of y = f(x0, ..., x4), f given as text.
Dataset<double> rows_of(const char* law, std::size_t rows, double noise = 0, RowOrder order = RowOrder::as_given) {
    Rng rng(17, 0);
    std::vector<double> X(5 * rows), y(rows);
    for (double& x : X) x = 2 * rng.normal();
    const Dataset<double> features(MatrixView<double>{X.data(), rows, 5, 1, rows});
    Workspace<double> workspace;
    Evaluator<double>(features).evaluate(parse(law), y, workspace);
    for (double& value : y) value += noise * rng.normal();
    return Dataset<double>(MatrixView<double>{X.data(), rows, 5, 1, rows}, y, {}, order);
}

constexpr const char* kLaw = "2.5382 * cos(x3) + x0 * x0 - 0.5";

/// Evolution alone: what these tests are about.
SearchOptions evolution_only(std::uint64_t seed = 0) {
    SearchOptions options;
    options.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Cos, Op::Exp, Op::Sin};
    options.seeding = false;
    options.seed = seed;
    return options;
}

/// Small enough to take no time; it does not find the law in a few iterations.
SearchOptions small(std::uint64_t seed = 0) {
    SearchOptions options = evolution_only(seed);
    options.evolution.populations = 5;
    options.evolution.ncycles_per_iteration = 60;
    options.evolution.niterations = 6;
    return options;
}

bool same(const std::vector<FrontEntry>& a, const std::vector<FrontEntry>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(a[i].expression == b[i].expression) || a[i].complexity != b[i].complexity || a[i].loss != b[i].loss) {
            return false;
        }
    }
    return true;
}

TEST_CASE("a target whose losses no double holds is refused, with its range") {
    const auto refused = [](double unit, const char* loss) {
        const double X[] = {1, 2, 3, 4, 5};
        const std::vector<double> y = {unit, 3 * unit, 2 * unit, 5 * unit, 4 * unit};
        SearchOptions options = small();
        options.evolution.niterations = 1;
        if (*loss != '\0') options.evolution.loss = Loss(loss);
        try {
            Search(Dataset<double>(MatrixView<double>{X, 5, 1, 1, 5}, y), OperatorSet::builtin(), options).run();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what()).find(number_text(5 * unit, 3)) != std::string::npos;
        }
        return false;
    };
    for (const double unit : {1e200, 1e-200}) CHECK(refused(unit, ""));
    for (const double unit : {1e140, 1.0, 1e-140}) CHECK_FALSE(refused(unit, ""));
    for (const double unit : {1e200, 1e-200}) CHECK_FALSE(refused(unit, "L1DistLoss()"));
    CHECK(refused(1e200, "L2DistLoss()"));
}

TEST_CASE("a target that is constant where the weights are not 0 is no target whose losses no double holds") {
    const std::vector<double> X = {1, 2, 3}, y = {2, 2, 9}, w = {1, 1, 0};
    const Dataset<double> data(MatrixView<double>{X.data(), 3, 1, 1, 3}, y, w);
    CHECK_NOTHROW(Search(data, OperatorSet::builtin(), small()));
}

TEST_CASE("evolution finds a planted law and stops") {
    const Dataset<double> data = rows_of(kLaw, 100);
    Search search(data, OperatorSet::builtin(), evolution_only(3));
    const SearchResult result = search.run();
    CHECK(result.reason == StopReason::exact);
    REQUIRE_FALSE(result.front.empty());
    CHECK(result.front.back().loss < 1e-20);
    CHECK(result.front.back().complexity <= 16);
    CHECK(result.iterations < 100);
    for (std::size_t i = 1; i < result.front.size(); ++i) {
        CHECK(result.front[i].complexity > result.front[i - 1].complexity);
        CHECK(result.front[i].loss < result.front[i - 1].loss);
    }
}

TEST_CASE("the front does not depend on the number of threads") {
    for (const std::size_t rows : {100UL, 1500UL}) {  // without and with batches
        const Dataset<double> data = rows_of(kLaw, rows, 0.1, RowOrder::ladder);
        std::vector<SearchResult> results;
        for (const int threads : {1, 2, 3}) {
            SearchOptions options = small(5);
            options.n_threads = threads;
            results.push_back(Search(data, OperatorSet::builtin(), options).run());
        }
        CHECK(results[0].front.size() >= 3);
        CHECK(same(results[0].front, results[1].front));
        CHECK(same(results[0].front, results[2].front));
        CHECK(results[0].evaluations == results[1].evaluations);
        CHECK(results[0].evaluations == results[2].evaluations);
    }
}

TEST_CASE("the front does not depend on the instruction set") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.1);
    const std::string best(isa());
    const SearchResult expected = Search(data, OperatorSet::builtin(), small(5)).run();
    for (const std::string_view name : available_isas()) {
        CAPTURE(name);
        force_isa(name);
        CHECK(same(Search(data, OperatorSet::builtin(), small(5)).run().front, expected.front));
    }
    force_isa(best);
}

TEST_CASE("another seed is another search") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.1);
    CHECK_FALSE(same(Search(data, OperatorSet::builtin(), small(1)).run().front,
                     Search(data, OperatorSet::builtin(), small(2)).run().front));
}

TEST_CASE("losses of the front are those of all rows, also with batches") {
    const Dataset<double> data = rows_of(kLaw, 1500, 0.1, RowOrder::ladder);
    const SearchResult result = Search(data, OperatorSet::builtin(), small(5)).run();
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    for (const FrontEntry& entry : result.front) {
        CHECK(entry.loss == evaluator.mean_squared_error(entry.expression, data.n_rows(), workspace));
    }
}

TEST_CASE("a search that was saved, or stopped and run again, ends like one that ran through") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.1);
    const SearchResult whole = Search(data, OperatorSet::builtin(), small(4)).run();
    REQUIRE(whole.iterations == 6);
    REQUIRE(whole.reason == StopReason::iterations);

    Search first(data, OperatorSet::builtin(), small(4));
    const SearchResult part = first.run([](const Progress& progress) { return progress.iteration < 3; });
    CHECK(part.reason == StopReason::early_stop);
    CHECK(part.iterations == 3);
    const std::string state = first.save();

    Search second(data, OperatorSet::builtin(), small(4));
    second.load(state);
    CHECK(second.save() == state);
    const SearchResult rest = second.run();
    CHECK(rest.iterations == 6);
    CHECK(same(rest.front, whole.front));
    CHECK(rest.evaluations == whole.evaluations);

    CHECK(same(first.run().front, whole.front));
    CHECK(first.run().iterations == 12);  // all were done: as many again
}

TEST_CASE(
    "where evolution leads to nothing better, parts of its formulas are looked for; then it ends like any other") {
    const Dataset<double> data = rows_of("sin(x0 * x1) * x2 + exp(x3) * 0.1", 100, 2);
    SearchOptions options = small();
    options.seeding = true;
    options.seed_work = 1e7;
    options.evolution.populations = 2;
    options.evolution.ncycles_per_iteration = 5;
    options.evolution.niterations = 60;
    const SearchResult whole = Search(data, OperatorSet::builtin(), options).run();
    const auto helped = std::ranges::find(whole.log, "parts of the best formulas", &LogEntry::stage);
    REQUIRE(helped != whole.log.end());

    // Stopped before, at and after that step.
    for (const int last : {20, 25, 26, 40}) {
        Search first(data, OperatorSet::builtin(), options);
        (void)first.run([&](const Progress& progress) { return progress.iteration < last; });
        Search second(data, OperatorSet::builtin(), options);
        second.load(first.save());
        const SearchResult rest = second.run();
        CHECK(rest.iterations == 60);
        CHECK(same(rest.front, whole.front));
        CHECK(rest.evaluations == whole.evaluations);
    }

    options.stages.parts = false;
    const SearchResult without = Search(data, OperatorSet::builtin(), options).run();
    CHECK(std::ranges::find(without.log, "parts of the best formulas", &LogEntry::stage) == without.log.end());
}

TEST_CASE("a saved search that is damaged or belongs elsewhere is refused") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.1);
    Search search(data, OperatorSet::builtin(), small(4));
    (void)search.run();
    const std::string state = search.save();
    CHECK_THROWS_AS(search.load(""), std::invalid_argument);
    CHECK_THROWS_AS(search.load(state.substr(0, state.size() / 2)), std::invalid_argument);
    std::string flipped = state;
    flipped[flipped.size() / 2] ^= 1;
    CHECK_THROWS_WITH_AS(search.load(flipped), "the saved search is damaged: its checksum does not fit; save it again",
                         std::invalid_argument);
    std::string ended = state;
    ended.back() = '\r';
    CHECK_THROWS_AS(search.load(ended), std::invalid_argument);
    const Dataset<double> other_data = rows_of(kLaw, 101, 0.1);
    CHECK_THROWS_AS(Search(other_data, OperatorSet::builtin(), small(4)).load(state), std::invalid_argument);
    SearchOptions other_options = small(4);
    other_options.evolution.maxsize = 20;
    CHECK_THROWS_AS(Search(data, OperatorSet::builtin(), other_options).load(state), std::invalid_argument);
    other_options = small(4);
    other_options.n_threads = 3;
    other_options.evolution.niterations = 50;
    CHECK_NOTHROW(Search(data, OperatorSet::builtin(), other_options).load(state));
    CHECK(search.save() == state);  // what could not be read changed nothing
}

TEST_CASE("a search can be interrupted from another thread, and keeps its front") {
    const Dataset<double> data = rows_of(kLaw, 2000, 0.5);
    for (const Batching batching : {Batching::on, Batching::off}) {
        SearchOptions options = small();
        options.batching = batching;
        options.evolution.niterations = 1'000'000'000;
        Search search(data, OperatorSet::builtin(), options);
        std::promise<void> begun;
        std::thread other([&] {
            begun.get_future().wait();
            search.interrupt();
        });
        const SearchResult result = search.run([&](const Progress& progress) {
            if (progress.iteration == 1) begun.set_value();
            return true;
        });
        other.join();
        CHECK(result.reason == StopReason::interrupted);
        CHECK(result.iterations >= 1);
        CHECK_FALSE(result.front.empty());
    }
}

TEST_CASE("an interrupted search does little after the request, on many rows too") {
    const Dataset<double> data = rows_of(kLaw, 100'000, 0.5);
    SearchOptions options = small();
    options.evolution.populations = 2;
    options.evolution.ncycles_per_iteration = 2;
    options.evolution.niterations = 1'000'000'000;
    options.batching = Batching::on;
    double before = 0;
    Search search(data, OperatorSet::builtin(), options);
    const SearchResult result = search.run([&](const Progress& progress) {
        before = progress.evaluations;
        search.interrupt();
        return true;
    });
    CHECK(result.reason == StopReason::interrupted);
    CHECK(result.iterations == 1);
    CHECK_FALSE(result.front.empty());
    CHECK(result.evaluations - before <= 4);
}

TEST_CASE("a search that is stopped while its first members are judged keeps them") {
    const Dataset<double> data = rows_of(kLaw, 5000, 0.5);
    SearchOptions options = small();
    options.evolution.populations = 2;
    options.evolution.population_size = 50'000;  // takes longer than the first poll
    options.evolution.ncycles_per_iteration = 1'000'000'000;
    const SearchResult result = Search(data, OperatorSet::builtin(), options).run({}, [] { return false; });
    CHECK(result.reason == StopReason::interrupted);
    CHECK(result.iterations == 0);
    CHECK_FALSE(result.front.empty());
}

TEST_CASE("islands that were stopped before all had members begin anew") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.5);
    const Problem problem(data, OperatorSet::builtin(), small());
    Archive archive(problem.options.evolution.maxsize), expected(problem.options.evolution.maxsize);
    Evolution evolution(problem), whole(problem);
    Control control, cancelled;
    SearchLog log(problem.options.evolution.maxsize), whole_log = log;
    cancelled.cancel();
    CHECK(evolution.run(archive, cancelled, log, {}, {}) == StopReason::interrupted);
    CHECK(std::ranges::equal(archive.losses(), expected.losses()));
    CHECK(evolution.done().evaluations == 0);
    CHECK(evolution.run(archive, control, log, {}, {}) == StopReason::iterations);
    CHECK(whole.run(expected, control, whole_log, {}, {}) == StopReason::iterations);
    CHECK(std::ranges::equal(archive.losses(), expected.losses()));
    CHECK(evolution.done().evaluations == whole.done().evaluations);
}

TEST_CASE("poll is asked while an iteration runs, and may stop it") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.5);
    SearchOptions options = evolution_only();
    options.evolution.ncycles_per_iteration = 1'000'000'000;  // one iteration that never ends
    int polls = 0;
    const SearchResult result = Search(data, OperatorSet::builtin(), options).run({}, [&] { return ++polls < 3; });
    CHECK(polls == 3);
    CHECK(result.reason == StopReason::interrupted);
    CHECK(result.iterations == 0);
    CHECK_FALSE(result.front.empty());  // what the islands had found
}

TEST_CASE("an exception of the user's functions stops the search and comes out") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.5);
    Search search(data, OperatorSet::builtin(), small());
    const auto caller = std::this_thread::get_id();
    int calls = 0;
    const auto bad_progress = [&](const Progress& progress) -> bool {
        CHECK(std::this_thread::get_id() == caller);
        CHECK(progress.iteration == ++calls);
        CHECK_FALSE(progress.front.empty());
        if (calls == 2) throw std::runtime_error("enough");
        return true;
    };
    CHECK_THROWS_WITH_AS(search.run(bad_progress), "enough", std::runtime_error);
    CHECK(calls == 2);
    SearchOptions endless = evolution_only();
    endless.evolution.ncycles_per_iteration = 1'000'000'000;
    CHECK_THROWS_AS(Search(data, OperatorSet::builtin(), endless).run({}, []() -> bool { throw std::bad_alloc(); }),
                    std::bad_alloc);
    CHECK(search.run().iterations == 6);  // and the search can go on
}

TEST_CASE("each stop condition is named") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.3);
    SearchOptions options = small();
    options.evolution.niterations = 1000;
    options.max_evals = 2000;
    SearchResult result = Search(data, OperatorSet::builtin(), options).run();
    CHECK(result.reason == StopReason::max_evals);
    CHECK(result.evaluations >= 2000);

    options.max_evals = std::numeric_limits<double>::infinity();
    options.timeout_in_seconds = 0.05;
    CHECK(Search(data, OperatorSet::builtin(), options).run().reason == StopReason::timeout);

    options.timeout_in_seconds = std::numeric_limits<double>::infinity();
    options.early_stop_loss = data.target_variance() * 0.9;
    result = Search(data, OperatorSet::builtin(), options).run();
    CHECK(result.reason == StopReason::early_stop);
    CHECK(result.front.back().loss < options.early_stop_loss);

    options.early_stop_loss = 0;
    options.early_stop = parse("x1 - 6");  // a complexity above 6
    result = Search(data, OperatorSet::builtin(), options).run();
    CHECK(result.reason == StopReason::early_stop);
    CHECK(result.front.back().complexity > 6);
}

TEST_CASE("islands begin anew when nothing better comes for long") {
    const Dataset<double> data = rows_of("x0", 60, 5);
    SearchOptions options = small();
    options.evolution.populations = 2;
    options.evolution.ncycles_per_iteration = 5;
    options.evolution.niterations = 150;
    options.evolution.n_iter_no_change = 0;
    const auto evaluations_of = [&](SearchResult& result) {
        std::vector<double> evaluations;
        result = Search(data, OperatorSet::builtin(), options).run([&](const Progress& progress) {
            evaluations.push_back(progress.evaluations);
            return true;
        });
        return evaluations;
    };
    SearchResult whole, without, threads;
    const std::vector<double> with_restarts = evaluations_of(whole);
    options.evolution.restarts = false;
    const std::vector<double> steady = evaluations_of(without);
    CHECK(without.iterations == whole.iterations);
    REQUIRE(with_restarts.size() > steady.size());  // a restart is a step of its own
    const auto last = static_cast<int>(std::ranges::mismatch(with_restarts, steady).in1 - with_restarts.begin());
    CHECK(last >= 40);
    options.evolution.restarts = true;
    for (const int stop : {last - 1, last, last + 1}) {
        Search first(data, OperatorSet::builtin(), options);
        (void)first.run([&](const Progress& progress) { return progress.iteration < stop; });
        Search second(data, OperatorSet::builtin(), options);
        second.load(first.save());
        const SearchResult rest = second.run();
        CHECK(same(rest.front, whole.front));
        CHECK(rest.evaluations == whole.evaluations);
    }
    options.n_threads = 3;
    CHECK(evaluations_of(threads) == with_restarts);
    CHECK(same(threads.front, whole.front));
}

TEST_CASE("evolution ends when it leads to nothing better, and goes on when it is run again") {
    const Dataset<double> data = rows_of("x0", 60, 5);
    SearchOptions options = small();
    options.evolution.niterations = 60;
    options.evolution.n_iter_no_change = 0;
    CHECK(Search(data, OperatorSet::builtin(), options).run().iterations == 60);
    options.evolution.n_iter_no_change = 4;
    Search search(data, OperatorSet::builtin(), options);
    const SearchResult first = search.run();
    CHECK(first.reason == StopReason::iterations);
    CHECK(first.iterations >= 4);
    CHECK(first.iterations < 60);
    CHECK(search.run().iterations >= first.iterations + 4);
    options.evolution.niterations = 3;
    CHECK(Search(data, OperatorSet::builtin(), options).run().iterations == 3);
}

TEST_CASE("evolution ends early where the best formula leaves only noise, and goes on when it is run again") {
    SearchOptions options = small();
    options.seeding = true;
    options.seed_work = 3e7;
    options.evolution.niterations = 70;
    const Dataset<double> data = rows_of("x0 * x1 + 3", 300, 1);
    Search search(data, OperatorSet::builtin(), options);
    const SearchResult first = search.run();
    CHECK(first.reason == StopReason::settled);
    CHECK(first.iterations >= 25);
    CHECK(first.iterations < 70);
    options.n_threads = 3;
    const SearchResult threads = Search(data, OperatorSet::builtin(), options).run();
    CHECK(threads.reason == StopReason::settled);
    CHECK(same(threads.front, first.front));
    CHECK(search.run().iterations == 70);
    // Who asks for iterations gets them; so does a law that is found only in part.
    options.evolution.n_iter_no_change = 0;
    CHECK(Search(data, OperatorSet::builtin(), options).run().iterations == 70);
    options.evolution.n_iter_no_change = 100;
    options.operators = {Op::Add, Op::Mul};
    options.evolution.maxsize = 5;
    const SearchResult poor = Search(rows_of("x0 * x1 + x2 * x3", 300, 1), OperatorSet::builtin(), options).run();
    CHECK(poor.reason == StopReason::iterations);
    CHECK(poor.iterations == 70);
}

TEST_CASE("a timed search is a prefix of the untimed one") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.3);
    std::vector<std::vector<FrontEntry>> fronts;
    (void)Search(data, OperatorSet::builtin(), small()).run([&](const Progress& progress) {
        fronts.emplace_back(progress.front.begin(), progress.front.end());
        return true;
    });
    SearchOptions timed = small();
    timed.timeout_in_seconds = 1e-9;
    timed.max_evals = std::numeric_limits<double>::infinity();
    (void)Search(data, OperatorSet::builtin(), timed).run([&](const Progress& progress) {
        CHECK(same(std::vector<FrontEntry>(progress.front.begin(), progress.front.end()),
                   fronts[static_cast<std::size_t>(progress.iteration) - 1]));
        return true;
    });
    CHECK(fronts.size() == 6);
}

TEST_CASE("the front keeps to the operators and constraints of the user") {
    const Dataset<double> data = rows_of(kLaw, 100);
    SearchOptions options = small(2);
    options.operators = {Op::Add, Op::Mul, Op::Sin};
    options.evolution.maxsize = 12;
    options.evolution.maxdepth = 5;
    options.nested_constraints = {{Op::Sin, Op::Sin, 0}};
    for (const FrontEntry& entry : Search(data, OperatorSet::builtin(), options).run().front) {
        CAPTURE(to_text(entry.expression));
        CHECK(entry.complexity <= 12);
        CHECK(entry.expression.depth() <= 5);
        for (const Node& node : entry.expression.nodes) {
            CHECK((node.is_leaf() || node.op == Op::Add || node.op == Op::Mul || node.op == Op::Sin));
        }
    }
}

TEST_CASE("guesses are fitted and stand on the front") {
    const Dataset<double> data = rows_of(kLaw, 100);
    SearchOptions options = small();
    options.evolution.niterations = 1;
    options.guesses = {parse("1.0 * cos(x3) + x0 * x0 + 1.0")};
    const SearchResult result = Search(data, OperatorSet::builtin(), options).run();
    CHECK(result.front.back().complexity <= 10);
    CHECK(result.front.back().loss < 1e-20);
}

TEST_CASE("the limit of size grows while the search warms up") {
    const Dataset<double> data = rows_of(kLaw, 100, 0.1);
    SearchOptions options = small();
    options.evolution.warmup_maxsize_by = 1;
    (void)Search(data, OperatorSet::builtin(), options).run([&](const Progress& progress) {
        const int limit = 3 + static_cast<int>(27 * (progress.iteration - 1) / 6.0);
        CHECK(progress.front.back().complexity <= std::max(limit, 7));  // the first members may have 7 nodes
        return true;
    });
}

TEST_CASE("hard data do not break a search") {
    const auto search_on = [](std::vector<double> x, std::vector<double> y) {
        const Dataset<double> data(MatrixView<double>{x.data(), y.size(), 1, 1, y.size()}, y);
        SearchOptions options = small();
        options.evolution.niterations = 2;
        return Search(data, OperatorSet::builtin(), options).run();
    };
    SUBCASE("a constant target") {
        const SearchResult result = search_on({1, 2, 3}, {5, 5, 5});
        CHECK(result.reason == StopReason::exact);
        CHECK(result.front.back().loss == 0);
        CHECK(result.front.size() == 1);
    }
    SUBCASE("a target of zeros") { CHECK(search_on({1, 2, 3}, {0, 0, 0}).front.back().loss == 0); }
    SUBCASE("one row") { CHECK(search_on({1}, {5}).front.back().loss < 1e-20); }
    SUBCASE("huge and tiny numbers") {
        for (const double scale : {1e30, 1e-30}) {
            std::vector<double> x, y;
            for (int i = 1; i <= 20; ++i) {
                x.push_back(i * scale);
                y.push_back(3 * i * scale + scale);
            }
            const SearchResult result = search_on(x, y);
            CHECK(result.front.back().loss < 1e-20 * scale * scale);
        }
    }
}

TEST_CASE("a search needs a target and valid options") {
    const std::vector<double> x = {1, 2, 3};
    const Dataset<double> no_target(MatrixView<double>{x.data(), 3, 1, 1, 3});
    CHECK_THROWS_AS(Search(no_target, OperatorSet::builtin(), small()), std::invalid_argument);
    const Dataset<double> data = rows_of(kLaw, 100);
    SearchOptions bad = small();
    bad.evolution.maxsize = 0;
    CHECK_THROWS_AS(Search(data, OperatorSet::builtin(), bad), std::invalid_argument);
}

}  // namespace
}  // namespace balmer
