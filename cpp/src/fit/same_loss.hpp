// Whether a fit saw the values that the formula has.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace balmer::fit {

/// Whether two losses differ by no more than the rounding of sums in another order. If not, a formula that was computed as
/// written has left the range of doubles, and come back as another number: a quotient or a comparison does that.
template <class T>
bool same_loss(double a, double b) noexcept {
    return !(std::abs(a - b) > 1e4 * static_cast<double>(std::numeric_limits<T>::epsilon()) * std::max(a, b));
}

}  // namespace balmer::fit
