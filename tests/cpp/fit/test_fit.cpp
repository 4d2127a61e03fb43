#include "balmer/fit/fit.hpp"
#include "balmer/fit/loss.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "balmer/eval/isa.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "fit/row_runs.hpp"
#include "random_expression.hpp"

namespace balmer::test {
namespace {

constexpr std::size_t kRows = 200;

struct Sample {
    std::vector<double> x, y, w;

    [[nodiscard]] Dataset<double> data() const {
        return Dataset<double>(MatrixView<double>{x.data(), x.size(), 1, 1, x.size()}, y, w);
    }
};

/// y = f(x) + noise at random x in [low, high].
Sample sample(const std::function<double(double)>& f, double low, double high, double noise = 0,
              std::size_t rows = kRows) {
    Rng rng(31, 0);
    Sample s;
    for (std::size_t i = 0; i < rows; ++i) {
        s.x.push_back(low + (high - low) * rng.uniform());
        s.y.push_back(f(s.x.back()) + noise * rng.normal());
    }
    return s;
}

struct Fitted {
    Expression expression;
    FitResult result;
    std::vector<double> errors;
};

template <class T>
Fitted fit(const std::string& text, const Dataset<T>& data, FitOptions options = {}) {
    FitWorkspace<T> workspace;
    const Evaluator<T> evaluator(data);
    Fitted out{parse(text), {}, {}};
    out.result = fit_constants(out.expression, evaluator, options, workspace);
    out.errors = standard_errors(out.expression, evaluator, workspace);
    return out;
}

Fitted fit(const std::string& text, const Sample& s, FitOptions options = {}) { return fit(text, s.data(), options); }

bool near(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::abs(b); }

}  // namespace

TEST_CASE("linear and other constants of an exact law are found to rounding") {
    const Fitted f = fit("1*exp(-1*x0) + 1", sample([](double x) { return 3 * std::exp(-0.7 * x) + 5; }, 0, 4));
    CHECK(f.result.loss < 1e-26);  // 1e-14 of y: a step of step_tolerance changes no more
    CHECK(near(f.expression.constants[0], 3, 1e-13));
    CHECK(near(f.expression.constants[1], -0.7, 1e-13));
    CHECK(near(f.expression.constants[2], 5, 1e-13));
}

TEST_CASE("a scan finds frequencies that are many periods away, of one wave and of two") {
    const auto wave = [](double x) { return std::sin(90 * x + 1); };
    const auto waves = [&](double x) { return wave(x) + 0.7 * std::sin(140 * x); };
    const FitOptions scan{.scan_frequencies = true};
    const char* const one = "1*sin(3*x0 + 0.1)";
    CHECK(fit(one, sample(wave, 0, 5)).result.loss > 0.1);
    CHECK(fit(one, sample(wave, 0, 5), scan).result.loss < 1e-20);
    CHECK(fit("1*sin(3*x0 + 0.1) + 1*cos(5*x0 + 0.1)", sample(waves, 0, 5), scan).result.loss < 1e-20);
}

TEST_CASE("a weight is a number of rows") {
    Sample s = sample([](double x) { return 2 * std::exp(0.5 * x) - 1; }, 0, 3, 0.1, 40), repeated = s;
    for (std::size_t i = 0; i < s.x.size(); ++i) {
        s.w.push_back(static_cast<double>(i % 4));
        for (std::size_t k = 1; k < i % 4; ++k) repeated.x.push_back(s.x[i]), repeated.y.push_back(s.y[i]);
    }
    for (std::size_t i = s.x.size(); i-- > 0;) {  // weight 0: the row is not there
        if (i % 4 == 0) {
            repeated.x.erase(repeated.x.begin() + static_cast<std::ptrdiff_t>(i));
            repeated.y.erase(repeated.y.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    const Fitted a = fit("1*exp(1*x0) + 1", s), b = fit("1*exp(1*x0) + 1", repeated);
    for (std::size_t k = 0; k < 3; ++k) CHECK(near(a.expression.constants[k], b.expression.constants[k], 1e-10));
    CHECK(near(a.result.loss, b.result.loss, 1e-10));
}

TEST_CASE("units of the target do not matter") {
    const Sample s = sample([](double x) { return 3 * std::exp(-0.7 * x) + 0.2 * x; }, 0, 4, 0.05);
    const Fitted plain = fit("1*exp(-2*x0) + 1*x0", s);
    for (const double unit : {1e25, 1e-25, 1e100, 1e-100}) {
        Sample scaled = s;
        for (double& y : scaled.y) y *= unit;
        const Fitted f = fit("1*exp(-2*x0) + 1*x0", scaled);
        INFO("unit ", unit, ", ", name(f.result.status));
        CHECK(near(f.expression.constants[0], plain.expression.constants[0] * unit, 1e-9));
        CHECK(near(f.expression.constants[1], plain.expression.constants[1], 1e-9));
        CHECK(near(f.expression.constants[2], plain.expression.constants[2] * unit, 1e-9));
        CHECK(near(f.errors[1], plain.errors[1], 1e-8));
    }
}

TEST_CASE("features far from 0: what the doubles hold is found") {
    Sample s = sample([](double x) { return 3 * x * x - 2 * x + 1; }, 0, 3);
    for (double& x : s.x) x += 1e5;
    for (std::size_t i = 0; i < s.x.size(); ++i) {  // with the x that is left after rounding
        const double x = s.x[i] - 1e5;
        s.y[i] = 3 * x * x - 2 * x + 1;
    }
    const auto share = [&](const std::string& text) { return fit(text, s).result.loss / s.data().target_variance(); };
    CHECK(share("1*square(x0 - 1) + 1") < 1e-20);
    CHECK(share("(1*x0 + 1)*(x0 - 1) + 1") < 1e-12);
    // The coefficients reach 3e10, the terms cancel from 3e10 to 20: 1e-5 of the target is lost when they are evaluated.
    CHECK(share("1*x0*x0 + 1*x0 + 1") < 1e-10);
    CHECK(share("1*x0 + 1") > 1e-3);
}

TEST_CASE("a constant that linear ones make redundant stays, and does not hold up the others") {
    Sample s = sample([](double x) { return 3 * std::exp(-0.5 * x) + 1; }, 0, 3);
    for (double& x : s.x) x += 1e5;
    for (std::size_t i = 0; i < s.x.size(); ++i) s.y[i] = 3 * std::exp(-0.5 * (s.x[i] - 1e5)) + 1;
    for (const double unit : {1.0, 1e25, 1e-25}) {
        Sample scaled = s;
        for (double& y : scaled.y) y *= unit;
        const Fitted f = fit("1*exp(-1*(x0 - 100000.3)) + 1", scaled);
        CAPTURE(unit);
        CHECK(f.result.loss < 1e-20 * unit * unit);
        CHECK(near(f.expression.constants[1], -0.5, 1e-9));
        CHECK(f.expression.constants[2] == 100000.3);
    }
}

TEST_CASE("a fit never ends with a larger loss than it began with, and finds the optimum of linear ones") {
    Rng rng(32, 0);
    std::vector<double> X, y;
    for (std::size_t i = 0; i < 3 * kRows; ++i) X.push_back(0.3 + 2 * rng.uniform());
    for (std::size_t i = 0; i < kRows; ++i) y.push_back(X[i] * X[kRows + i] + rng.normal());
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, 3, 1, kRows}, y);
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    int fitted = 0, better = 0;
    for (int trial = 0; trial < 2000; ++trial) {
        const Expression start = random_expression(rng, {});
        const double before = evaluator.mean_squared_error(start, kRows, workspace.evaluation);
        Expression expression = start;
        FitOptions options;
        options.max_iterations = static_cast<int>(rng.below(12));
        options.restarts = rng.below(4) == 0 ? 3 : 0;
        const FitResult result = fit_constants(expression, evaluator, options, workspace);
        const double after = evaluator.mean_squared_error(expression, kRows, workspace.evaluation);
        INFO("seed 32, trial ", trial, ": ", name(result.status), ", ", before, " to ", after);
        CHECK(expression.nodes == start.nodes);
        CHECK(!(after > before * (1 + 1e-12)));
        if (result.status == FitStatus::not_finite) {
            CHECK(expression.constants == start.constants);
        } else {
            CHECK((result.loss == after || near(result.loss, after, 1e-9)));
            fitted += !start.constants.empty();
            better += after < 0.99 * before;
        }
    }
    CHECK(fitted > 500);
    CHECK(better > 100);
}

TEST_CASE("a start that is not finite is left as it is") {
    const Fitted f = fit("log(-1 - x0) + 2", sample([](double x) { return x; }, 0, 1));
    CHECK(f.result.status == FitStatus::not_finite);
    CHECK(f.expression.constants == std::vector<double>{-1, 2});
    CHECK(f.result.loss == std::numeric_limits<double>::infinity());
    for (const double e : f.errors) CHECK(std::isnan(e));
}

TEST_CASE("without constants there is a loss and nothing to fit") {
    const Sample s = sample([](double x) { return x + 2; }, 0, 1);
    const Fitted f = fit("x0", s);
    CHECK(f.result.status == FitStatus::nothing_to_fit);
    CHECK(f.result.loss == doctest::Approx(4));
    CHECK(f.errors.empty());
    const Dataset<double> no_target(MatrixView<double>{s.x.data(), kRows, 1, 1, kRows});
    CHECK_THROWS_AS(fit("1*x0", no_target), std::invalid_argument);
}

TEST_CASE("a fit is abandoned after the steps asked for if its loss is above the bound, and not if it is below") {
    const Sample s = sample([](double x) { return std::sin(7 * x); }, 0, 4);
    FitOptions options;
    options.abandon_after = 3;
    options.bound = 1e-3;
    const Fitted f = fit("1*exp(sin(1*x0) + 1/(x0 + 1))", s, options);
    CHECK(f.result.status == FitStatus::abandoned);
    CHECK(f.result.iterations == 3);
    options.bound = 10;
    CHECK(fit("1*exp(sin(1*x0) + 1/(x0 + 1))", s, options).result.status != FitStatus::abandoned);
}

TEST_CASE("constants that say the same: the others are found, and have standard errors") {
    const Sample s = sample([](double x) { return 3 * x + 2; }, 0, 4, 0.1);
    const Fitted twice = fit("1 + 1 + 1*x0", s), once = fit("1 + 1*x0", s);
    CHECK(near(twice.result.loss, once.result.loss, 1e-12));
    CHECK(std::isnan(twice.errors[0]));
    CHECK(std::isnan(twice.errors[1]));
    INFO(twice.errors[2], " and ", once.errors[1], ", found ", twice.expression.constants[2]);
    // One constant more counts as one degree of freedom less, determined or not.
    CHECK(near(twice.errors[2] * std::sqrt((kRows - 3.0) / (kRows - 2.0)), once.errors[1], 1e-9));
    const Fitted product = fit("1*(1*(1*x0)) + 1", s);
    CHECK(near(product.result.loss, once.result.loss, 1e-12));
    const Fitted idle = fit("1*x0 + 1 + 0*sign(1 + x0)", s);  // one constant changes nothing
    CHECK(near(idle.result.loss, once.result.loss, 1e-12));
    CHECK(std::isnan(idle.errors[3]));
}

TEST_CASE("standard errors of a straight line are those of the textbook") {
    for (const bool weighted : {false, true}) {
        Sample s = sample([](double x) { return 3 * x - 2; }, 1, 4, 0.3, 30);
        if (weighted) {
            for (std::size_t i = 0; i < s.x.size(); ++i) s.w.push_back(1 + 0.1 * static_cast<double>(i));
        }
        double sw = 0, swx = 0, swy = 0, sxx = 0, sxy = 0, rss = 0;
        const auto weight = [&](std::size_t i) { return weighted ? s.w[i] : 1.0; };
        for (std::size_t i = 0; i < s.x.size(); ++i)
            sw += weight(i), swx += weight(i) * s.x[i], swy += weight(i) * s.y[i];
        const double x_mean = swx / sw, y_mean = swy / sw;
        for (std::size_t i = 0; i < s.x.size(); ++i) {
            sxx += weight(i) * (s.x[i] - x_mean) * (s.x[i] - x_mean);
            sxy += weight(i) * (s.x[i] - x_mean) * (s.y[i] - y_mean);
        }
        const double slope = sxy / sxx, offset = y_mean - slope * x_mean;
        for (std::size_t i = 0; i < s.x.size(); ++i) rss += weight(i) * std::pow(s.y[i] - slope * s.x[i] - offset, 2);
        const double variance = rss / static_cast<double>(s.x.size() - 2);
        const Fitted f = fit("1*x0 + 1", s);
        CHECK(near(f.expression.constants[0], slope, 1e-12));
        CHECK(near(f.expression.constants[1], offset, 1e-12));
        CHECK(near(f.errors[0], std::sqrt(variance / sxx), 1e-11));
        CHECK(near(f.errors[1], std::sqrt(variance * (1 / sw + x_mean * x_mean / sxx)), 1e-11));
    }
}

TEST_CASE("a prefix of the rows can be fitted") {
    Sample s = sample([](double x) { return 3 * x; }, 1, 4);
    for (std::size_t i = 64; i < kRows; ++i) s.y[i] = 0;
    FitOptions options;
    options.rows = 64;
    const Fitted f = fit("1*x0", s, options);
    CHECK(near(f.expression.constants[0], 3, 1e-14));
    CHECK(f.result.loss < 1e-28);
}

TEST_CASE("Planck's law is fitted although exp overflows on the way") {
    // x^3 / (exp(c x) - 1) is 0 where exp is infinite; its plain derivative there is NaN.
    Sample s = sample([](double x) { return x; }, std::log(0.01), std::log(400));
    for (std::size_t i = 0; i < kRows; ++i) {
        s.x[i] = std::exp(s.x[i]);
        s.y[i] = 2 * s.x[i] * s.x[i] * s.x[i] / std::expm1(3 * s.x[i]);
    }
    const Fitted f = fit("1*cube(x0) / (exp(2*x0) - 1)", s);
    INFO(name(f.result.status), ", loss ", f.result.loss, " at ", f.expression.constants[0], ", ",
         f.expression.constants[1], ", ", f.expression.constants[2]);
    CHECK(near(f.expression.constants[0], 2, 1e-9));
    CHECK(near(f.expression.constants[1], 3, 1e-9));
    CHECK(near(f.expression.constants[2], 1, 1e-9));
}

TEST_CASE("a fit sees what left the range and came back as another number") {
    // At 2000 both parts of the first quotient are infinite, and the comparison makes 0 of NaN where its value is 1; the
    // second formula is 1 / 2000 there, and not 0.
    Sample s = sample([](double x) { return 0.25 * x; }, 1, 2);
    s.x[0] = 2000;
    const Dataset<double> data = s.data();
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    for (const std::string text : {"less_equal(1*3^x0 / (exp(x0) / -1), 2) + 0*x0", "1 / log(exp(x0) + 1)"}) {
        CAPTURE(text);
        const Fitted f = fit(text, s);
        CHECK(near(f.result.loss, evaluator.mean_squared_error(f.expression, kRows, workspace), 1e-10));
        Expression e = parse(text);
        FitWorkspace<double> memory;
        const Loss absolute("L1DistLoss");
        const double loss = fit_constants(e, evaluator, absolute, {}, memory).loss;
        CHECK(near(loss, mean_loss(e, evaluator, absolute, kRows, workspace), 1e-10));
    }
}

TEST_CASE("restarts leave a wrong minimum") {
    const Sample s = sample([](double x) { return std::sin(5.3 * x) + 1; }, 0, 6);
    FitOptions options;
    options.max_iterations = 40;
    CHECK(fit("1*sin(3.7*x0) + 1", s, options).result.loss > 0.1);
    options.restarts = 20;
    const Fitted f = fit("1*sin(3.7*x0) + 1", s, options);
    CHECK(f.result.loss < 1e-25);
    CHECK(near(std::abs(f.expression.constants[1]), 5.3, 1e-12));
}

TEST_CASE("runs of rows are spread over all, or are all") {
    using fit::RowRuns;
    for (const std::size_t rows : {1UL, 16UL, 100UL, 128UL, 512UL, 1000UL, 12345UL}) {
        for (const std::size_t length : {16UL, 32UL, 64UL}) {
            const RowRuns runs = RowRuns::spread(rows, 4, length);
            std::vector<std::size_t> firsts;
            std::size_t visited = 0, last = 0;
            CHECK(runs.for_each_run([&](std::size_t first, std::size_t n) {
                firsts.push_back(first);
                visited += n;
                last = first + n;
                return true;
            }));
            CAPTURE(rows);
            CHECK(visited == runs.count());
            CHECK(last <= rows);
            if (visited == rows) {
                CHECK(firsts == std::vector<std::size_t>{0});
                continue;
            }
            CHECK(visited == 4 * length);
            REQUIRE(firsts.size() == 4);
            for (const std::size_t first : firsts) CHECK(first % kLanes == 0);
            CHECK(last + 4 * kLanes > rows);
        }
    }
    int calls = 0;
    CHECK_FALSE(RowRuns::spread(1000, 4, 32).for_each_run([&](std::size_t, std::size_t) { return ++calls < 2; }));
    CHECK(calls == 2);
}

TEST_CASE("on many rows the constants move on a sample, and only settle on all") {
    const auto law = [](double x) { return 3 * std::exp(-0.7 * x) * std::sin(2 * x) + 5; };
    const std::string start = "1*exp(-1*x0)*sin(1.7*x0) + 1";
    Sample s = sample(law, 0, 4, 0, 20'000);
    for (const bool sorted : {false, true}) {
        if (sorted) {  // the first rows alone say little
            std::ranges::sort(s.x);
            std::ranges::transform(s.x, s.y.begin(), law);
        }
        const Fitted f = fit(start, s);
        CHECK(f.result.loss < 1e-25);
        CHECK(near(f.expression.constants[2], 2, 1e-12));
        CHECK(f.result.iterations >= 4);
        CHECK(f.result.evaluations <= 4);
    }
    const Sample noisy = sample(law, 0, 4, 0.5, 20'000);
    FitOptions options;
    options.loss_tolerance = 1e-10;
    CHECK(fit(start, noisy, options).result.evaluations <= 5);
    const Fitted f = fit(start, noisy);
    CHECK(f.result.status == FitStatus::converged_loss);
    // The minimum is that of all rows: from there nothing moves.
    const Fitted again = fit(to_text(f.expression), noisy);
    CHECK(near(again.result.loss, f.result.loss, 1e-14));
    CHECK(near(again.expression.constants[2], f.expression.constants[2], 1e-9));
}

TEST_CASE("a sample that misleads does no harm") {
    const auto law = [](double x) { return std::exp(-0.7 * x); };
    Sample s = sample(law, 0, 4, 0, 2000);
    const Fitted fair = fit("exp(-1*x0)", s);
    CHECK(fair.result.loss < 1e-28);
    const fit::RowRuns rows = fit::RowRuns::spread(2000, 4, 32);
    const std::size_t some = rows.count();
    CHECK(some == 128);
    rows.for_each_run([&](std::size_t first, std::size_t n) {  // another law, just there
        for (std::size_t i = first; i < first + n; ++i) s.y[i] = std::exp(0.9 * s.x[i]);
        return true;
    });
    const Dataset<double> data = s.data();
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    for (const double start : {-0.7, -0.6, -2.0, 0.5}) {
        Expression e = parse("exp(1*x0)");
        e.constants[0] = start;
        const double before = evaluator.mean_squared_error(e, 2000, workspace.evaluation);
        const FitResult result = fit_constants(e, evaluator, {}, workspace);
        CAPTURE(start);
        CHECK(result.loss <= before);
        CHECK(near(result.loss, evaluator.mean_squared_error(e, 2000, workspace.evaluation), 1e-12));
        CHECK(result.status != FitStatus::max_iterations);
    }
    s.w.assign(2000, 1.0);
    rows.for_each_run([&](std::size_t first, std::size_t n) {
        for (std::size_t i = first; i < first + n; ++i) s.w[i] = 0;  // all of the sample
        return true;
    });
    const Fitted f = fit("exp(-1*x0)", s);
    CHECK(f.result.loss < 1e-26);
    CHECK(near(f.expression.constants[0], -0.7, 1e-13));
}

TEST_CASE("every instruction set gives the same bits") {
    const std::string before(isa());
    Rng rng(33, 0);
    std::vector<double> X, y;
    for (std::size_t i = 0; i < 3 * kRows; ++i) X.push_back(0.3 + 2 * rng.uniform());
    for (std::size_t i = 0; i < kRows; ++i) y.push_back(std::exp(X[i]) * X[kRows + i] + 0.1 * rng.normal());
    const Dataset<double> data(MatrixView<double>{X.data(), kRows, 3, 1, kRows}, y);
    const Evaluator<double> evaluator(data);
    FitWorkspace<double> workspace;
    for (int trial = 0; trial < 400; ++trial) {
        const Expression start = random_expression(rng, {});
        if (start.constants.empty()) continue;
        std::vector<double> first;
        double loss = 0;
        for (const std::string_view set : available_isas()) {
            force_isa(set);
            Expression expression = start;
            const FitResult result = fit_constants(expression, evaluator, {}, workspace);
            if (first.empty()) {
                first = expression.constants;
                loss = result.loss;
            }
            INFO("seed 33, trial ", trial, ", ", set);
            CHECK(expression.constants == first);
            CHECK((result.loss == loss || (std::isnan(result.loss) && std::isnan(loss))));
        }
    }
    force_isa(before);
}

TEST_CASE("in single precision constants are found to its digits") {
    const Sample s = sample([](double x) { return 3 * std::exp(-0.7 * x) + 5; }, 0, 4);
    const std::vector<float> x(s.x.begin(), s.x.end());
    const Dataset<float> data(MatrixView<float>{x.data(), kRows, 1, 1, kRows}, s.y);
    const Fitted f = fit<float>("1*exp(-1*x0) + 1", data);
    CHECK(near(f.expression.constants[0], 3, 1e-5));
    CHECK(near(f.expression.constants[1], -0.7, 1e-5));
    CHECK(near(f.expression.constants[2], 5, 1e-5));
    CHECK(f.result.iterations < 15);
}

}  // namespace balmer::test
