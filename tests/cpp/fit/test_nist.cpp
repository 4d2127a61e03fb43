// The certified problems of NIST: parameters, standard errors and residuals known to ten digits or more.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/fit/fit.hpp"
#include "fit/json.hpp"

namespace balmer::test {
namespace {

/// One problem: the model is a user operator, so that its literals are fixed and its parameters may stand in several places.
struct Certified {
    std::string name;
    std::vector<double> values, errors;
    double sum_of_squares = 0, deviation = 0;
    OperatorSet operators;
    Op model{};
    Dataset<double> data;

    explicit Certified(const Json& problem)
        : name(problem["name"].text),
          values(problem["certified"].numbers()),
          errors(problem["standard_deviations"].numbers()),
          sum_of_squares(problem["residual_sum_of_squares"].number),
          deviation(problem["residual_standard_deviation"].number),
          model(operators.define(problem["model"].text)) {
        const std::vector<double> y = problem["y"].numbers();
        std::vector<double> X;
        for (const Json& column : problem["x"].items) {
            const std::vector<double> x = column.numbers();
            X.insert(X.end(), x.begin(), x.end());
        }
        const MatrixView<double> view{X.data(), y.size(), X.size() / y.size(), 1, y.size()};
        data = Dataset<double>(view, y);
    }

    [[nodiscard]] Expression from(const std::vector<double>& start) const {
        Expression expression;
        for (std::uint32_t j = 0; j < data.n_features(); ++j) expression.push_feature(j);
        for (const double c : start) expression.push_constant(c);
        return expression.push(model, static_cast<std::uint8_t>(data.n_features() + start.size()));
    }
};

/// Digits that agree: -log10 of the largest relative difference, at most 15.
double digits(const std::vector<double>& found, const std::vector<double>& certified) {
    double fewest = 15;
    for (std::size_t k = 0; k < certified.size(); ++k) {
        const double difference = std::abs(found[k] - certified[k]) / std::abs(certified[k]);
        fewest = std::min(fewest, difference >= 0 ? -std::log10(difference + 1e-15) : 0);
    }
    return fewest;
}

struct Outcome {
    FitResult result;
    double digits = 0, error_digits = 0;
    double ratio_digits = 0;  ///< of the standard errors in units of the residuals' deviation
};

Outcome fit(const Certified& problem, const std::vector<double>& start) {
    FitWorkspace<double> workspace;
    const Evaluator<double> evaluator(problem.data, problem.operators);
    Expression expression = problem.from(start);
    FitOptions options;
    options.max_iterations = 500;
    Outcome out;
    out.result = fit_constants(expression, evaluator, options, workspace);
    out.digits = digits(expression.constants, problem.values);
    std::vector<double> errors = standard_errors(expression, evaluator, workspace), certified = problem.errors;
    out.error_digits = digits(errors, certified);
    const auto rows = static_cast<double>(problem.data.n_rows()), free = rows - static_cast<double>(errors.size());
    for (double& e : errors) e /= std::sqrt(out.result.loss * rows / free);
    for (double& e : certified) e /= problem.deviation;
    out.ratio_digits = digits(errors, certified);
    return out;
}

}  // namespace

TEST_CASE("NIST's certified values from the start that is near, and from the far one where MINPACK finds them") {
    const Json table = read_json("nist.json");
    int far = 0;
    REQUIRE(table["problems"].items.size() == 27);
    for (const Json& entry : table["problems"].items) {
        const Certified problem(entry);
        const Outcome near_start = fit(problem, entry["start_2"].numbers());
        const Outcome far_start = fit(problem, entry["start_1"].numbers());
        far += far_start.digits >= 9;
        INFO(problem.name, ": ", near_start.digits, " and ", near_start.error_digits, " digits from start 2 (",
             name(near_start.result.status), ", ", near_start.result.iterations, " steps), ", far_start.digits, " and ",
             far_start.error_digits, " from start 1 (", name(far_start.result.status), ", ",
             far_start.result.iterations, ")");
        CHECK(near_start.digits >= 9);
        CHECK(near_start.ratio_digits >= 6);
        if (problem.name == "Lanczos1") {
            // Its residuals are 4e-14 of y: rounding y and x to doubles alone changes their deviation by 4e-4, as exact
            // arithmetic on these doubles shows.
            CHECK(near_start.error_digits >= 2);
        } else {
            CHECK(near_start.error_digits >= 6);
            const double sum = near_start.result.loss * static_cast<double>(problem.data.n_rows());
            CHECK(sum == doctest::Approx(problem.sum_of_squares).epsilon(1e-9));
        }
    }
    // All but MGH17 now. Which minimum is reached from afar hangs on the damping: with other values it was all of them, or all
    // but MGH10 and Eckerle4 (found with two signs changed: its model is the same for (-b1, -b2)).
    CHECK(far >= 25);
}

}  // namespace balmer::test
