// The last step of a fit by a loss with kinks.
#pragma once

#include "fit/loss_model.hpp"
#include "fit/vertex_descent.hpp"

namespace balmer::fit {

/// Minimises the loss from `constants` by a sequence of linearised problems in a box (Han & Fletcher's sequential
/// linear programming), each solved exactly; one is enough if all constants enter linearly and the loss is piecewise
/// linear. The loss is convex, its kinks are known. `current` is the expansion at `constants`; both only change when
/// the loss falls. Returns the number of passes over the rows.
template <class T>
int polish_kinks(LossModel<T>& model, const LossShape& shape, bool all_linear, int max_problems, double tolerance,
                 std::vector<double>& constants, LossExpansion& current, LossExpansion& trial);

/// The same for losses that are steep on both sides of a kink but not convex, such as the square root of the distance:
/// their minima are vertices. Moves to the vertex of the rows that are nearest to a kink, if the loss falls.
template <class T>
int snap_to_kinks(LossModel<T>& model, const LossShape& shape, std::vector<double>& constants, LossExpansion& current,
                  LossExpansion& trial);

}  // namespace balmer::fit
