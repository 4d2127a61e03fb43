// Quotients of short sums with a constant inside a function: (a + b u) / (c e^(k x) - 1), a + b u + (c + d u) x^k.
#pragma once

#include <cstdint>
#include <vector>

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// For variables u and x of the view and functions E of x with one constant k (e^(k x), sin, cos, x^k, ln(x + k), sqrt(x + k)):
/// all y = P / Q with P and Q sums of some of 1, u, E, u E, five terms in all at the most. y Q = P is linear in the
/// coefficients, so that each costs the solution of a system of four equations, for each k of a grid. The best, also under
/// the logarithm of the target, get the best k by golden section and are then fitted to y; what is found goes to the archive.
///
/// Nothing is done for more than 16 variables, whose pairs are too many.
///
/// `noise`: standard deviation of the target about the law; under noise the linear form is biased and only gives starts.
void quotients(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows, double noise);

}  // namespace balmer::search
