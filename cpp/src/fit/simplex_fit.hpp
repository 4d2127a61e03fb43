// Constants of a function that has no derivatives.
#pragma once

#include <functional>
#include <span>

#include "balmer/fit/fit.hpp"

namespace balmer {

/// Minimises `value` over the constants, in place, by the simplex of Nelder and Mead (1965) with the parameters of Gao and
/// Han (2012), which depend on the number of constants. `start` is the value at the constants as they are; it never rises.
/// An iteration of `options.max_iterations` is as many steps as there are constants, and one more; other options are not
/// looked at. Status: converged_loss or converged_step when the simplex has shrunk to the precision of its values,
/// not_finite if `start` is not finite.
FitResult fit_by_simplex(std::span<double> constants, double start,
                         const std::function<double(std::span<const double>)>& value, const FitOptions& options);

}  // namespace balmer
