// The problem as one stage sees it: the target over a product of powers, as a function of a few variables.
#pragma once

#include <string>
#include <vector>

#include "search/compose.hpp"
#include "search/library.hpp"

namespace balmer::search {

/// y = product(unit) * target, target a function of the variables alone (that is the guess).
struct View {
    std::vector<Variable> variables;
    std::vector<Power> unit;     ///< empty: 1
    std::vector<double> target;  ///< y / unit, one for each row
    std::vector<double> weight;  ///< weight * unit^2, one for each row; empty: all 1
    double weight_sum = 0;       ///< of the plain weights: sum(weight * r^2) / weight_sum is a loss in units of y
    std::string name;            ///< for the log
};

}  // namespace balmer::search
