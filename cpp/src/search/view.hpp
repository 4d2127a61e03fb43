// The problem as one stage sees it: the target over a product of powers, as a function of a few variables.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
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

/// The target of a view on some rows, as transforms want it.
struct ViewSample {
    std::vector<double> target, weight;
    double noise = 0;  ///< in units of this target, on a typical row
};

/// `noise`: standard deviation of the raw target about the law.
[[nodiscard]] inline ViewSample sample_of(const View& view, std::span<const std::uint32_t> rows, double noise) {
    ViewSample sample;
    double typical = 0;
    for (const std::uint32_t row : rows) {
        sample.target.push_back(view.target[row]);
        sample.weight.push_back(view.weight.empty() ? 1 : view.weight[row]);
        typical += sample.weight.back();
    }
    // In a view, y is divided by a unit, and so is its noise.
    sample.noise = noise / std::sqrt(typical / static_cast<double>(rows.size()));
    return sample;
}

}  // namespace balmer::search
