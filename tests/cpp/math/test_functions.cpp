// The functions against long double ones, whose 64 bits leave errors of 2^-11 ULP: worst errors and special values.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "balmer/expr/op.hpp"
#include "eval/dispatch.hpp"
#include "eval/kernel_table.hpp"

namespace {

using balmer::Op;
using balmer::eval::FlushSubnormals;
using balmer::eval::kernels_of;
using balmer::eval::KernelTable;
using balmer::eval::kSumLanes;
using Long = long double;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> values(Op op, std::vector<T> a, std::vector<T> b) {
    const std::size_t n = a.size();
    while (a.size() % kSumLanes != 0) {
        a.push_back(1);
        b.push_back(1);
    }
    const KernelTable& table = balmer::eval::kernels();
    const FlushSubnormals flush(table);
    std::vector<T> y(a.size());
    const std::size_t row = static_cast<std::size_t>(op) - balmer::kFirstOp;
    kernels_of<T>(table).forward[row][0](y.data(), a.data(), b.data(), b.data(), y.size());
    y.resize(n);
    return y;
}

/// Distance from the true value in units of the last place of that; below the smallest normal number in units there.
template <class T>
double ulps(T got, Long expected) {
    using limits = std::numeric_limits<T>;
    if (std::isnan(expected)) return std::isnan(got) ? 0 : kInf;
    const Long largest = limits::max();
    if (got == expected) return 0;
    if (std::isinf(got)) return (std::abs(expected) >= largest && (got > 0) == (expected > 0)) ? 0 : kInf;
    if (std::isinf(expected)) return kInf;
    if (std::abs(expected) < Long(limits::min())) return std::abs(got) <= limits::min() ? 0 : kInf;
    // A result just above the smallest normal number may have been below before its last rounding.
    if (got == 0) return std::abs(expected) <= Long(limits::min()) * (1 + 4 * Long(limits::epsilon())) ? 1 : kInf;
    int exponent = 0;
    std::frexp(expected, &exponent);
    return static_cast<double>(std::abs(Long(got) - expected) / std::ldexp(Long(1), exponent - limits::digits));
}

enum class Spread { even, logarithmic };

/// Arguments from low to high, or from 2^low to 2^high.
struct Range {
    double low, high;
    Spread spread = Spread::even;
};

struct Case {
    Op op;
    Long (*reference)(Long a, Long b);
    double bound;  ///< ULP
    std::vector<Range> ranges;
    Range other{0.5, 2};
};

template <class T>
std::vector<T> sample(std::mt19937_64& random, Range range, std::size_t n) {
    std::uniform_real_distribution<double> position(range.low, range.high);
    std::vector<T> x(n);
    for (T& value : x) {
        const double p = position(random);
        value = static_cast<T>(range.spread == Spread::even ? p : std::exp2(p));
    }
    return x;
}

constexpr Range kSizes{-900, 900, Spread::logarithmic}, kFloatSizes{-120, 120, Spread::logarithmic};

Long python_mod(Long a, Long b) {
    const Long r = std::fmod(a, b);
    return (r != 0 && (r < 0) != (b < 0)) ? r + b : r;
}

std::vector<Case> cases() {
    const Range sizes = kFloatSizes, small{-40, 0, Spread::logarithmic};
    return {
        {Op::Div, [](Long a, Long b) { return a / b; }, 0.5, {sizes, {-10, 10}}, {-3, 3}},
        {Op::Sqrt, [](Long a, Long) { return std::sqrt(a); }, 0.501, {sizes, {0, 10}}},
        {Op::Cbrt, [](Long a, Long) { return std::cbrt(a); }, 1, {sizes, {-10, 10}}},
        {Op::Hypot, [](Long a, Long b) { return std::hypot(a, b); }, 1.5, {sizes, {-10, 10}}, sizes},
        {Op::Pow,
         [](Long a, Long b) { return std::pow(a, b); },
         2,
         {{-20, 20, Spread::logarithmic}, {0.5, 2}},
         {-5, 5}},
        {Op::Mod, python_mod, 1, {{-100, 100}, {0, 60, Spread::logarithmic}}, {-7, 7}},
        {Op::Exp, [](Long a, Long) { return std::exp(a); }, 1.5, {{-87, 88.7}, {-1, 1}, small}},
        {Op::Expm1, [](Long a, Long) { return std::expm1(a); }, 2, {{-40, 88.7}, {-1, 1}, small}},
        {Op::Log, [](Long a, Long) { return std::log(a); }, 1, {sizes, {0.5, 2}}},
        {Op::Log1p, [](Long a, Long) { return std::log1p(a); }, 1.5, {sizes, {-0.99, 2}, small}},
        {Op::Log2, [](Long a, Long) { return std::log2(a); }, 2, {sizes, {0.5, 2}}},
        {Op::Log10, [](Long a, Long) { return std::log10(a); }, 2, {sizes, {0.5, 2}}},
        {Op::Logistic, [](Long a, Long) { return 1 / (1 + std::exp(-a)); }, 2, {{-80, 40}, {-1, 1}}},
        {Op::Sin, [](Long a, Long) { return std::sin(a); }, 2, {{-10, 10}, {-1e4, 1e4}, {-1e6, 1e6}, small}},
        {Op::Cos, [](Long a, Long) { return std::cos(a); }, 2, {{-10, 10}, {-1e4, 1e4}, small}},
        {Op::Tan, [](Long a, Long) { return std::tan(a); }, 2, {{-10, 10}, {-1e4, 1e4}, small}},
        {Op::Asin, [](Long a, Long) { return std::asin(a); }, 2, {{-1, 1}, small}},
        {Op::Acos, [](Long a, Long) { return std::acos(a); }, 2, {{-1, 1}, {0.99, 1}}},
        {Op::Atan, [](Long a, Long) { return std::atan(a); }, 2, {{-5, 5}, sizes}},
        {Op::Atan2, [](Long a, Long b) { return std::atan2(a, b); }, 2, {{-5, 5}, small}, {-2, 2}},
        {Op::Sinh, [](Long a, Long) { return std::sinh(a); }, 2, {{-89.4, 89.4}, {-1, 1}, small}},
        {Op::Cosh, [](Long a, Long) { return std::cosh(a); }, 2, {{-89.4, 89.4}, {-1, 1}}},
        {Op::Tanh, [](Long a, Long) { return std::tanh(a); }, 2, {{-25, 25}, {-1, 1}, small}},
        {Op::Asinh, [](Long a, Long) { return std::asinh(a); }, 2, {sizes, {-3, 3}}},
        {Op::Acosh, [](Long a, Long) { return std::acosh(a); }, 2, {{0, 120, Spread::logarithmic}, {1, 3}}},
        {Op::Atanh, [](Long a, Long) { return std::atanh(a); }, 2, {{-1, 1}, {0.999, 1}, small}},
        {Op::Erf, [](Long a, Long) { return std::erf(a); }, 2, {{-6, 6}, {-1, 1}, small}},
        {Op::Erfc, [](Long a, Long) { return std::erfc(a); }, 4, {{-6, 9}, {-1, 1}}},
        // Away from the poles at negative integers, where glibc's own long double value is off by more than we allow
        {Op::Gamma, [](Long a, Long) { return std::tgamma(a); }, 3, {{0.01, 34}, {-20, -0.1}}},
        {Op::Round, [](Long a, Long) { return std::nearbyint(a); }, 0, {{-10, 10}, sizes}},
        {Op::Floor, [](Long a, Long) { return std::floor(a); }, 0, {{-10, 10}, sizes}},
        {Op::Ceil, [](Long a, Long) { return std::ceil(a); }, 0, {{-10, 10}, sizes}},
    };
}

TEST_CASE_TEMPLATE("functions are as exact as stated", T, float, double) {
    std::mt19937_64 random(11);
    constexpr std::size_t kCount = 20'000;
    for (const Case& item : cases()) {
        for (Range range : item.ranges) {
            if (sizeof(T) == 8 && range.low == kFloatSizes.low) range = kSizes;
            const std::vector<T> a = sample<T>(random, range, kCount), b = sample<T>(random, item.other, kCount);
            const std::vector<T> y = values(item.op, a, b);
            std::size_t worst = 0;
            double worst_error = -1;
            for (std::size_t i = 0; i < kCount; ++i) {
                const double error = ulps(y[i], item.reference(a[i], b[i]));
                if (error > worst_error) {
                    worst = i;
                    worst_error = error;
                }
            }
            CAPTURE(balmer::info(item.op).name);
            CAPTURE(a[worst]);
            CAPTURE(b[worst]);
            CAPTURE(y[worst]);
            CHECK(worst_error <= item.bound);
        }
    }
}

TEST_CASE("the largest arguments of sine, cosine and tangent are reduced exactly") {
    // mpmath at 2200 bits. The third is the double nearest to a multiple of pi / 2.
    struct Known {
        double x, sine, cosine, tangent;
    };
    const Known known[] = {
        {1e22, -0x1.b453ab76bf397p-1, 0x1.0be2cef01c8f4p-1, -0x1.a0f79c1b6b257p+0},
        {0x1.fffffffffffffp1023, 0x1.452fc98b34e97p-8, -0x1.fffe62ecfab75p-1, -0x1.4530cfe729484p-8},
        {0x1.6ac5b262ca1ffp849, 0x1p0, -0x1.14ae72e6ba22fp-61, -0x1.d9ba9a7975636p+60},
    };
    for (const Known& item : known) {
        CAPTURE(item.x);
        CHECK(ulps(values<double>(Op::Sin, {item.x}, {1.0})[0], item.sine) <= 1);
        CHECK(ulps(values<double>(Op::Sin, {-item.x}, {1.0})[0], -item.sine) <= 1);
        CHECK(ulps(values<double>(Op::Cos, {item.x}, {1.0})[0], item.cosine) <= 1);
        CHECK(ulps(values<double>(Op::Tan, {item.x}, {1.0})[0], item.tangent) <= 1);
    }
}

struct Special {
    Op op;
    double a, b, y;
};

TEST_CASE_TEMPLATE("special values are IEEE's and C99's", T, float, double) {
    const double pi = 3.141592653589793;
    const std::vector<Special> table = {
        {Op::Exp, kInf, 0, kInf},
        {Op::Exp, -kInf, 0, 0},
        {Op::Exp, 0, 0, 1},
        {Op::Exp, 1e5, 0, kInf},
        {Op::Exp, -1e5, 0, 0},
        {Op::Expm1, kInf, 0, kInf},
        {Op::Expm1, -kInf, 0, -1},
        {Op::Expm1, -0.0, 0, -0.0},
        {Op::Log, 0, 0, -kInf},
        {Op::Log, -0.0, 0, -kInf},
        {Op::Log, -1, 0, kNan},
        {Op::Log, kInf, 0, kInf},
        {Op::Log, -kInf, 0, kNan},
        {Op::Log, 1, 0, 0},
        {Op::Log, 1e-320, 0, -kInf},
        {Op::Log2, 0, 0, -kInf},
        {Op::Log2, 8, 0, 3},
        {Op::Log2, kInf, 0, kInf},
        {Op::Log2, -2, 0, kNan},
        {Op::Log10, 0, 0, -kInf},
        {Op::Log10, kInf, 0, kInf},
        {Op::Log10, -2, 0, kNan},
        {Op::Log10, 1000, 0, 3},
        {Op::Log1p, -1, 0, -kInf},
        {Op::Log1p, -2, 0, kNan},
        {Op::Log1p, kInf, 0, kInf},
        {Op::Log1p, -0.0, 0, -0.0},
        {Op::Logistic, kInf, 0, 1},
        {Op::Logistic, -kInf, 0, 0},
        {Op::Logistic, 0, 0, 0.5},
        {Op::Sqrt, -1, 0, kNan},
        {Op::Sqrt, -0.0, 0, -0.0},
        {Op::Sqrt, kInf, 0, kInf},
        {Op::Cbrt, -8, 0, -2},
        {Op::Cbrt, -0.0, 0, -0.0},
        {Op::Cbrt, -kInf, 0, -kInf},
        {Op::Cbrt, 27, 0, 3},
        {Op::Hypot, kInf, kNan, kInf},
        {Op::Hypot, kNan, 1, kNan},
        {Op::Hypot, 3, 4, 5},
        {Op::Hypot, -0.0, 0, 0},
        {Op::Sin, kInf, 0, kNan},
        {Op::Sin, -0.0, 0, -0.0},
        {Op::Cos, -kInf, 0, kNan},
        {Op::Cos, 0, 0, 1},
        {Op::Cos, 1e-9, 0, 1},
        {Op::Tan, kInf, 0, kNan},
        {Op::Tan, -0.0, 0, -0.0},
        {Op::Asin, 1.5, 0, kNan},
        {Op::Asin, 1, 0, pi / 2},
        {Op::Asin, -0.0, 0, -0.0},
        {Op::Acos, 1, 0, 0},
        {Op::Acos, -1, 0, pi},
        {Op::Acos, -2, 0, kNan},
        {Op::Atan, kInf, 0, pi / 2},
        {Op::Atan, -kInf, 0, -pi / 2},
        {Op::Atan2, 0, -1, pi},
        {Op::Atan2, -0.0, -1, -pi},
        {Op::Atan2, 0, 0, 0},
        {Op::Atan2, 0, -0.0, pi},
        {Op::Atan2, kInf, kInf, pi / 4},
        {Op::Atan2, kInf, -kInf, 0.75 * pi},
        {Op::Atan2, -1, 0, -pi / 2},
        {Op::Sinh, kInf, 0, kInf},
        {Op::Sinh, -0.0, 0, -0.0},
        {Op::Sinh, -1e5, 0, -kInf},
        {Op::Cosh, -kInf, 0, kInf},
        {Op::Tanh, kInf, 0, 1},
        {Op::Tanh, -kInf, 0, -1},
        {Op::Tanh, -0.0, 0, -0.0},
        {Op::Asinh, -kInf, 0, -kInf},
        {Op::Asinh, -0.0, 0, -0.0},
        {Op::Acosh, 1, 0, 0},
        {Op::Acosh, 0.5, 0, kNan},
        {Op::Acosh, kInf, 0, kInf},
        {Op::Atanh, 1, 0, kInf},
        {Op::Atanh, -1, 0, -kInf},
        {Op::Atanh, 2, 0, kNan},
        {Op::Erf, kInf, 0, 1},
        {Op::Erf, -kInf, 0, -1},
        {Op::Erf, -0.0, 0, -0.0},
        {Op::Erfc, kInf, 0, 0},
        {Op::Erfc, -kInf, 0, 2},
        {Op::Erfc, 0, 0, 1},
        {Op::Gamma, 0, 0, kInf},
        {Op::Gamma, -0.0, 0, -kInf},
        {Op::Gamma, -1, 0, kNan},
        {Op::Gamma, kInf, 0, kInf},
        {Op::Gamma, -kInf, 0, kNan},
        {Op::Gamma, 1, 0, 1},
        {Op::Gamma, 5, 0, 24},
        {Op::Gamma, 1e4, 0, kInf},
        {Op::Pow, 0, 0, 1},
        {Op::Pow, kNan, 0, 1},
        {Op::Pow, 1, kNan, 1},
        {Op::Pow, 0, -1, kInf},
        {Op::Pow, -0.0, -1, -kInf},
        {Op::Pow, -0.0, -2, kInf},
        {Op::Pow, -0.0, 3, -0.0},
        {Op::Pow, -2, 3, -8},
        {Op::Pow, -2, 2, 4},
        {Op::Pow, -2, 0.5, kNan},
        {Op::Pow, -1, kInf, 1},
        {Op::Pow, 0.5, kInf, 0},
        {Op::Pow, 0.5, -kInf, kInf},
        {Op::Pow, 2, kInf, kInf},
        {Op::Pow, -kInf, 3, -kInf},
        {Op::Pow, -kInf, 2, kInf},
        {Op::Pow, -kInf, -3, -0.0},
        {Op::Pow, kInf, -1, 0},
        {Op::Pow, 2, 5000, kInf},
        {Op::Pow, 2, -5000, 0},
        {Op::Pow, 2, 10, 1024},
        {Op::Mod, 5, 3, 2},
        {Op::Mod, -5, 3, 1},
        {Op::Mod, 5, -3, -1},
        {Op::Mod, -5, -3, -2},
        {Op::Mod, 6, 3, 0},
        {Op::Mod, -6, 3, 0},
        {Op::Mod, 6, -3, -0.0},
        {Op::Mod, 5, kInf, 5},
        {Op::Mod, -5, kInf, kInf},
        {Op::Mod, 5, 0, kNan},
        {Op::Mod, kInf, 3, kNan},
        {Op::Mod, 1e20, 3, 2},
        {Op::Mod, -1e-25, 1, 1},
        {Op::Round, 2.5, 0, 2},
        {Op::Round, 3.5, 0, 4},
        {Op::Round, -0.25, 0, -0.0},
        {Op::Round, kInf, 0, kInf},
        {Op::Floor, -0.5, 0, -1},
        {Op::Floor, -0.0, 0, -0.0},
        {Op::Ceil, -0.5, 0, -0.0},
        {Op::Ceil, 0.5, 0, 1},
        {Op::Min, kNan, 1, kNan},
        {Op::Min, 1, kNan, kNan},
        {Op::Max, kNan, 1, kNan},
        {Op::Max, 1, kNan, kNan},
        {Op::Max, 1, 2, 2},
        {Op::Min, 1, 2, 1},
        {Op::Sign, -3, 0, -1},
        {Op::Sign, 0, 0, 0},
        {Op::Sign, kNan, 0, kNan},
        {Op::Abs, -0.0, 0, 0},
        {Op::Abs, -kInf, 0, kInf},
        {Op::Div, 1, 0, kInf},
        {Op::Div, -1, 0, -kInf},
        {Op::Div, 0, 0, kNan},
        {Op::Inv, -0.0, 0, -kInf},
        {Op::Relu, kNan, 0, kNan},
        {Op::Greater, kNan, 0, 0},
    };
    for (const Special& item : table) {
        const T y = values<T>(item.op, {static_cast<T>(item.a)}, {static_cast<T>(item.b)})[0];
        CAPTURE(balmer::info(item.op).name);
        CAPTURE(item.a);
        CAPTURE(item.b);
        CAPTURE(y);
        if (std::isnan(item.y)) {
            CHECK(std::isnan(y));
        } else if (item.op == Op::Mod && item.a == 1e20) {
            CHECK(y == static_cast<T>(std::fmod(static_cast<T>(item.a), T(3))));
        } else {
            const bool whole = item.y == std::floor(item.y);  // or infinite; the others are parts of pi
            CHECK(ulps(y, static_cast<T>(item.y)) <= (whole ? 0 : 1));
            CHECK(std::signbit(y) == std::signbit(item.y));
        }
    }
}

TEST_CASE_TEMPLATE("NaN goes through every function of one operand", T, float, double) {
    for (const Case& item : cases()) {
        CAPTURE(balmer::info(item.op).name);
        CHECK(std::isnan(values<T>(item.op, {std::numeric_limits<T>::quiet_NaN()}, {T(1.5)})[0]));
    }
}

}  // namespace
