// Interval arithmetic against values at points of the box.
#include "expr/interval.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "expr/scalar_walk.hpp"
#include "random_expression.hpp"
#include "sanitized.hpp"

using namespace balmer;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Enclosure of(std::string_view text, std::initializer_list<Interval> box, const OperatorSet& operators = OperatorSet()) {
    const std::vector<std::string> names = {"x", "y", "z"};
    return enclose(parse(text, names, operators), std::vector<Interval>(box), operators);
}

void check(const Enclosure& e, double low, double high, std::size_t at_risk = 0) {
    const auto same = [](double a, double b) { return a == b || a == doctest::Approx(b); };
    CHECK_MESSAGE(same(e.values.low, low), e.values.low);
    CHECK_MESSAGE(same(e.values.high, high), e.values.high);
    CHECK(e.at_risk == at_risk);
}

}  // namespace

TEST_CASE("intervals of each kind of operation") {
    check(of("x + 2 * y", {{1, 2}, {-1, 3}}), -1, 8);
    check(of("x * y - y", {{-1, 2}, {-3, 4}}), -10, 11);
    check(of("x / y", {{1, 2}, {4, 8}}), 0.125, 0.5);
    check(of("x ^ 2", {{-1, 2}}), 0, 4);
    check(of("x ^ 3", {{-1, 2}}), -1, 8);
    check(of("x ^ -2", {{2, 4}}), 0.0625, 0.25);
    check(of("x ^ 0.5", {{4, 9}}), 2, 3);
    check(of("x ^ y", {{0.5, 2}, {-1, 3}}), 0.125, 8);
    check(of("square(x) + abs(y) + cosh(z)", {{-3, 1}, {-2, -1}, {0, 0}}), 2, 12);
    check(of("acos(x)", {{-1, 1}}), 0, 3.141592653589793);
    check(of("sin(x)", {{0, 3}}), 0, 1);
    check(of("cos(x)", {{1, 4}}), -1, std::cos(1.0));
    check(of("sin(x)", {{-100, 100}}), -1, 1);
    check(of("tan(x)", {{-1, 1}}), std::tan(-1.0), std::tan(1.0));
    check(of("gamma(x)", {{1, 3}}), 0.8856031944108887, 2);
    check(of("hypot(x, y)", {{-3, 1}, {4, 5}}), 4, std::sqrt(34.0));
    check(of("mod(x, y)", {{-9, 9}, {2, 3}}), 0, 3);
    check(of("min(x, y) + max(x, z)", {{0, 4}, {1, 2}, {3, 9}}), 3, 11);
    check(of("ifelse(x, y, z)", {{0, 1}, {2, 3}, {7, 8}}), 2, 8);
    check(of("greater(x, y)", {{0, 1}, {2, 3}}), 0, 1);
    check(of("exp(x)", {{-kInf, 0}}), 0, 1);
    check(of("x - x", {{-kInf, kInf}}), -kInf, kInf);
}

TEST_CASE("operations that may have no finite value are counted") {
    check(of("1 / x", {{-1, 2}}), -kInf, kInf, 1);
    check(of("inv(x)", {{0, 2}}), 0.5, kInf, 1);
    check(of("log(x)", {{-1, 2}}), -kInf, std::log(2.0), 1);
    check(of("log(square(x))", {{-1, 2}}), -kInf, std::log(4.0), 1);
    check(of("sqrt(x)", {{-1, 4}}), 0, 2, 1);
    check(of("sqrt(square(x))", {{-1, 4}}), 0, 4, 0);
    check(of("asin(x) + acosh(y)", {{0, 2}, {0, 1}}), 0, 1.5707963267948966, 2);
    check(of("exp(x)", {{0, 1000}}), 1, kInf, 1);
    CHECK(of("tan(x)", {{1, 2}}).at_risk == 1);
    CHECK(of("gamma(x)", {{-0.5, 2}}).at_risk == 1);
    CHECK(of("x ^ -1", {{-1, 1}}).at_risk == 1);
    CHECK(of("x ^ 0.5", {{-1, 1}}).at_risk == 1);
    CHECK(of("x ^ y", {{-1, 1}, {1, 2}}).at_risk == 1);
    CHECK(of("mod(x, y)", {{1, 2}, {-1, 1}}).at_risk == 1);
    CHECK_THROWS_AS((void)of("x + y", {{0, 1}}), std::invalid_argument);
}

TEST_CASE("operators of the user's own") {
    OperatorSet operators;
    operators.define("ratio(x, y) = x / (y - 1) / (y - 2)");
    const auto code = [](double* out, const double* a, const double*, std::size_t n) { std::copy_n(a, n, out); };
    operators.define({.name = "code", .arity = 1, .value = code, .derivatives = {}});
    check(of("ratio(x, y)", {{1, 2}, {3, 5}}, operators), 1.0 / 12, 1, 0);
    CHECK(of("ratio(x, y)", {{1, 2}, {0, 5}}, operators).at_risk == 1);
    check(of("code(x)", {{1, 2}}, operators), -kInf, kInf, 0);
}

TEST_CASE("values are in the interval, and finite where nothing is at risk") {
    Rng rng(17, 0);
    const OperatorSet operators;
    int bounded = 0, safe = 0;
    constexpr int kTrials = test::repeats(20000, 1000);
    for (int trial = 0; trial < kTrials; ++trial) {
        const Expression e = test::random_expression(rng, {.max_nodes = 12, .n_features = 2});
        std::array<Interval, 2> box;
        for (Interval& side : box) {
            side.low = 3 * rng.normal();
            side.high = side.low + 4 * rng.uniform();
        }
        const Enclosure enclosure = enclose(e, box, operators);
        const double low = enclosure.values.low, high = enclosure.values.high;
        bounded += std::isfinite(low) || std::isfinite(high) ? 1 : 0;
        safe += enclosure.at_risk == 0 ? 1 : 0;
        for (int point = 0; point < 10; ++point) {
            std::array<double, 2> x;
            for (std::size_t j = 0; j < 2; ++j) x[j] = box[j].low + rng.uniform() * (box[j].high - box[j].low);
            const auto walked = test::walk(e, x, operators);
            const double value = walked.value;  // Clang 16 hands no structured binding to the lambda of INFO
            // How much rounding may do to the value, and to the ends of the interval.
            double slack = 1e-9 * (1 + std::abs(value));
            for (int k = 0; k < 4; ++k) {
                slack = std::max(slack, 100 * std::abs(test::walk(e, x, operators, 1e-12, &rng).value - value));
            }
            INFO(to_text(e));
            INFO(x[0] << ", " << x[1] << ": " << value << " in " << low << ", " << high);
            if (enclosure.at_risk == 0 && std::isfinite(low) && std::isfinite(high)) CHECK(std::isfinite(value));
            if (walked.saw_infinity || !std::isfinite(value) || !std::isfinite(slack)) continue;
            CHECK(value >= low - slack);
            CHECK(value <= high + slack);
        }
    }
    CHECK(bounded > kTrials / 4);
    CHECK(safe > kTrials / 7);
}
