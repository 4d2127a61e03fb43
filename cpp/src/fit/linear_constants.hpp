// Which constants enter an expression linearly.
#pragma once

#include <vector>

#include "balmer/expr/operator_set.hpp"

namespace balmer::fit {

/// linear[k] is set for a largest set of constants in which the expression is jointly affine when all others are held:
/// the scales and offsets of a sum of terms. Of the factors of a product only one side can contribute; a bare constant
/// factor is preferred.
void find_linear_constants(const Expression& expression, std::vector<bool>& linear);

}  // namespace balmer::fit
