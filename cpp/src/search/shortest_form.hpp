// Smaller equals of a formula.
#pragma once

#include <functional>

#include "search/vocabulary.hpp"

namespace balmer::search {

/// Whether the values of a formula are positive on all rows.
using IsPositive = std::function<bool(const Expression& e)>;

/// The least complex formula that this finds with the values of `e` on the rows (to rounding), over the operators of the
/// vocabulary: `e` itself if there is none that is less complex, or as complex with fewer constants.
///
/// From the leaves up each part is read as a sum of products of powers, once with the sums in products kept and once with
/// them multiplied out, and written in several ways: factors taken out, terms over one denominator, denominators divided
/// out, sines and cosines of sums, powers for exp(k log f), logarithms and exponentials undone by each other. What holds for
/// positive values only is done where `is_positive` says so.
[[nodiscard]] Expression shortest_form(const Expression& e, const Vocabulary& vocabulary,
                                       const IsPositive& is_positive);

}  // namespace balmer::search
