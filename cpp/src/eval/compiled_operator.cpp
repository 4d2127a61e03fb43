#include "eval/compiled_operator.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "eval/program.hpp"

namespace balmer::eval {
namespace {

using Block = std::array<double, kMaxBlockRows>;

/// The step of a difference over the operand, or over kSmallOperand if that is larger: the cube root of the rounding of
/// doubles, where the errors of rounding and of the third derivative are of one size.
constexpr double kStep = 6.06e-6, kSmallOperand = 1e-2;

template <class T>
const UserOperator& operator_behind(const T* c) noexcept {
    return *reinterpret_cast<const UserOperator*>(c);
}

/// An operand as doubles, which is all that compiled code knows.
const double* as_doubles(const double* values, std::size_t, Block&) noexcept { return values; }
const double* as_doubles(const float* values, std::size_t n, Block& block) noexcept {
    if (values == nullptr) return nullptr;
    std::copy_n(values, n, block.begin());
    return block.data();
}

template <class T>
void forward(T* out, const T* a, const T* b, const T* c, std::size_t n) noexcept {
    const UserOperator& compiled = operator_behind(c);
    if constexpr (std::is_same_v<T, double>) {
        compiled.value(out, a, b, n);
    } else {
        Block left, right;
        const double* const first = as_doubles(a, n, left);
        compiled.value(left.data(), first, as_doubles(b, n, right), n);
        std::transform(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(n), out,
                       [](double v) { return static_cast<T>(v); });
    }
}

/// The slope between the neighbours of a point whose values are finite.
double difference(double up, double middle, double down, double above, double at, double below) noexcept {
    if (!std::isfinite(up)) return (middle - down) / (at - below);
    if (!std::isfinite(down)) return (up - middle) / (above - at);
    return (up - down) / (above - below);
}

template <int k>
void differences(const UserOperator& compiled, double* out, const double* a, const double* b, std::size_t n) noexcept {
    const double* const operand = k == 0 ? a : b;
    Block above, below, up, down, middle;
    for (std::size_t i = 0; i < n; ++i) {
        const double step = kStep * std::max(std::abs(operand[i]), kSmallOperand);
        above[i] = operand[i] + step;
        below[i] = operand[i] - step;
    }
    const auto value_at = [&](const double* moved, double* values) {
        compiled.value(values, k == 0 ? moved : a, k == 0 ? b : moved, n);
    };
    value_at(above.data(), up.data());
    value_at(below.data(), down.data());
    value_at(operand, middle.data());
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = difference(up[i], middle[i], down[i], above[i], operand[i], below[i]);
    }
}

template <class T, int k>
void backward(T* out, const T* g, const T* a, const T* b, const T* c, const T*, std::size_t n) noexcept {
    const UserOperator& compiled = operator_behind(c);
    Block left, right, slopes;
    const double* const first = as_doubles(a, n, left);
    const double* const second = as_doubles(b, n, right);
    if (compiled.derivatives.empty()) {
        differences<k>(compiled, slopes.data(), first, second, n);
    } else {
        compiled.derivatives[k](slopes.data(), first, second, n);
    }
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(g[i] * slopes[i]);
}

}  // namespace

template <class T>
ForwardKernel<T> compiled_value() noexcept {
    return &forward<T>;
}

template <class T>
BackwardKernel<T> compiled_derivative(int k) noexcept {
    return k == 0 ? &backward<T, 0> : &backward<T, 1>;
}

template ForwardKernel<double> compiled_value<double>() noexcept;
template ForwardKernel<float> compiled_value<float>() noexcept;
template BackwardKernel<double> compiled_derivative<double>(int) noexcept;
template BackwardKernel<float> compiled_derivative<float>(int) noexcept;

}  // namespace balmer::eval
