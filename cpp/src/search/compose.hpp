// Formulas from fitted parts: sums, products of powers, and the shortest way to write them.
#pragma once

#include <span>
#include <vector>

#include "search/vocabulary.hpp"

namespace balmer::search {

/// A formula and the power in which it stands in a product.
struct Power {
    Expression base;
    double exponent = 1;
};

/// Takes a constant factor off the formula (3 * x, x / 3, -x) and returns it; 1 if there is none.
double take_factor(Expression& e);

/// c0 + sum c[k] terms[k]. Terms with coefficient 0 are left out; coefficients 1 and -1 are not written; coefficients of equal
/// magnitude (to 1e-10) are written once. Without nodes if the operators cannot write it.
[[nodiscard]] Expression linear_combination(double c0, std::span<const double> coefficients,
                                            std::span<const Expression> terms, const Vocabulary& vocabulary);

/// factor * product of powers. Bases with the same exponent are multiplied before the power is taken.
[[nodiscard]] Expression power_product(double factor, std::span<const Power> powers, const Vocabulary& vocabulary);

/// The multiple of 1/2 or 1/3 that is nearest to `p` (of magnitude at most 8), or `p` itself if none is within `tolerance`.
[[nodiscard]] double nearest_simple_exponent(double p, double tolerance) noexcept;

}  // namespace balmer::search
