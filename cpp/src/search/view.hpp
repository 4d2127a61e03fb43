// The problem as one stage sees it: the target over a product of powers, as a function of a few variables.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "balmer/eval/dataset.hpp"
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
    Expression frame;      ///< if it has nodes: a formula of y in which the target stands in the place of one part
    std::size_t hole = 0;  ///< where that part ends in the frame
};

/// The formula of y for one of the target, in a view that has a frame; else as it is.
[[nodiscard]] Expression in_frame(Expression e, const View& view);

/// The features as they are, in units of a power of ten where their size is extreme.
[[nodiscard]] View raw_view(const Dataset<double>& data, const Vocabulary& vocabulary);

/// The first rows of positive weight: a fair sample, if the data are in ladder order.
[[nodiscard]] std::vector<std::uint32_t> first_rows(const Dataset<double>& data, std::size_t count);

/// The target of a view on some rows, as transforms want it.
struct ViewSample {
    std::vector<double> target, weight;
    double noise = 0;  ///< in units of this target, on a typical row
};

/// `noise`: standard deviation of the raw target about the law.
[[nodiscard]] ViewSample sample_of(const View& view, std::span<const std::uint32_t> rows, double noise);

}  // namespace balmer::search
