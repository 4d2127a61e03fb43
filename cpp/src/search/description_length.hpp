// How many nats it takes to write down the data by means of a formula: the price that decides between formulas.
#pragma once

#include <span>

#include "search/vocabulary.hpp"

namespace balmer::search {

/// What is common to all formulas of one dataset.
struct DescriptionScale {
    double rows = 0;     ///< effective number of rows
    double quantum = 0;  ///< variance below which a residual is rounding of the target
    double symbols = 2;  ///< different symbols that a node may be
    double structure =
        1;  ///< factor of the cost of structure: 1; 2 for at most 6 rows, which three constants follow anyway
};

/// The scale for a target. The quantum is the rounding variance of the decimals it was written with, where these are few,
/// and never less than (1e-8 standard deviations)^2.
[[nodiscard]] DescriptionScale description_scale(std::span<const double> y, double symbols);

/// (n/2) ln(max(mse, quantum)) + structure * nodes * ln(symbols) + cost of the constants.
///
/// A constant that is a fraction p / q with q <= 12 costs ln(|p| + 1) + ln q + ln 2, any other the nats of its precision, ln(|c| / se) - ln(3) / 2, where
/// `errors` has its standard error; without `errors`, half a logarithm of the number of rows (BIC). Exponentials, logarithms
/// and angles cost more than arithmetic, as laws have fewer of them; other transcendental functions more still.
[[nodiscard]] double description_length(const Expression& e, double mse, const DescriptionScale& scale,
                                        std::span<const double> errors = {});

/// The same for a formula that is not written out yet.
[[nodiscard]] double description_length(double nodes, double constants, double mse, const DescriptionScale& scale);

}  // namespace balmer::search
