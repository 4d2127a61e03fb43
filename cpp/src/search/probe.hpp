// Looks at the data before the search: how noisy they are, and which variables only act through a power of their own or
// through a product, ratio, sum or difference with another.
#pragma once

#include <vector>

#include "search/view.hpp"

namespace balmer::search {

struct ProbeResult {
    /// From the most reduced to the least; the raw view is not among them.
    std::vector<View> views;
    /// Standard deviation of the target about a smooth surface: an upper bound of the noise.
    double surface_residual = 0;
};

/// Peels y = x^p h(others) and merges h(x, y) = h(x y^r), h(f(x) + f(y)), step by step; each step is a view.
///
/// A step is proposed by the gradients of a polynomial surface and accepted if the surface over the reduced variables has no less
/// evidence than the one over all. Laws are ridge functions in logarithmic coordinates (Constantine et al., arXiv:1605.07974).
/// Fewer than 40 rows bear no surface: the result is then empty. `vocabulary` decides what can be written.
[[nodiscard]] ProbeResult probe(const View& raw, const Vocabulary& vocabulary);

}  // namespace balmer::search
