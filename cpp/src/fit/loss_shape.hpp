// What a loss looks like as a function of the prediction.
#pragma once

#include <span>

#include "balmer/fit/loss.hpp"

namespace balmer::fit {

/// The value of an expression of built-in operators for one row.
[[nodiscard]] double evaluate_row(const Expression& expression, std::span<const double> features);

/// Probes the loss at a grid of predictions for each of several targets. Takes a few thousand evaluations of single
/// rows.
[[nodiscard]] LossShape find_shape(const Loss& loss);

}  // namespace balmer::fit
