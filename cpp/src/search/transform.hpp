// Functions of the target: laws that are sums after the target has been inverted, squared, or taken the logarithm of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/vocabulary.hpp"

namespace balmer::search {

/// T such that T(y) is tried as a sum, product or quotient; y is then the inverse function of that formula.
enum class Transform : std::uint8_t {
    identity,
    inverse,
    log,
    square,
    inverse_square,
    root,
    exp,      ///< e^(y - shift), with the shift that keeps it in range
    exp_neg,  ///< e^(shift - y)
    sin,
    cos,
    count_
};
inline constexpr std::size_t kTransforms = static_cast<std::size_t>(Transform::count_);

/// T(y) on rows, with the weights that make squared residuals of T count like squared residuals of y (delta method).
struct TransformedTarget {
    Transform transform = Transform::identity;
    double sign = 1;             ///< sign of y where T loses it
    double shift = 0;            ///< of exp and exp_neg
    std::vector<double> value;   ///< 0 on rows that do not count
    std::vector<double> weight;  ///< 0 on rows that do not count
};

/// Whether the inverse function can be written with the allowed operators.
[[nodiscard]] bool expressible(Transform transform, const Vocabulary& vocabulary);

/// T of `y` with prior weights `weight` (one each row). Rows on which T is not defined, or steep within
/// 3 `noise`, get weight 0: at most half, and none that is 6 `noise` on the wrong side; otherwise, or if T(y) is constant, the
/// result has no values.
[[nodiscard]] TransformedTarget transform_target(Transform transform, std::span<const double> y,
                                                 std::span<const double> weight, double noise);

/// Makes values of T values of y.
void invert(const TransformedTarget& target, std::span<double> z);

/// The formula of y for a formula of T(y); without nodes if it cannot be written.
[[nodiscard]] Expression inverse_expression(const TransformedTarget& target, const Expression& z,
                                            const Vocabulary& vocabulary);

}  // namespace balmer::search
