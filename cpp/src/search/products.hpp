// Sums of products of powers: the algebra in which formulas are rearranged.
#pragma once

#include <functional>
#include <vector>

#include "search/compose.hpp"

namespace balmer::search {

/// coefficient * product of powers. The bases are different formulas, no exponent is 0. A base without nodes cannot be
/// written, and so neither can the product.
struct Product {
    double coefficient = 1;
    std::vector<Power> powers;
};

/// No two terms have the same powers, no coefficient is 0. Empty: 0.
using Sum = std::vector<Product>;

/// Whether the root of the formula is `op`.
[[nodiscard]] bool is(const Expression& e, Op op) noexcept;

/// The exponent of `base` in the product; 0 if it is not there.
[[nodiscard]] double exponent_of(const Product& product, const Expression& base) noexcept;
[[nodiscard]] bool same_powers(const Product& a, const Product& b) noexcept;

void multiply_by(Product& product, const Power& power);
[[nodiscard]] Product multiplied(Product a, const Product& b);
[[nodiscard]] Product reciprocal(Product product);
/// Sums that are rounding of what was added count as 0.
void add(Sum& sum, const Product& term);
void add(Sum& sum, const Sum& other, double factor = 1);
[[nodiscard]] Sum multiplied(const Sum& a, const Sum& b);

/// Whether powers that only stand in denominators are taken out of a sum.
enum class Denominators : bool { stay, leave };

/// The product, with coefficient 1, of the powers that divide all terms.
[[nodiscard]] Product common_part(const Sum& sum, Denominators denominators);

/// x a + y b of two angles, written out.
using AngleSum = std::function<Expression(double x, const Expression& a, double y, const Expression& b)>;
/// The sum with two terms made one wherever sin a cos b + cos a sin b, sin a + sin b, their like, or the squares of sine and
/// cosine allow.
[[nodiscard]] Sum with_angles_added(Sum sum, const AngleSum& angle_sum);

/// The sum without denominators that divide what is above them, to rounding: of the terms m P(v) / D(v) with the same m,
/// only m Q(v) is left where P = Q D. Polynomials in one base v; `terms_of` gives the sum that a base stands for.
[[nodiscard]] Sum with_quotients(const Sum& sum, const std::function<Sum(const Expression& base)>& terms_of);

}  // namespace balmer::search
