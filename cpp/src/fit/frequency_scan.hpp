// Starts for the frequencies of sines and cosines.
#pragma once

#include <cstddef>
#include <vector>

#include "balmer/fit/fit.hpp"

namespace balmer::fit {

/// Starts for the constants of `expression`, the most promising first: each sine or cosine of something that a constant scales
/// gets a frequency that explains much of the target on the first `rows` rows, and the phase that goes with it if a constant
/// shifts it. Empty if there is no such sine.
///
/// A fit only finds the frequency next to its start: over a range of R the sum of squares has a minimum every 2 pi / R. So the
/// frequencies are scanned in a third of these steps (Lomb 1976; Scargle 1982), with all constants that enter linearly at
/// their optimum, the amplitudes of sine and cosine among them: a periodogram beside whatever else the formula has. The other
/// constants stay where they are.
template <class T>
[[nodiscard]] std::vector<std::vector<double>> frequency_starts(const Expression& expression,
                                                                const Evaluator<T>& evaluator, std::size_t rows);

}  // namespace balmer::fit
