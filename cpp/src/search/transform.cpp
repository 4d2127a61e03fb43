#include "search/transform.hpp"

#include <algorithm>
#include <cmath>

#include "eval/columns.hpp"

namespace balmer::search {
namespace {

// Of the rows: those of a small target, which weigh little in y where T is steep.
constexpr double kMostLost = 0.5;
constexpr double kHalfPi = 1.5707963267948966, kPi = 3.141592653589793;

bool defined(Transform t, double y, double sign, double margin) {
    switch (t) {
        case Transform::inverse:
            return std::abs(y) > margin;
        case Transform::log:
        case Transform::square:
        case Transform::inverse_square:
            return y * sign > margin;
        case Transform::root:
            return y >= 0;
        case Transform::sin:
            return std::abs(y) <= kHalfPi;
        case Transform::cos:
            return y >= 0 && y <= kPi;
        default:
            return true;
    }
}

/// T of all values; anything where it is not defined.
std::vector<double> forward(Transform t, std::span<const double> y, double shift) {
    std::vector<double> values(y.begin(), y.end());
    const auto each = [&](auto f) { std::ranges::transform(values, values.begin(), f); };
    const auto apply = [&](Op op) { eval::apply(op, values.data(), values.data(), values.size()); };
    switch (t) {
        case Transform::inverse:
            each([](double v) { return 1 / v; });
            break;
        case Transform::log:
            each([](double v) { return std::abs(v); });
            apply(Op::Log);
            break;
        case Transform::square:
            each([](double v) { return v * v; });
            break;
        case Transform::inverse_square:
            each([](double v) { return 1 / (v * v); });
            break;
        case Transform::root:
            each([](double v) { return std::sqrt(v); });
            break;
        case Transform::exp:
            each([&](double v) { return v - shift; });
            apply(Op::Exp);
            break;
        case Transform::exp_neg:
            each([&](double v) { return shift - v; });
            apply(Op::Exp);
            break;
        case Transform::sin:
            apply(Op::Sin);
            break;
        case Transform::cos:
            apply(Op::Cos);
            break;
        default:
            break;
    }
    return values;
}

/// |dT/dy|.
double slope(Transform t, double y, double value) {
    switch (t) {
        case Transform::inverse:
            return value * value;
        case Transform::log:
            return 1 / std::abs(y);
        case Transform::square:
            return 2 * std::abs(y);
        case Transform::inverse_square:
            return 2 * value / std::abs(y);
        case Transform::root:
            return 0.5 / std::max(value, 1e-300);
        case Transform::exp:
        case Transform::exp_neg:
            return value;
        case Transform::sin:
        case Transform::cos:
            return std::sqrt(std::max(1 - value * value, 1e-3));  // near the turning point the slope says nothing
        default:
            return 1;
    }
}

}  // namespace

bool expressible(Transform transform, const Vocabulary& vocabulary) {
    const TransformedTarget probe{.transform = transform, .sign = 1, .shift = 0, .value = {}, .weight = {}};
    return !inverse_expression(probe, Expression::feature(0), vocabulary).nodes.empty();
}

TransformedTarget transform_target(Transform transform, std::span<const double> y, std::span<const double> weight,
                                   double noise) {
    TransformedTarget result{.transform = transform, .sign = 1, .shift = 0, .value = {}, .weight = {}};
    double low = y[0], high = y[0], positive = 0, negative = 0;
    for (const double v : y) {
        low = std::min(low, v);
        high = std::max(high, v);
        (v > 0 ? positive : negative) += std::abs(v);
    }
    result.sign = negative > positive ? -1 : 1;
    const bool exponential = transform == Transform::exp || transform == Transform::exp_neg;
    if (exponential && high - low > 80) return result;
    if (exponential && std::max(std::abs(low), std::abs(high)) > 300)
        result.shift = transform == Transform::exp ? high : low;
    std::size_t lost = 0;
    std::vector<double> values = forward(transform, y, result.shift), weights(y.size());
    double largest = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        if (!defined(transform, y[i], result.sign, 3 * noise)) {
            const bool signs = transform != Transform::inverse;
            if (noise == 0 || (signs && y[i] * result.sign < -6 * noise)) return result;
            ++lost;
            values[i] = 0;
            continue;
        }
        if (!std::isfinite(values[i])) return result;
        const double s = slope(transform, y[i], values[i]);
        weights[i] = (weight.empty() ? 1.0 : weight[i]) / std::max(s * s, 1e-280);
        if (!std::isfinite(weights[i])) return result;
        largest = std::max(largest, weights[i]);
    }
    if (static_cast<double>(lost) > kMostLost * static_cast<double>(y.size()) || !(largest > 0)) return result;
    double sum = 0, mean = 0, spread = 0, top = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        weights[i] /= largest;
        sum += weights[i];
        mean += weights[i] * values[i];
    }
    mean /= sum;
    for (std::size_t i = 0; i < y.size(); ++i) {
        spread += weights[i] * (values[i] - mean) * (values[i] - mean);
        top = std::max(top, std::abs(values[i]));
    }
    if (!(spread > 1e-20 * sum * mean * mean) || !std::isfinite(top)) return result;
    result.value = std::move(values);
    result.weight = std::move(weights);
    return result;
}

void invert(const TransformedTarget& target, std::span<double> z) {
    const auto each = [&](auto f) { std::ranges::transform(z, z.begin(), f); };
    const auto apply = [&](Op op) { eval::apply(op, z.data(), z.data(), z.size()); };
    switch (target.transform) {
        case Transform::inverse:
            each([](double v) { return 1 / v; });
            break;
        case Transform::log:
            apply(Op::Exp);
            each([&](double v) { return target.sign * v; });
            break;
        case Transform::square:
            each([&](double v) { return target.sign * std::sqrt(v); });
            break;
        case Transform::inverse_square:
            each([&](double v) { return target.sign / std::sqrt(v); });
            break;
        case Transform::root:
            each([](double v) { return v * v; });
            break;
        case Transform::exp:
            apply(Op::Log);
            each([&](double v) { return v + target.shift; });
            break;
        case Transform::exp_neg:
            apply(Op::Log);
            each([&](double v) { return target.shift - v; });
            break;
        case Transform::sin:
            apply(Op::Asin);
            break;
        case Transform::cos:
            apply(Op::Acos);
            break;
        default:
            break;
    }
}

Expression inverse_expression(const TransformedTarget& target, const Expression& z, const Vocabulary& v) {
    switch (target.transform) {
        case Transform::inverse:
            return v.reciprocal(z);
        case Transform::log: {
            const Expression e = v.exp(z);
            return target.sign < 0 ? v.negate(e) : e;
        }
        case Transform::square: {
            const Expression e = v.power(z, 0.5);
            return target.sign < 0 ? v.negate(e) : e;
        }
        case Transform::inverse_square: {
            const Expression e = v.power(z, -0.5);
            return target.sign < 0 ? v.negate(e) : e;
        }
        case Transform::root:
            return v.power(z, 2);
        case Transform::exp:
            return v.offset(target.shift, v.log(z));
        case Transform::exp_neg: {
            const Expression e = v.log(z);
            return target.shift == 0 ? v.negate(e) : v.subtract(Expression::constant(target.shift), e);
        }
        case Transform::sin:
            return v.apply(Op::Asin, z);
        case Transform::cos:
            return v.apply(Op::Acos, z);
        default:
            return z;
    }
}

}  // namespace balmer::search
