#include "balmer/fit/fit_all.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "random_expression.hpp"

namespace balmer::test {
namespace {

constexpr std::size_t kRows = 700;

struct Rows {
    std::vector<double> X, y;

    Rows() {
        Rng rng(40, 0);
        for (std::size_t i = 0; i < 3 * kRows; ++i) X.push_back(0.3 + 2 * rng.uniform());
        for (std::size_t i = 0; i < kRows; ++i) y.push_back(X[i] * X[kRows + i] + 0.3 * rng.normal());
    }
    [[nodiscard]] MatrixView<double> view() const { return {X.data(), kRows, 3, 1, kRows}; }
};

std::vector<FitJob> jobs_of(std::size_t count) {
    Rng rng(41, 0);
    std::vector<FitJob> jobs(count);
    for (FitJob& job : jobs) {
        job.expression = random_expression(rng, {});
        job.operators = &OperatorSet::builtin();
    }
    return jobs;
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("a batch is fitted like each alone, by any number of threads") {
    const Rows rows;
    std::vector<double> other = rows.y;
    for (double& y : other) y = 2 * y + 1;
    const Dataset<double> data(rows.view(), rows.y), other_data(rows.view(), other);
    FitOptions options;
    options.restarts = 2;
    const std::vector<FitJob> starts = jobs_of(120);
    for (const int threads : {1, 2, 5}) {
        std::vector<FitJob> jobs = starts;
        for (std::size_t k = 0; k < jobs.size(); k += 3) jobs[k].target = other;
        fit_all(jobs, rows.view(), rows.y, {}, options, nullptr, threads);
        for (std::size_t k = 0; k < jobs.size(); ++k) {
            FitWorkspace<double> workspace;
            const Evaluator<double> evaluator(k % 3 == 0 ? other_data : data);
            Expression expression = starts[k].expression;
            const FitResult result = fit_constants(expression, evaluator, options, workspace);
            CAPTURE(k);
            CHECK(same(jobs[k].expression.constants, expression.constants));
            CHECK(jobs[k].result.status == result.status);
            CHECK(same({jobs[k].result.loss}, {result.loss}));
            CHECK(same(jobs[k].standard_errors, standard_errors(expression, evaluator, workspace)));
        }
    }
}

TEST_CASE("a batch by another loss has no standard errors") {
    const Rows rows;
    const Loss loss = Loss("L1DistLoss()");
    std::vector<FitJob> jobs = jobs_of(10);
    fit_all(jobs, rows.view(), rows.y, {}, {}, &loss, 2);
    for (const FitJob& job : jobs) {
        CHECK(job.standard_errors.size() == job.expression.constants.size());
        for (const double error : job.standard_errors) CHECK(std::isnan(error));
    }
}

TEST_CASE("what is wrong with a batch comes out of its threads") {
    const Rows rows;
    std::vector<FitJob> jobs = jobs_of(8);
    const std::vector<double> few(5, 1.0);
    std::vector<double> bad = rows.y;
    bad[3] = std::numeric_limits<double>::quiet_NaN();
    jobs[6].target = bad;
    jobs[2].target = few;
    CHECK_THROWS_WITH_AS(fit_all(jobs, rows.view(), rows.y, {}, {}, nullptr, 3), doctest::Contains("5 values"),
                         std::invalid_argument);
    jobs[2].target = {};
    CHECK_THROWS_AS(fit_all(jobs, rows.view(), rows.y, {}, {}, nullptr, 3), std::invalid_argument);
    jobs[6].target = {};
    jobs[1].operators = nullptr;
    CHECK_THROWS_WITH_AS(fit_all(jobs, rows.view(), rows.y, {}, {}, nullptr), doctest::Contains("no operators"),
                         std::invalid_argument);
}

}  // namespace balmer::test
