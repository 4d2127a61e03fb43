#include "balmer/expr/derivative.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "expr/scalar_walk.hpp"
#include "random_expression.hpp"

namespace balmer {
namespace {

double value(const Expression& e, const std::vector<double>& x, const OperatorSet& operators = OperatorSet::builtin()) {
    return test::value_at(e, x, operators);
}

/// Central differences of fourth order, and whether two step widths agree: they do not across kinks and at poles.
struct Difference {
    double slope;
    bool reliable;
};
Difference difference(const Expression& e, std::vector<double> x, std::size_t k, const OperatorSet& operators) {
    const double centre = x[k];
    const auto slope = [&](double h) {
        double f[4];
        const double steps[] = {-2, -1, 1, 2};
        for (int i = 0; i < 4; ++i) {
            x[k] = centre + steps[i] * h;
            f[i] = value(e, x, operators);
        }
        return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
    };
    const double wide = slope(2e-3), narrow = slope(5e-4);
    const double size = std::abs(value(e, x, operators)) + std::abs(narrow);
    return {narrow, std::isfinite(narrow) && std::abs(wide - narrow) <= 1e-7 * size};
}

TEST_CASE("the derivative of every operator agrees with central differences") {
    for (const OpInfo& row : operator_table()) {
        CAPTURE(row.name);
        Rng rng(7, static_cast<std::uint64_t>(row.op));
        Expression e;
        for (std::uint32_t k = 0; k < row.arity; ++k) e.push_feature(k);
        e.push(row.op, row.arity);
        if (row.op == Op::Gamma) continue;  // has its own case
        for (std::uint32_t k = 0; k < row.arity; ++k) {
            const Expression d = derivative(e, k);
            int checked = 0;
            for (int point = 0; point < 200; ++point) {
                const double low = std::max(row.low, -4.0), high = std::min(row.high, 4.0);
                std::vector<double> x = {low + 0.01 + (high - low - 0.02) * rng.uniform(), rng.normal(), rng.normal()};
                if (std::abs(x[1]) < 0.05) continue;
                const Difference expected = difference(e, x, k, OperatorSet::builtin());
                if (!expected.reliable) continue;
                ++checked;
                CAPTURE(x);
                CHECK(std::abs(value(d, x) - expected.slope) <= 1e-6 * (1 + std::abs(expected.slope)));
            }
            CHECK(checked > 50);
        }
    }
}

TEST_CASE("the derivative of random expressions agrees with central differences") {
    OperatorSet operators;
    operators.define("inv2(x) = 1 / (1 + x * x)");
    operators.define("blend(p, q, r) = inv2(p) * q + sin(r) * p");
    std::vector<Op> ops;
    for (const OpInfo& row : operator_table()) {
        if (row.op != Op::Gamma) ops.push_back(row.op);
    }
    ops.push_back(*operators.find("inv2"));
    ops.push_back(*operators.find("blend"));
    Rng rng(11, 0);
    int checked = 0, singular = 0;
    for (int trial = 0; trial < 3000; ++trial) {
        test::RandomExpressionOptions options;
        options.max_nodes = 9;
        options.operators = ops;
        const Expression e = test::random_expression(rng, options, operators);
        std::vector<double> x = {0.3 + rng.uniform(), rng.normal(), rng.normal()};
        for (std::uint32_t k = 0; k < 3; ++k) {
            const Difference expected = difference(e, x, k, operators);
            if (!expected.reliable || std::abs(expected.slope) > 1e6) continue;
            const std::string text = to_text(e, {}, operators);
            CAPTURE(text);
            CAPTURE(x);
            CAPTURE(k);
            const Expression d = derivative(e, k, operators);
            CHECK(d.valid(operators, 3));
            const double size = std::abs(expected.slope) + 1e-3 * std::abs(value(e, x, operators)) + 1e-4;
            const double slope = value(d, x, operators);
            ++checked;
            // cbrt(relu(x)) below 0: the chain rule multiplies 0 by infinity.
            if (std::isnan(slope)) {
                ++singular;
                continue;
            }
            CHECK(std::abs(slope - expected.slope) <= 1e-4 * size);
        }
    }
    CHECK(checked > 3000);
    CHECK(singular < checked / 200);
}

TEST_CASE("a derivative is a short formula") {
    const std::vector<std::string> names = {"p", "t"};
    const auto slope = [&](const char* text) { return to_text(derivative(parse(text, names), 0), names); };
    CHECK(slope("t + 3") == "0");
    CHECK(slope("2 * p") == "2");
    CHECK(slope("p ^ 2") == "2 * p");
    CHECK(slope("abs(p - t)") == "sign(p - t)");
    CHECK(slope("where(p > t, p - t, 0)") == "ifelse(greater(p, t), 1, 0)");
    CHECK(slope("where(abs(p - t) < 20, log1p(p), p)") == "ifelse(less(abs(p - t), 20), 1 / (1 + p), 1)");
}

TEST_CASE("the branch that is not taken may be infinite") {
    const Expression e = derivative(parse("where(abs(x0) < 20, log1p(sinh(x0)), abs(x0))"), 0);
    CHECK(value(e, {800}) == 1);
    CHECK(value(e, {-800}) == -1);
}

TEST_CASE("a derivative that needs a function without an operator is refused") {
    CHECK_THROWS_WITH_AS((void)derivative(parse("gamma(x0)"), 0), doctest::Contains("digamma"), std::invalid_argument);
    CHECK(derivative(parse("x0 * gamma(x1)"), 0) == parse("gamma(x1)"));
}

TEST_CASE("a derivative that grows too large is refused") {
    OperatorSet operators;
    operators.define("f(x) = x * sin(x * cos(x * exp(x * sin(x))))");
    operators.define("g(x) = f(f(f(f(x))))");
    CHECK_THROWS_WITH_AS((void)derivative(parse("g(g(x0))", {}, operators), 0, operators), doctest::Contains("nodes"),
                         std::invalid_argument);
}

TEST_CASE("user operators are written out") {
    OperatorSet operators;
    operators.define("twice(x) = x + x");
    operators.define("four(x) = twice(twice(x))");
    CHECK(expand(parse("four(x0 * 3) - 1", {}, operators), operators) ==
          parse("((x0 * 3 + x0 * 3) + (x0 * 3 + x0 * 3)) - 1"));
}

}  // namespace
}  // namespace balmer
