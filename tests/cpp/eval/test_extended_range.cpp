// Formulas whose intermediate values overflow although their results do not.
#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "balmer/expr/parse.hpp"

using namespace balmer;

namespace {

struct Case {
    const char* formula;
    double x0, x1;
    double value, derivative;  ///< derivative by x0
};

// Computed with 50 digits.
const Case kCases[] = {
    {"log(exp(x0) + x1)", 800, 2, 800.0, 1.0},
    {"log(exp(x0) - 1)", 800, 0, 800.0, 1.0},
    {"log(exp(x0) - 1)", 1, 0, 0.5413248546129181, 1.5819767068693265},
    {"log(x1 + exp(x0))", 710, -3, 710.0, 1.0},
    {"log(2 * exp(x0) - x1)", 750, 5, 750.6931471805599, 1.0},
    {"1 / (exp(x0) - 1)", 705, 0, 6.643397797997952e-307, -6.643397797997952e-307},
    {"1 / (exp(x0) - 1)", 2, 0, 0.15651764274966565, -0.1810154152415776},
    {"1 / (exp(x0) - 1)", -2, 0, -1.1565176427496657, -0.1810154152415776},
    {"exp(x0) / (exp(x0) + 1)", 1000, 0, 1.0, 0.0},
    {"exp(x0) / (exp(x0) + 1)", 2, 0, 0.8807970779778824, 0.10499358540350652},
    {"x0 ^ 3 / (exp(x0) - 1)", 700, 0, 3.3818690545096014e-296, -3.3673753299902746e-296},
    {"log(exp(x0) / (exp(x1) + 1))", 900, 850, 50.0, 1.0},
    {"log(exp(-x0))", 900, 0, -900.0, -1.0},
    {"log10(exp(x0) * exp(x1))", 500, 600, 477.723930093577, 0.4342944819032518},
    {"log(square(exp(x0)) - exp(x1))", 500, 400, 1000.0, 2.0},
    {"log(cosh(x0))", 900, 0, 899.3068528194401, 1.0},
    {"log(sinh(x0))", 900, 0, 899.3068528194401, 1.0},
    {"exp(x0) / (2 - exp(x1))", 720, 719, -2.718281828459045, -2.718281828459045},
    {"log(3 * exp(-x0))", 800, 0, -798.9013877113319, -1.0},
    // Finite but wrong if the logarithm were infinite
    {"1 / log(exp(x0) + 1)", 800, 0, 0.00125, -1.5625e-6},
    {"x0 / log(exp(x0) - 1)", 800, 0, 1.0, 0.0},
    {"tanh(log(exp(x0) + x1) - 799)", 800, 2, 0.7615941559557649, 0.4199743416140261},
    {"exp(log(exp(x0) + 1) - 801)", 800, 0, 0.36787944117144233, 0.36787944117144233},
    {"x1 / (1 + exp(x0))", 800, 2, 0.0, 0.0},  // right as it is
    // Powers of what may be negative
    {"1 / (exp(x1) / x0 ^ 3)", -1e110, 1000, -5.0759588975494571e-105, 1.5227876692648371e-214},
    {"1 / (exp(x1) / x0 ^ 4)", -1e80, 800, 3.6678745841776872e-28, -1.4671498336710749e-107},
    {"3.5 * x0 / (exp(x0) / x0 ^ 9 - 1)", 3e161, 0, 0.0, 0.0},
    {"3.5 * x0 / (exp(x0) / x0 ^ 9 - 1)", 4e-86, 0, 0.0, 0.0},
};

}  // namespace

TEST_CASE("values and derivatives are right where the result is representable") {
    for (const Case& c : kCases) {
        INFO(std::string(c.formula), " at ", c.x0, ", ", c.x1);
        std::vector<double> x(40);  // the bad row among good ones
        for (std::size_t i = 0; i < 20; ++i) {
            x[i] = i == 7 ? c.x0 : 1.5;
            x[20 + i] = i == 7 ? c.x1 : 0.25;
        }
        const Dataset<double> data(MatrixView<double>{x.data(), 20, 2, 1, 20});
        const Evaluator<double> evaluator(data);
        Workspace<double> workspace;
        std::vector<double> out(20), gradient(40);
        const Expression e = parse(c.formula);
        evaluator.evaluate(e, out, workspace);
        CHECK(out[7] == doctest::Approx(c.value).epsilon(1e-9));
        evaluator.evaluate_with_gradient(e, out, gradient, workspace);
        CHECK(out[7] == doctest::Approx(c.value).epsilon(1e-9));
        if (c.derivative == 0) {
            CHECK(gradient[7] == 0);
        } else {
            CHECK(gradient[7] / c.derivative == doctest::Approx(1).epsilon(1e-7));
        }
    }
}

TEST_CASE("a row is rescued by itself: its value depends on no other row") {
    constexpr std::size_t kRows = 700;
    std::vector<double> x(2 * kRows);
    for (std::size_t i = 0; i < kRows; ++i) {
        x[i] = i % 5 == 0 ? 700.0 + static_cast<double>(i) : i % 7 == 0 ? -800 : 0.01 * static_cast<double>(i);
        x[kRows + i] = i % 3 == 0 ? -2.0 : 0.5;
    }
    const Dataset<double> all(MatrixView<double>{x.data(), kRows, 2, 1, kRows});
    Workspace<double> workspace;
    std::vector<double> out(kRows), one(1);
    for (const char* formula :
         {"log(exp(x0) + x1)", "1 / log(exp(x0) - x1) + sqrt(x1)", "sqrt(x1) * log(1 / exp(x0))"}) {
        INFO(formula);
        const Expression e = parse(formula);
        Evaluator<double>(all).evaluate(e, out, workspace);
        for (std::size_t i = 0; i < kRows; ++i) {
            const double row[] = {x[i], x[kRows + i]};
            const Dataset<double> alone(MatrixView<double>{row, 1, 2, 1, 1});
            Evaluator<double>(alone).evaluate(e, one, workspace);
            CHECK((out[i] == one[0] || (std::isnan(out[i]) && std::isnan(one[0]))));
        }
    }
}

TEST_CASE("losses see the value of a row whose infinity would have vanished") {
    std::vector<double> x, y;
    for (int i = 0; i < 100; ++i) {
        x.push_back(20.0 * i);
        y.push_back(1 / (i == 0 ? std::log(2.0) : 20.0 * i + std::log1p(std::exp(-20.0 * i))));
    }
    const Dataset<double> data(MatrixView<double>{x.data(), 100, 1, 1, 100}, y);
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    const Expression law = parse("1 / log(exp(x0) + 1)");
    CHECK(evaluator.mean_squared_error(law, 100, workspace) < 1e-30);
    CHECK(evaluator.mean_loss(law, parse("abs(x0 - x1)"), 100, workspace) < 1e-15);
}

TEST_CASE("products of huge factors have a logarithm") {
    const double x[] = {1e200, 3e-250, 1e200, 2e-200};
    const Dataset<double> data(MatrixView<double>{x, 2, 2, 1, 2});
    REQUIRE(data.is_extreme());
    std::vector<double> out(2);
    Workspace<double> workspace;
    Evaluator<double>(data).evaluate(parse("log(x0 * x1)"), out, workspace);
    CHECK(out[0] == doctest::Approx(400 * std::log(10.0)));
    CHECK(out[1] == doctest::Approx(std::log(6.0) - 450 * std::log(10.0)));
    Evaluator<double>(data).evaluate(parse("log(square(x0) / x1)"), out, workspace);
    CHECK(out[0] == doctest::Approx(200 * std::log(10.0)));
}

TEST_CASE("what is not a number stays so") {
    const double x[] = {800, 800, 900, 1e300};
    const Dataset<double> data(MatrixView<double>{x, 2, 2, 1, 2});
    std::vector<double> out(2);
    Workspace<double> workspace;
    const Evaluator<double> evaluator(data);
    evaluator.evaluate(parse("log(x1 - exp(x0))"), out, workspace);
    CHECK(std::isnan(out[0]));  // 900 - e^800 < 0
    CHECK(std::isnan(out[1]));
    evaluator.evaluate(parse("log(-exp(x0))"), out, workspace);
    CHECK(std::isnan(out[0]));
    evaluator.evaluate(parse("1 / (exp(x0) - exp(x0))"), out, workspace);
    CHECK(!std::isfinite(out[0]));
}

TEST_CASE("an infinity that is right stays so") {
    const double x[] = {0, 1000};
    const Dataset<double> data(MatrixView<double>{x, 2, 1, 1, 2});
    std::vector<double> out(2);
    Workspace<double> workspace;
    Evaluator<double>(data).evaluate(parse("exp(log(sinh(x0)))"), out, workspace);
    CHECK(out[0] == 0);  // the logarithm of a zero that no underflow made
    CHECK(std::isinf(out[1]));
}

TEST_CASE("what is divided by a right infinity is 0, with derivatives beside it or without") {
    const std::vector<double> x{0, 1};
    const Dataset<double> data(MatrixView<double>{x.data(), 2, 1, 1, 2});
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    std::vector<double> alone(2), out(2), gradient(2);
    const Expression e = parse("x0 / (exp(x0) / x0 ^ 9 - 1)");
    evaluator.evaluate(e, alone, workspace);
    evaluator.evaluate_with_gradient(e, out, gradient, workspace);
    CHECK(alone[0] == 0);
    CHECK(out[0] == 0);
    CHECK(out[1] == alone[1]);
}

TEST_CASE("the loss and the fit of Planck's law see every row") {
    // log B = c + 3 log(nu) - log(exp(h nu / T) - 1), where exp overflows for half of the rows.
    std::vector<double> x, y;
    for (int i = 0; i < 50; ++i) {
        x.push_back(1.0 + 40 * i);
    }
    for (int i = 0; i < 50; ++i) {
        x.push_back(1 + i % 7);
    }
    for (int i = 0; i < 50; ++i) {
        const double a = 2.5 * x[i] / x[50 + i];
        y.push_back(1.25 + 3 * std::log(x[i]) - (a > 30 ? a : std::log(std::expm1(a))));
    }
    const Dataset<double> data(MatrixView<double>{x.data(), 50, 2, 1, 50}, y);
    Workspace<double> workspace;
    CHECK(Evaluator<double>(data).mean_squared_error(parse("1.25 + 3 * log(x0) - log(exp(2.5 * x0 / x1) - 1)"), 50,
                                                     workspace) < 1e-20);
}
