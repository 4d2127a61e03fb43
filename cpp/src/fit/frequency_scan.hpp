// Starts for the frequencies of sines and cosines.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balmer/fit/fit.hpp"

namespace balmer::fit {

/// A quarter of a period off, a fit still finds the way.
inline constexpr double kStepsOfAPeriod = 3;

/// The frequencies to look at in sines of `factor`, the multiples of one step: `steps` for each period over the range of the
/// values, up to 200 periods, or as far as the rows can tell frequencies apart; at equal distances they cannot tell w from
/// 2 pi / distance - w. Empty if all values are the same.
[[nodiscard]] std::vector<double> frequency_grid(std::vector<double> factor, double steps);

/// The places of the minima of a scan, `count` at most, the deepest first.
[[nodiscard]] std::vector<std::size_t> deepest_minima(std::span<const double> losses, std::size_t count);

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
