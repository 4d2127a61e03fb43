// Derivatives by the constants against central differences, and the sums that fits are made of against plain ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "fit/normal_equations.hpp"
#include "fit/triangular_model.hpp"
#include "random_expression.hpp"

namespace balmer::test {
namespace {

constexpr std::size_t kRows = 150;  // more than a block of a program with derivatives, and not whole vectors

struct Data {
    std::vector<double> X, y, w;
    Dataset<double> plain, weighted;

    explicit Data(Rng& rng) {
        for (std::size_t i = 0; i < 3 * kRows; ++i) X.push_back(0.3 + 2 * rng.uniform());
        for (std::size_t i = 0; i < kRows; ++i) y.push_back(rng.normal());
        for (std::size_t i = 0; i < kRows; ++i) w.push_back(i % 5 == 0 ? 0 : rng.uniform());
        const MatrixView<double> view{X.data(), kRows, 3, 1, kRows};
        plain = Dataset<double>(view, y);
        weighted = Dataset<double>(view, y, w);
    }
};

OperatorSet user_operators() {
    OperatorSet operators;
    operators.define("swing(x, a, b) = a*sin(b*x) + b");
    operators.define("nested(a, b) = swing(a, b, 2) / (1 + b^2)");
    return operators;
}

RandomExpressionOptions smooth(const OperatorSet& operators) {
    RandomExpressionOptions options;
    options.max_nodes = 20;
    for (const OpInfo& row : operator_table()) {
        if (row.smooth && row.op != Op::Gamma) options.operators.push_back(row.op);
    }
    for (std::size_t k = 0; k < operators.user().size(); ++k) {
        options.operators.push_back(static_cast<Op>(kFirstUserOp + k));
    }
    return options;
}

/// Values and Jacobian; empty if some value is not finite.
bool jacobian(const Expression& expression, const Evaluator<double>& evaluator, std::vector<double>& out,
              std::vector<double>& J) {
    Workspace<double> workspace;
    out.resize(kRows);
    J.resize(kRows * expression.constants.size());
    evaluator.evaluate_with_jacobian(expression, out, J, workspace);
    const auto finite = [](double v) { return std::isfinite(v); };
    return std::all_of(out.begin(), out.end(), finite) && std::all_of(J.begin(), J.end(), finite);
}

}  // namespace

TEST_CASE("derivatives by constants are what central differences say") {
    Rng rng(21, 0);
    const Data data(rng);
    const OperatorSet operators = user_operators();
    const Evaluator<double> evaluator(data.plain, operators);
    const RandomExpressionOptions options = smooth(operators);
    std::size_t agreed = 0, differed = 0;
    std::vector<double> f, J, up, down, ignored;
    for (int trial = 0; trial < 1500; ++trial) {
        Expression expression = random_expression(rng, options, operators);
        if (!jacobian(expression, evaluator, f, J)) continue;
        for (std::size_t k = 0; k < expression.constants.size(); ++k) {
            const double c = expression.constants[k], h = 1e-5 * std::max(std::abs(c), 0.01);
            double slopes[2][kRows];
            bool finite = true;
            for (int fine = 0; fine < 2; ++fine) {
                const double step = fine != 0 ? h / 2 : h;
                expression.constants[k] = c + step;
                finite = finite && jacobian(expression, evaluator, up, ignored);
                expression.constants[k] = c - step;
                finite = finite && jacobian(expression, evaluator, down, ignored);
                for (std::size_t i = 0; i < kRows && finite; ++i) slopes[fine][i] = (up[i] - down[i]) / (2 * step);
            }
            expression.constants[k] = c;
            for (std::size_t i = 0; i < kRows && finite; ++i) {
                // Where the value turns over within a step (sin of a huge argument, mod), differences say nothing.
                const double steepest =
                    std::max({std::abs(J[k * kRows + i]), std::abs(slopes[0][i]), std::abs(slopes[1][i])});
                if (steepest * h > 0.1 * std::abs(f[i])) continue;
                // Two step lengths tell how good the difference is: rounding of the values, kinks (abs, min) and curvature.
                const double rounding = 1e-14 * (std::abs(f[i]) + 1) / h;
                const double tolerance = 1e-6 * std::abs(J[k * kRows + i]) + 100 * rounding;
                if (std::abs(slopes[0][i] - slopes[1][i]) > tolerance) continue;
                const bool same = std::abs(slopes[1][i] - J[k * kRows + i]) <=
                                  10 * tolerance + 10 * std::abs(slopes[0][i] - slopes[1][i]);
                agreed += same;
                differed += !same;
            }
        }
    }
    INFO("agreed ", agreed, ", differed ", differed);
    CHECK(agreed > 50000);
    // A kink between the points of both differences, a value that is wild there: not one in ten thousand.
    CHECK(static_cast<double>(differed) < 1e-4 * static_cast<double>(agreed));
}

TEST_CASE_TEMPLATE("normal equations and row factor are J'WJ, J'Wr and r'Wr", T, double, float) {
    Rng rng(22, 0);
    const Data data(rng);
    const OperatorSet operators = user_operators();
    const RandomExpressionOptions options = smooth(operators);
    std::vector<T> X(data.X.begin(), data.X.end()), y(data.y.begin(), data.y.end()), w(data.w.begin(), data.w.end());
    const MatrixView<T> view{X.data(), kRows, 3, 1, kRows};
    std::size_t checked = 0;
    for (const bool weighted : {false, true}) {
        const Dataset<T> set = weighted ? Dataset<T>(view, data.y, data.w) : Dataset<T>(view, data.y);
        const Evaluator<T> evaluator(set, operators);
        for (int trial = 0; trial < 600; ++trial) {
            const Expression expression = random_expression(rng, options, operators);
            const std::size_t n = expression.constants.size();
            Workspace<T> workspace;
            std::vector<T> f(kRows), J(kRows * n);
            evaluator.evaluate_with_jacobian(expression, f, J, workspace);
            std::vector<double> M(n * n), g(n);
            double sum = 0;
            bool finite = true;
            for (std::size_t i = 0; i < kRows; ++i) {
                const double r = static_cast<double>(y[i]) - static_cast<double>(f[i]);
                const double weight = weighted ? static_cast<double>(w[i]) : 1;
                sum += weight * r * r;
                for (std::size_t k = 0; k < n; ++k) {
                    const double a = static_cast<double>(J[k * kRows + i]);
                    g[k] += weight * a * r;
                    for (std::size_t l = 0; l < n; ++l)
                        M[k * n + l] += weight * a * static_cast<double>(J[l * kRows + i]);
                }
            }
            finite = std::isfinite(sum);
            // Products of derivatives below 1e-150 underflow, in one place or another.
            for (const double v : M) finite = finite && v < 1e30 && v > -1e30;
            for (std::size_t k = 0; k < n; ++k) finite = finite && (M[k * n + k] == 0 || M[k * n + k] > 1e-150);
            auto& program = workspace.program();
            const bool extended = eval::has_extended_form(expression, operators, set.is_extreme());
            program.compile(expression, operators, set.columns(), kRows, eval::Derivatives::constants,
                            extended ? eval::Range::extended : eval::Range::plain);
            fit::PassScratch scratch;
            fit::NormalEquations equations;
            fit::RowFactor factor;
            std::vector<std::size_t> order(n);
            std::iota(order.rbegin(), order.rend(), std::size_t{0});
            constexpr double kInfinity = std::numeric_limits<double>::infinity();
            const bool ok = fit::evaluate(program, set, kRows, expression.constants, kInfinity, scratch, equations);
            if (!finite) continue;
            INFO("seed 22, trial ", trial, ", weighted ", weighted);
            REQUIRE(ok);
            REQUIRE(fit::evaluate(program, set, kRows, expression.constants, order, scratch, factor));
            CHECK(equations.sum == doctest::Approx(sum).epsilon(1e-12));
            CHECK(factor.sum == doctest::Approx(sum).epsilon(1e-12));
            for (std::size_t k = 0; k < n; ++k) {
                CHECK(std::abs(equations.gradient[k] - g[k]) <= 1e-12 * std::sqrt(M[k * n + k] * sum));
                for (std::size_t l = 0; l < n; ++l) {
                    const double scale = std::sqrt(M[k * n + k] * M[l * n + l]);
                    CHECK(std::abs(equations.matrix[k * n + l] - M[k * n + l]) <= 1e-12 * scale);
                    // R'R, its columns in the order given.
                    double product = 0;
                    for (std::size_t i = 0; i <= std::min(k, l); ++i) {
                        product += factor.triangle[i * (n + 1) + k] * factor.triangle[i * (n + 1) + l];
                    }
                    CHECK(std::abs(product - M[order[k] * n + order[l]]) <=
                          1e-12 * std::sqrt(M[order[k] * n + order[k]] * M[order[l] * n + order[l]]));
                    ++checked;
                }
            }
            if (sum > 0) {  // a limit below the sum stops the pass
                CHECK_FALSE(fit::evaluate(program, set, kRows, expression.constants, 0.99 * sum, scratch, equations));
            }
        }
    }
    CHECK(checked > 1000);
}

}  // namespace balmer::test
