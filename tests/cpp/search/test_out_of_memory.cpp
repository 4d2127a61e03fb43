// Memory may end anywhere: the caller gets std::bad_alloc, and what was there before still works.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "balmer/expr/simplify.hpp"
#include "balmer/fit/fit_all.hpp"
#include "balmer/search/search.hpp"
#include "core/parallel.hpp"
#include "sanitized.hpp"

namespace balmer::test {
namespace {

/// `work` with one allocation failing, at about `trials` places from the first to the last; a text tells what it did.
void check_with_failures(std::size_t trials, const std::function<std::string()>& work) {
    const std::string expected = work();
    const std::size_t before = allocations();
    REQUIRE(work() == expected);
    const std::size_t total = allocations() - before;
    REQUIRE(total > 0);
    std::size_t failed = 0;
    for (std::size_t n = 1; n <= total; n += std::max<std::size_t>(1, total / trials)) {
        std::string result = expected;
        fail_allocation(n);
        try {
            result = work();
        } catch (const std::bad_alloc&) {
            ++failed;
        }
        fail_allocation(0);
        CHECK(result == expected);
    }
    CHECK(failed > 0);
    CHECK(work() == expected);
}

struct Rows {
    std::vector<double> X, y;

    explicit Rows(std::size_t rows) : X(2 * rows), y(rows) {
        Rng rng(5, 0);
        for (double& x : X) x = 0.5 + rng.uniform();
        for (std::size_t i = 0; i < rows; ++i) y[i] = 2 * std::exp(0.5 * X[i]) * X[rows + i] + 0.01 * rng.normal();
    }
    [[nodiscard]] MatrixView<double> view() const { return {X.data(), y.size(), 2, 1, y.size()}; }
};

std::string text_of(const std::vector<FrontEntry>& front) {
    std::string text;
    for (const FrontEntry& entry : front) text += to_text(entry.expression) + '\n';
    return text;
}

}  // namespace

TEST_CASE("memory that ends while formulas are read, simplified and printed") {
    check_with_failures(1000, [] {
        OperatorSet operators;
        operators.define("rise(x, a) = exp(a*x) - 1");
        const Expression e = parse("rise(x0, 2) + (x1 + 0.5)*(x1 + 0.5)/sin(3*x0 - x0) - x0^(1 + 1)", {}, operators);
        return to_text(simplify(e, operators), {}, operators);
    });
}

TEST_CASE("memory that ends while threads are tried") {
    for (std::size_t n = 1; n <= 8; ++n) {
        int started = 0;
        std::thread([&] {  // each thread tries once
            fail_allocation(n);
            try {
                started = startable_threads(4);
            } catch (const std::bad_alloc&) {
                started = 1;
            }
            fail_allocation(0);
        })
            .join();
        CHECK(started >= 1);
        CHECK(started <= 4);
    }
}

TEST_CASE("memory that ends while many formulas are fitted on two threads") {
    const Rows rows(100);
    check_with_failures(200, [&] {
        std::vector<FitJob> jobs(6);
        for (FitJob& job : jobs) {
            job.expression = parse("1*exp(1*x0)*x1 + sin(0.3*x1)");
            job.operators = &OperatorSet::builtin();
        }
        fit_all(jobs, rows.view(), rows.y, {}, {}, nullptr, 2);
        return to_text(jobs.back().expression);
    });
}

TEST_CASE("memory that ends in any stage of a search on two threads") {
    const Rows rows(60);
    check_with_failures(repeats(60, 30), [&] {
        SearchOptions options;
        options.operators = {Op::Add, Op::Mul, Op::Exp};
        options.n_threads = 2;
        options.seed_work = 1e6;
        options.cv_folds = 3;
        options.evolution.populations = 3;
        options.evolution.niterations = 1;
        options.evolution.ncycles_per_iteration = 20;
        const Dataset<double> data(rows.view(), rows.y);
        Search search(data, OperatorSet::builtin(), options);
        return text_of(search.run().front);
    });
}

}  // namespace balmer::test
