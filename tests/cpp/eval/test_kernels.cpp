// The kernels of every instruction set: the same bits on each, derivatives that are the slopes of the values, sums in
// the promised order.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/eval/isa.hpp"
#include "balmer/expr/op.hpp"
#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"

namespace {

using balmer::Op;
using balmer::eval::Derivative;
using balmer::eval::FlushSubnormals;
using balmer::eval::Form;
using balmer::eval::kDerivative;
using balmer::eval::Kernels;
using balmer::eval::kernels_of;
using balmer::eval::KernelTable;
using balmer::eval::kSumLanes;
using balmer::eval::kTableRows;

struct Row {
    std::string_view name;
    int arity;
};

constexpr std::array<Row, kTableRows> kRows = {{
#define BALMER_OP(id, names, arity, ...) {#id, arity},
#include "balmer/expr/operators.def"
#undef BALMER_OP
}};

/// The tables of all sets that this machine runs, best first; the choice in use is as it was.
std::vector<const KernelTable*> all_tables() {
    const std::string before(balmer::isa());
    std::vector<const KernelTable*> tables;
    for (const std::string_view name : balmer::available_isas()) {
        balmer::force_isa(name);
        tables.push_back(&balmer::eval::kernels());
    }
    balmer::force_isa(before);
    return tables;
}

/// NaN equals NaN, whatever its sign and payload; 0 and -0 differ.
template <class T>
bool same_bits(T x, T y) {
    return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof(T)) == 0;
}

/// The first place where the two differ, or n.
template <class T>
std::size_t first_difference(const std::vector<T>& x, const std::vector<T>& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!same_bits(x[i], y[i])) return i;
    }
    return x.size();
}

/// All pairs of special values, then numbers of every size and of the sizes that formulas meet; a multiple of 16.
template <class T>
struct Arguments {
    std::vector<T> a, b, c;

    explicit Arguments(std::size_t count) {
        using limits = std::numeric_limits<T>;
        const T special[] = {T(0),
                             T(-0.0),
                             T(1),
                             T(-1),
                             T(0.5),
                             T(-0.5),
                             T(2),
                             T(-2),
                             T(2.5),
                             T(-2.5),
                             T(3),
                             T(-3),
                             T(10),
                             T(100),
                             T(-100),
                             T(1e10),
                             T(-1e10),
                             T(1e22),
                             T(1e-30),
                             limits::infinity(),
                             -limits::infinity(),
                             limits::quiet_NaN(),
                             limits::max(),
                             -limits::max(),
                             limits::min(),
                             -limits::min(),
                             limits::denorm_min(),
                             -limits::denorm_min(),
                             T(1) - limits::epsilon() / 2,
                             -(T(1) - limits::epsilon() / 2),
                             T(1) + limits::epsilon()};
        for (const T x : special) {
            for (const T y : special) push(x, y);
        }
        std::mt19937_64 random(20250101);
        for (std::size_t i = 0; i < count; ++i) push(number(random, i % 6), number(random, (i / 6) % 6));
        while (a.size() % kSumLanes != 0) push(1, 1);
    }

   private:
    void push(T x, T y) {
        a.push_back(x);
        b.push_back(y);
        c.push_back(x - y);
    }

    static T number(std::mt19937_64& random, std::size_t kind) {
        std::uniform_real_distribution<double> unit(-1, 1);
        const double u = unit(random), v = unit(random);
        const double exponents = std::numeric_limits<T>::max_exponent - 2;
        switch (kind) {
            case 0:
                return static_cast<T>(u);
            case 1:
                return static_cast<T>(30 * u);
            case 2:
                return static_cast<T>(std::ldexp(u, static_cast<int>(exponents * v)));
            case 3:
                return static_cast<T>(0.7 * exponents * u);
            case 4:
                return static_cast<T>(1 + std::ldexp(u, static_cast<int>(-30 * std::abs(v))));
            default:
                return static_cast<T>(std::ldexp(u, static_cast<int>(20 * v)));
        }
    }
};

template <class T>
std::vector<T> forward(const KernelTable& table, std::size_t row, Form form, const Arguments<T>& x) {
    const FlushSubnormals flush(table);
    std::vector<T> y(x.a.size());
    kernels_of<T>(table).forward[row][form](y.data(), x.a.data(), x.b.data(), x.c.data(), y.size());
    return y;
}

template <class T>
std::vector<T> backward(const KernelTable& table, std::size_t row, std::size_t operand, Form form,
                        const Arguments<T>& x, const std::vector<T>& g, const std::vector<T>& y) {
    const FlushSubnormals flush(table);
    std::vector<T> out(x.a.size());
    kernels_of<T>(table).backward[row][operand][form](out.data(), g.data(), x.a.data(), x.b.data(), x.c.data(),
                                                      y.data(), out.size());
    return out;
}

TEST_CASE_TEMPLATE("values and derivatives are the same bits on every instruction set", T, float, double) {
    const std::vector<const KernelTable*> tables = all_tables();
    const KernelTable& baseline = *tables.back();
    const Arguments<T> x(100'000);
    const std::vector<T>& g = x.b;
    for (std::size_t row = 0; row < kTableRows; ++row) {
        for (const Form form : {Form::vv, Form::vs, Form::sv}) {
            CAPTURE(std::string(kRows[row].name));
            CAPTURE(static_cast<int>(form));
            if ((form != Form::vv) && kRows[row].arity != 2) {
                CHECK_FALSE(static_cast<bool>(kernels_of<T>(baseline).forward[row][form]));
                continue;
            }
            const std::vector<T> expected = forward(baseline, row, form, x);
            for (const KernelTable* table : tables) {
                const std::size_t i = first_difference(forward(*table, row, form, x), expected);
                INFO(table->isa << " at " << i << " of " << expected.size());
                CHECK(i == expected.size());
            }
            for (std::size_t operand = 0; operand < 3; ++operand) {
                const bool general = kDerivative[row][operand] == Derivative::general;
                CHECK((kernels_of<T>(baseline).backward[row][operand][form] != nullptr) == general);
                if (!general) continue;
                const std::vector<T> slopes = backward(baseline, row, operand, form, x, g, expected);
                for (const KernelTable* table : tables) {
                    const std::size_t i =
                        first_difference(backward(*table, row, operand, form, x, g, expected), slopes);
                    INFO(table->isa << " operand " << operand << " at " << i << " of " << slopes.size());
                    CHECK(i == slopes.size());
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("a single operand gives what an array full of it gives", T, float, double) {
    const KernelTable& table = balmer::eval::kernels();
    for (const T single : {T(0.75), T(-3), T(0), std::numeric_limits<T>::infinity()}) {
        Arguments<T> x(1'000);
        Arguments<T> left = x, right = x;
        left.a.assign(x.a.size(), single);
        right.b.assign(x.b.size(), single);
        for (std::size_t row = 0; row < kTableRows; ++row) {
            if (kRows[row].arity != 2) continue;
            CAPTURE(std::string(kRows[row].name));
            Arguments<T> one = x;
            one.a[0] = single;
            CHECK(first_difference(forward(table, row, Form::sv, one), forward(table, row, Form::vv, left)) ==
                  x.a.size());
            one = x;
            one.b[0] = single;
            CHECK(first_difference(forward(table, row, Form::vs, one), forward(table, row, Form::vv, right)) ==
                  x.a.size());
        }
    }
}

TEST_CASE_TEMPLATE("a chain gives the bits of its operations one after the other", T, float, double) {
    using namespace balmer::eval;
    const Arguments<T> x(1'000);
    const auto check = [&](const KernelTable& table, Chained chained, std::size_t f, std::size_t g, Form form,
                           bool single) {
        const FlushSubnormals flush(table);
        const std::vector<T> inner = forward(table, kArithmetic.row[f], form, x);
        const bool first = chained == first_operand;
        Arguments<T> second = x;
        (first ? second.a : second.b) = inner;
        (first ? second.b : second.a) = x.c;
        const Form second_form = !single ? vv : first ? vs : sv;
        std::vector<T> y(x.a.size());
        kernels_of<T>(table).chain[chained][f][g][form][single](y.data(), x.a.data(), x.b.data(), x.c.data(), y.size());
        CHECK(first_difference(y, forward(table, kArithmetic.row[g], second_form, second)) == y.size());
    };
    for (const KernelTable* const table : all_tables()) {
        CAPTURE(std::string(table->isa));
        for (std::size_t pair = 0; pair < kArithmeticRows * kArithmeticRows; ++pair) {
            for (const Form form : {vv, vs, sv}) {
                for (const Chained chained : {first_operand, second_operand}) {
                    check(*table, chained, pair / kArithmeticRows, pair % kArithmeticRows, form, false);
                    check(*table, chained, pair / kArithmeticRows, pair % kArithmeticRows, form, true);
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("a lane does not depend on its neighbours", T, float, double) {
    const KernelTable& table = balmer::eval::kernels();
    const Arguments<T> x(3'000);
    Arguments<T> turned = x;
    for (std::vector<T>* v : {&turned.a, &turned.b, &turned.c}) std::rotate(v->begin(), v->begin() + 5, v->end());
    for (std::size_t row = 0; row < kTableRows; ++row) {
        CAPTURE(std::string(kRows[row].name));
        std::vector<T> expected = forward(table, row, Form::vv, x);
        std::rotate(expected.begin(), expected.begin() + 5, expected.end());
        CHECK(first_difference(forward(table, row, Form::vv, turned), expected) == expected.size());
    }
}

TEST_CASE_TEMPLATE("the result may take the place of an operand", T, float, double) {
    for (const KernelTable* table : all_tables()) {
        const FlushSubnormals flush(*table);
        for (std::size_t row = 0; row < kTableRows; ++row) {
            CAPTURE(std::string(kRows[row].name));
            Arguments<T> x(500);
            const std::vector<T> expected = forward(*table, row, Form::vv, x);
            kernels_of<T>(*table).forward[row][Form::vv](x.a.data(), x.a.data(), x.b.data(), x.c.data(), x.a.size());
            CHECK(first_difference(x.a, expected) == expected.size());
        }
    }
}

TEST_CASE_TEMPLATE("fill, copy, negate and add", T, float, double) {
    const Arguments<T> x(1'000);
    const std::size_t n = x.a.size();
    for (const KernelTable* table : all_tables()) {
        const Kernels<T>& kernels = kernels_of<T>(*table);
        std::vector<T> y(n), expected(n);
        const T value = T(-2.25);
        kernels.fill(y.data(), &value, nullptr, nullptr, n);
        CHECK(y == std::vector<T>(n, value));
        kernels.copy(y.data(), x.a.data(), nullptr, nullptr, n);
        CHECK(first_difference(y, x.a) == n);
        kernels.negate(y.data(), x.a.data(), nullptr, nullptr, n);
        for (std::size_t i = 0; i < n; ++i) expected[i] = -x.a[i];
        CHECK(first_difference(y, expected) == n);
        kernels.add(y.data(), x.a.data(), x.b.data(), nullptr, n);
        for (std::size_t i = 0; i < n; ++i) expected[i] = x.a[i] + x.b[i];
        CHECK(first_difference(y, expected) == n);
    }
}

TEST_CASE("apply gives the bits of the kernels, with subnormal results as 0") {
    const Arguments<double> x(20'000);
    const KernelTable& table = balmer::eval::kernels();
    for (std::size_t row = 0; row < kTableRows; ++row) {
        CAPTURE(std::string(kRows[row].name));
        const std::vector<double> y = forward(table, row, Form::vv, x);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double expected = std::fpclassify(y[i]) == FP_SUBNORMAL ? std::copysign(0.0, y[i]) : y[i];
            const Op op = static_cast<Op>(balmer::kFirstOp + row);
            if (!same_bits(balmer::apply(op, x.a[i], x.b[i], x.c[i]), expected)) ++wrong;
        }
        CHECK(wrong == 0);
    }
}

/// Numbers at which the operators are smooth and not steep: b is away from 0, and positive so that it can be a power.
Arguments<double> smooth_arguments(Op op, std::size_t n) {
    Arguments<double> x(0);
    const double low = std::max(balmer::info(op).low, -3.0), high = std::min(balmer::info(op).high, 4.0);
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> inside(low + 0.02 * (high - low), high - 0.02 * (high - low)), other(0.3, 3);
    x.a.resize(n);
    x.b.resize(n);
    x.c.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
        x.a[i] = inside(random);
        x.b[i] = other(random) * (op == Op::Pow || i % 2 == 0 ? 1 : -1);
        x.c[i] = other(random);
    }
    return x;
}

TEST_CASE("derivatives are the slopes of the values") {
    constexpr double kStep = 1e-5;
    const KernelTable& table = balmer::eval::kernels();
    for (std::size_t row = 0; row < kTableRows; ++row) {
        const Op op = static_cast<Op>(balmer::kFirstOp + row);
        const Arguments<double> x = smooth_arguments(op, 512);
        const std::vector<double> y = forward(table, row, Form::vv, x), g(x.a.size(), 2.0);
        for (std::size_t operand = 0; operand < static_cast<std::size_t>(kRows[row].arity); ++operand) {
            CAPTURE(std::string(kRows[row].name));
            CAPTURE(operand);
            Arguments<double> up = x, down = x;
            std::vector<double>& moved_up = operand == 0 ? up.a : operand == 1 ? up.b : up.c;
            std::vector<double>& moved_down = operand == 0 ? down.a : operand == 1 ? down.b : down.c;
            for (double& value : moved_up) value += kStep;
            for (double& value : moved_down) value -= kStep;
            const std::vector<double> above = forward(table, row, Form::vv, up),
                                      below = forward(table, row, Form::vv, down);
            std::vector<double> slope(x.a.size());
            switch (kDerivative[row][operand]) {
                case Derivative::zero:
                    break;
                case Derivative::one:
                    slope.assign(slope.size(), 2.0);
                    break;
                case Derivative::minus_one:
                    slope.assign(slope.size(), -2.0);
                    break;
                case Derivative::general:
                    slope = backward(table, row, operand, Form::vv, x, g, y);
                    break;
            }
            std::size_t checked = 0;
            for (std::size_t i = 0; i < y.size(); ++i) {
                const double right = (above[i] - y[i]) / kStep, left = (y[i] - below[i]) / kStep;
                const double size = 1 + std::abs(left) + std::abs(y[i]);
                // Not at a jump, a kink, the edge of the domain or beside a pole
                if (!(std::abs(right - left) < 1e-2 * size) || size > 1e3) continue;
                ++checked;
                // Third order of the step (up to 1e-10 times a third derivative of some thousands) and rounding / step.
                CHECK(std::abs(0.5 * slope[i] - 0.5 * (left + right)) < 1e-6 * size);
            }
            CHECK(checked > y.size() / 2);
        }
    }
}

/// The value that the header promises, one row at a time.
template <class T>
void add_squared_error(const std::vector<T>& p, const std::vector<T>& y, const std::vector<T>& w, std::size_t n,
                       double* lanes) {
    for (std::size_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(y[i]) - static_cast<double>(p[i]);
        const double weighted = w.empty() ? d : static_cast<double>(w[i]) * d;
        lanes[i % kSumLanes] = std::fma(weighted, d, lanes[i % kSumLanes]);
    }
}

template <class T>
std::vector<T> random_column(std::mt19937_64& random, std::size_t n) {
    std::normal_distribution<double> normal;
    std::vector<T> column(n);
    for (T& value : column) value = static_cast<T>(normal(random));
    return column;
}

/// y - p, with zeros up to a whole turn.
template <class T>
std::vector<double> residual_of(const std::vector<T>& p, const std::vector<T>& y, std::size_t n) {
    std::vector<double> residual((n + kSumLanes - 1) / kSumLanes * kSumLanes);
    for (std::size_t i = 0; i < n; ++i) residual[i] = static_cast<double>(y[i]) - static_cast<double>(p[i]);
    return residual;
}

TEST_CASE_TEMPLATE("squared errors add up in 16 lanes, in the order of the rows", T, float, double) {
    std::mt19937_64 random(3);
    for (const std::size_t n : {std::size_t(0), std::size_t(1), std::size_t(15), std::size_t(16), std::size_t(17),
                                std::size_t(100), std::size_t(1000)}) {
        const std::vector<T> p = random_column<T>(random, n), y = random_column<T>(random, n),
                             w = random_column<T>(random, n);
        for (const bool weighted : {false, true}) {
            std::array<double, kSumLanes> expected{};
            expected[3] = 0.125;  // sums go on from what is there
            const std::vector<T> weights = weighted ? w : std::vector<T>{};
            add_squared_error(p, y, weights, n, expected.data());
            for (const KernelTable* table : all_tables()) {
                CAPTURE(table->isa);
                CAPTURE(n);
                std::array<double, kSumLanes> lanes{};
                lanes[3] = 0.125;
                kernels_of<T>(*table).squared_error(p.data(), y.data(), weighted ? w.data() : nullptr, n, lanes.data());
                CHECK(lanes == expected);
                lanes.fill(0);
                lanes[3] = 0.125;
                std::vector<double> r((n + kSumLanes - 1) / kSumLanes * kSumLanes, 7.0);
                kernels_of<T>(*table).residuals(p.data(), y.data(), weighted ? w.data() : nullptr, n, r.data(),
                                                lanes.data());
                CHECK(lanes == expected);
                CHECK(r == residual_of(p, y, n));
            }
        }
    }
}

TEST_CASE("products of columns are rounded before they are added or subtracted, for any number of rows") {
    std::mt19937_64 random(5);
    for (const std::size_t n : {std::size_t(0), std::size_t(1), std::size_t(15), std::size_t(16), std::size_t(17),
                                std::size_t(100), std::size_t(1000)}) {
        const std::vector<double> a = random_column<double>(random, n), b = random_column<double>(random, n);
        std::array<double, kSumLanes> sums{};
        std::vector<double> difference = b;
        for (std::size_t i = 0; i < n; ++i) {
            const double product = a[i] * b[i], part = 0.3 * a[i];
            sums[i % kSumLanes] += product;
            difference[i] -= part;
        }
        for (const KernelTable* table : all_tables()) {
            CAPTURE(table->isa);
            CAPTURE(n);
            std::array<double, kSumLanes> lanes;
            lanes.fill(7);  // overwritten
            table->dot(a.data(), b.data(), n, lanes.data());
            CHECK(lanes == sums);
            std::vector<double> y = b;
            table->subtract_multiple(y.data(), 0.3, a.data(), n);
            CHECK(y == difference);
        }
    }
}

TEST_CASE("the logarithm of one number has the bits of the operator on every set") {
    for (const double x : Arguments<double>(4096).a) {
        for (const KernelTable* table : all_tables()) {
            CAPTURE(table->isa);
            CAPTURE(x);
            CHECK(same_bits(table->log(x), balmer::apply(Op::Log, x)));
        }
    }
}

TEST_CASE_TEMPLATE("normal equations have each product in its place, the same bits on every set", T, float, double) {
    std::mt19937_64 random(4);
    for (std::size_t k_count = 0; k_count <= 11; ++k_count) {
        for (const std::size_t n :
             {std::size_t(1), std::size_t(16), std::size_t(37), std::size_t(512), std::size_t(1100)}) {
            std::vector<std::vector<T>> columns;
            std::vector<const T*> J;
            for (std::size_t k = 0; k < k_count; ++k) columns.push_back(random_column<T>(random, n));
            for (const std::vector<T>& column : columns) J.push_back(column.data());
            const std::vector<T> p = random_column<T>(random, n), y = random_column<T>(random, n),
                                 w = random_column<T>(random, n);
            for (const bool weighted : {false, true}) {
                const std::vector<double> residual = residual_of(p, y, n);
                const std::size_t products = k_count * (k_count + 1) / 2 + k_count;
                std::vector<double> expected(products * kSumLanes, 0.5);
                for (std::size_t k = 0; k <= k_count; ++k) {
                    for (std::size_t l = 0; l <= k && l < k_count; ++l) {
                        for (std::size_t i = 0; i < n; ++i) {
                            const double left = k == k_count ? residual[i] : static_cast<double>(columns[k][i]);
                            const double right = static_cast<double>(columns[l][i]);
                            double& lane = expected[(k * (k + 1) / 2 + l) * kSumLanes + i % kSumLanes];
                            lane = std::fma(weighted ? static_cast<double>(w[i]) * left : left, right, lane);
                        }
                    }
                }
                for (const KernelTable* table : all_tables()) {
                    CAPTURE(table->isa);
                    CAPTURE(k_count);
                    CAPTURE(n);
                    std::vector<double> lanes(products * kSumLanes, 0.5);
                    kernels_of<T>(*table).normal_equations(J.data(), k_count, residual.data(),
                                                           weighted ? w.data() : nullptr, n, lanes.data());
                    CHECK(lanes == expected);
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("one value that is not finite is found wherever it stands", T, float, double) {
    constexpr T kInf = std::numeric_limits<T>::infinity(), kNan = std::numeric_limits<T>::quiet_NaN();
    constexpr T kMax = std::numeric_limits<T>::max(), kMin = std::numeric_limits<T>::min();
    for (const KernelTable* table : all_tables()) {
        const Kernels<T>& kernels = kernels_of<T>(*table);
        INFO(std::string(table->isa));
        std::size_t wrong = 0;
        for (std::size_t n = 1; n <= 150; ++n) {
            std::vector<T> values(n + 1);
            for (std::size_t i = 0; i < n; ++i) values[i] = i % 4 == 0 ? kMax : i % 4 == 1 ? -kMin : T(i % 4 - 2);
            values[n] = kNan;  // one past the last: nobody looks
            wrong += !kernels.all_finite(values.data(), n);
            for (std::size_t i = 0; i < n; ++i) {
                const T kept = values[i];
                for (const T bad : {kInf, -kInf, kNan}) {
                    values[i] = bad;
                    wrong += kernels.all_finite(values.data(), n);
                }
                values[i] = kept;
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE_TEMPLATE("the rows that are not finite, and those out of range, are marked and no others", T, float, double) {
    constexpr T kInf = std::numeric_limits<T>::infinity(), kNan = std::numeric_limits<T>::quiet_NaN();
    constexpr T kMax = std::numeric_limits<T>::max(), kMin = std::numeric_limits<T>::min();
    constexpr T kValues[] = {kInf, T(1), T(0), kNan, -kMax, -kInf, -T(0), kMin};
    for (const KernelTable* table : all_tables()) {
        const Kernels<T>& kernels = kernels_of<T>(*table);
        INFO(std::string(table->isa));
        for (const std::size_t n : {16, 48, 512}) {
            std::vector<T> values;
            for (std::size_t i = 0; i < n; ++i) values.push_back(kValues[(i * i + i / 7) % 8]);
            std::vector<std::uint16_t> not_finite(n / 16, 0), out_of_range(n / 16, 2);  // row 1 of 16 is marked already
            kernels.mark_not_finite(values.data(), n, not_finite.data());
            kernels.mark_out_of_range(values.data(), n, out_of_range.data());
            for (std::size_t i = 0; i < n; ++i) {
                CHECK((not_finite[i / 16] >> i % 16 & 1) == !std::isfinite(values[i]));
                CHECK((out_of_range[i / 16] >> i % 16 & 1) == (values[i] == 0 || std::isinf(values[i]) || i % 16 == 1));
            }
        }
    }
}

TEST_CASE("subnormal numbers count as zero only between enter_fp and restore_fp") {
    volatile double tiny = 1e-310;
    for (const KernelTable* table : all_tables()) {
        CAPTURE(table->isa);
        CHECK(tiny * 2 != 0);
        {
            const FlushSubnormals flush(*table);
            const double small = 1e-200;
            Arguments<double> x(0);
            x.a.assign(16, small);
            x.b.assign(16, small * 1e-109);
            std::vector<double> y(16, 1.0);
            table->f64.forward[static_cast<std::size_t>(Op::Mul) - balmer::kFirstOp][Form::vv](y.data(), x.a.data(),
                                                                                               x.b.data(), nullptr, 16);
            CHECK(y == std::vector<double>(16, 0.0));
        }
        CHECK(tiny * 2 != 0);
    }
}

TEST_CASE("a forced instruction set is the one in use") {
    const std::string before(balmer::isa());
    CHECK(balmer::available_isas().back() == "baseline");
    for (const std::string_view name : balmer::available_isas()) {
        balmer::force_isa(name);
        CHECK(balmer::isa() == name);
        CHECK(balmer::eval::kernels().isa == name);
    }
    balmer::force_isa(before);
    CHECK_THROWS_AS(balmer::force_isa("x86-64-v9"), std::invalid_argument);
    CHECK_THROWS_WITH(balmer::force_isa("mmx"), doctest::Contains("'mmx'"));
    CHECK(balmer::isa() == before);
}

}  // namespace
