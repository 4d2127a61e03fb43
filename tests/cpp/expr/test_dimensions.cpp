#include "balmer/expr/dimensions.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "random_expression.hpp"
#include "scalar_walk.hpp"

namespace balmer {
namespace {

const Dimension kNumber;
const Dimension kMetre({1, 0, 0, 0, 0, 0, 0}), kKilogram({0, 1, 0, 0, 0, 0, 0}), kSecond({0, 0, 1, 0, 0, 0, 0});
const std::vector<std::string> kNames = {"x", "r", "m", "t", "n"};  // two lengths, a mass, a time, a number

DataDimensions dimensions(Quantity target = {}, bool numbers = false) {
    return {{kMetre, kMetre, kKilogram, kSecond, kNumber}, target, numbers};
}

bool valid(const char* text, Quantity target = {}, bool numbers = false,
           const OperatorSet& operators = OperatorSet::builtin()) {
    return !dimension_violation(parse(text, kNames, operators), dimensions(target, numbers), operators);
}

const Dimension kNewton = kKilogram.times(kMetre).times(kSecond, -2);

TEST_CASE("dimensions multiply, and powers of them come back") {
    CHECK(kNewton == Dimension({1, 1, -2, 0, 0, 0, 0}));
    CHECK(kMetre.to_the(0.5).to_the(2) == kMetre);
    CHECK(kMetre.to_the(1.0 / 3).exponent(0) == doctest::Approx(1.0 / 3));
    CHECK(kMetre.to_the(1.0 / 7).to_the(7) == kMetre);
    CHECK(kMetre.times(kMetre, -1).is_number());
    CHECK(kMetre.to_the(1e300).exponent(0) > 30'000);
    CHECK(kMetre.to_the(1e300).to_the(-1e300).exponent(0) < -30'000);
}

TEST_CASE("a dimension as text") {
    CHECK(to_text(kNewton) == "m kg s^-2");
    CHECK(to_text(kMetre.to_the(0.5)) == "m^0.5");
    CHECK(to_text(kNumber) == "1");
}

TEST_CASE("powers of some dimensions make another, or none do") {
    const std::vector<Dimension> bases = {kMetre, kSecond, kMetre.times(kSecond, -2)};
    const std::vector<double> of_speed = powers_that_make(kMetre.times(kSecond, -1), {bases.data() + 1, 2}).value();
    CHECK(of_speed[0] == doctest::Approx(1));
    CHECK(of_speed[1] == doctest::Approx(1));
    CHECK(powers_that_make(kMetre.times(kSecond, -2), bases).value()[2] == 0);  // the first ones suffice
    CHECK(powers_that_make(kNumber, bases).value() == std::vector<double>{0, 0, 0});
    CHECK_FALSE(powers_that_make(kKilogram, bases));
    CHECK_FALSE(powers_that_make(kMetre, {}));
}

TEST_CASE("sums, comparisons and extrema need one dimension") {
    for (const char* good : {"x + r", "x - r", "min(x, r)", "max(x, r)", "hypot(x, r)", "mod(x, r)", "greater(x, r)",
                             "less(t, t)", "atan2(x, r)", "ifelse(t, x, r)", "cond(t, x)", "sign(m)", "abs(x) - r"}) {
        CAPTURE(good);
        CHECK(valid(good));
    }
    for (const char* bad : {"x + t", "x - m", "min(x, t)", "max(m, r)", "hypot(x, t)", "mod(x, m)", "greater(x, t)",
                            "atan2(x, t)", "ifelse(t, x, m)", "x + n", "x + x * r"}) {
        CAPTURE(bad);
        CHECK_FALSE(valid(bad));
    }
}

TEST_CASE("products and powers combine dimensions") {
    CHECK(valid("m * x / t ^ 2", kNewton));
    CHECK(valid("m * x / square(t)", kNewton));
    CHECK(valid("inv(t) * m * x * inv(t)", kNewton, true));
    CHECK(valid("sqrt(x * r) - cbrt(cube(x))", kMetre));
    CHECK(valid("x ^ 0.5 * sqrt(r) + x ^ (1 / 2) * r ^ (1 / 2)", kMetre, true));
    CHECK_FALSE(valid("m * x / t", kNewton));
    CHECK_FALSE(valid("x ^ 1.9 + x ^ 2", {}, true));
    CHECK(valid("n ^ (x / r)"));
    CHECK_FALSE(valid("n ^ x"));
    CHECK_FALSE(valid("x ^ n"));
    CHECK_FALSE(valid("x ^ (0 / 0 * n)"));
}

TEST_CASE("operands of functions are numbers") {
    for (const OpInfo& row : operator_table()) {
        if (row.units != Units::pure) continue;
        const Expression e = Expression::apply(row.op, Expression::feature(0));
        CAPTURE(row.name);
        CHECK(dimension_violation(e, dimensions(), OperatorSet::builtin()) == 1);
        CHECK_FALSE(dimension_violation(Expression::apply(row.op, Expression::feature(4)), dimensions(kNumber, true),
                                        OperatorSet::builtin()));
    }
}

TEST_CASE("a constant takes the dimension that it needs, unless constants are numbers") {
    CHECK(valid("3 * x", kSecond));
    CHECK(valid("x + 3 * t"));
    CHECK(valid("sin(2 * x) + 1", kNumber));
    CHECK(valid("x * exp(-2 * t) + 4", kMetre));
    CHECK(valid("2 + 3", kNewton));
    for (const char* text : {"3 * x", "x + 3", "sin(2 * x)"}) CHECK_FALSE(valid(text, kSecond, true));
    CHECK(valid("2 * x + r", kMetre, true));
    CHECK_FALSE(valid("2 * x + 3 * t", {}, true));
    CHECK(valid("2 * x + 3 * t"));
}

TEST_CASE("the violation is where it happens") {
    const Expression e = parse("exp(2 * t) * (x + m)", kNames);
    CHECK(dimension_violation(e, dimensions(), OperatorSet::builtin()) == 6);  // the sum
    const Expression whole = parse("x * r", kNames);
    CHECK(dimension_violation(whole, dimensions(kMetre), OperatorSet::builtin()) == whole.root());
}

TEST_CASE("features without dimension may be any, features beyond those given are numbers") {
    const OperatorSet& operators = OperatorSet::builtin();
    CHECK_FALSE(dimension_violation(parse("x0 + x1"), {{kMetre, {}}, {}}, operators));
    CHECK_FALSE(dimension_violation(parse("sin(x0)"), {{}, kNumber}, operators));
    CHECK(dimension_violation(parse("sin(x0)"), {{}, kMetre}, operators) == 1);
}

TEST_CASE("a user operator treats dimensions as its body does") {
    OperatorSet operators;
    operators.define("over(x, y) = x / y ^ 2");
    operators.define("wave(x, y) = cos(x) * y");
    operators.define("twice(x) = over(2 * x, 1)");
    CHECK(valid("over(x, t)", kMetre.times(kSecond, -2), true, operators));
    CHECK(valid("wave(n, x)", kMetre, true, operators));
    CHECK(valid("twice(x)", kMetre, true, operators));
    CHECK_FALSE(valid("wave(t, x)", {}, false, operators));
    CHECK(valid("wave(2 * t, x)", kMetre, false, operators));
}

TEST_CASE("compiled code takes numbers and gives one") {
    OperatorSet operators;
    operators.define(
        {"same", 2, [](double* out, const double* a, const double*, std::size_t n) { std::copy_n(a, n, out); }, {}});
    CHECK(valid("same(n, 2 * t) * x", kMetre, false, operators));
    CHECK_FALSE(valid("same(n, t)", {}, false, operators));
    CHECK_FALSE(valid("same(n, 2 * n) * x", kNumber, true, operators));
}

TEST_CASE("the dimensions of constants follow from the whole") {
    const auto of = [](const char* text, Quantity target) {
        return dimensions_of_constants(parse(text, kNames), dimensions(target), OperatorSet::builtin());
    };
    const Dimension wave_number = kMetre.to_the(-1);
    CHECK(of("6.7 * m * m / r ^ 2", kNewton) ==
          std::vector<Quantity>{kNewton.times(kMetre, 2).times(kKilogram, -2), kNumber});
    CHECK(of("3 * sin(2 * x) + 4", kSecond) == std::vector<Quantity>{kSecond, wave_number, kSecond});
    CHECK(of("3 / x", kSecond) == std::vector<Quantity>{kSecond.times(kMetre)});
    CHECK(of("x / 3", kSecond) == std::vector<Quantity>{kMetre.times(kSecond, -1)});
    CHECK(of("sqrt(3 * x)", kSecond) == std::vector<Quantity>{kSecond.to_the(2).times(kMetre, -1)});
    CHECK(of("ifelse(greater(t, 3), x, 5)", kMetre) == std::vector<Quantity>{kSecond, kMetre});
    CHECK(of("3 * x", {}) == std::vector<Quantity>{{}});
    CHECK(of("3 * sqrt(4 * x)", kSecond) == std::vector<Quantity>{{}, {}});
}

/// The factor that a change of the units of length, mass and time gives a quantity; exact, if roots are.
double factor(const Dimension& dimension) {
    constexpr double kChange[] = {0x1p12, 0x1p-18, 0x1p24};
    double result = 1;
    for (std::size_t k = 0; k < 3; ++k) result *= std::pow(kChange[k], dimension.exponent(k));
    return result;
}

/// Checks that the formula means the same in all units: its value changes as its dimension says.
bool means_the_same(const Expression& e, const DataDimensions& data, const std::vector<Quantity>& constants,
                    const Dimension& whole, Rng& rng, const OperatorSet& operators) {
    std::vector<double> here, there;
    for (const Quantity& feature : data.features) {
        here.push_back(rng.normal());
        there.push_back(here.back() * factor(*feature));
    }
    Expression changed = e;
    for (std::size_t k = 0; k < constants.size(); ++k) changed.constants[k] *= factor(*constants[k]);
    const auto a = test::walk(e, here, operators), b = test::walk(changed, there, operators);
    if (a.saw_infinity || b.saw_infinity || !std::isfinite(a.value)) return true;
    const double expected = a.value * factor(whole);
    return std::abs(b.value - expected) <= 1e-9 * std::abs(expected) || std::abs(a.value) < 1e-9;
}

/// Whether powers have exponents whose inverses are no rounded ones: halves of 1, 2, 3, 4 and 6.
bool has_simple_powers(const Expression& e) {
    for (std::size_t i = 0; i < e.size(); ++i) {
        if (e.nodes[i].op != Op::Pow) continue;
        const Node& exponent = e.nodes[i - 1];
        if (exponent.op != Op::Constant) return false;
        const double twice = 2 * std::abs(e.constants[exponent.index]);
        if (twice != std::floor(twice) || twice > 6 || twice == 5) return false;
    }
    return true;
}

TEST_CASE("random valid formulas mean the same in all units") {
    OperatorSet operators;
    operators.define("over(x, y) = x / y ^ 2 + abs(x * y ^ -2)");
    test::RandomExpressionOptions random;
    random.max_nodes = 12;
    random.n_features = 5;
    random.constants = test::Constants::dyadic;
    for (const OpInfo& row : operator_table()) {
        // What depends on the unit of length that a number is rounded in.
        if (row.op != Op::Round && row.op != Op::Floor && row.op != Op::Ceil) random.operators.push_back(row.op);
    }
    random.operators.push_back(static_cast<Op>(kFirstUserOp));
    Rng rng(11, 5);
    int checked = 0;
    for (const bool numbers : {true, false}) {
        for (int k = 0; k < 60'000; ++k) {
            const Expression e = random_expression(rng, random, operators);
            DataDimensions data = dimensions({}, numbers);
            if (!has_simple_powers(e) || dimension_violation(e, data, operators)) continue;
            // A dimension that the formula has: some are wrong for it.
            for (const Dimension& target : {kMetre, kSecond, kNumber, kMetre.to_the(2), kMetre.times(kSecond, -1)}) {
                data.target = target;
                if (dimension_violation(e, data, operators)) continue;
                const std::vector<Quantity> constants = dimensions_of_constants(e, data, operators);
                if (std::ranges::any_of(constants, [](const Quantity& q) { return !q; })) continue;
                CAPTURE(to_text(e, kNames, operators));
                CHECK(means_the_same(e, data, constants, target, rng, operators));
                ++checked;
            }
        }
    }
    CHECK(checked > 5'000);
}

}  // namespace
}  // namespace balmer
