// Laws with a constant inside a function: e^(c g), 1 / (e^(c g) - 1), sin(c g), beside a power law or a simple partner.
#pragma once

#include <cstdint>
#include <vector>

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// Lays functions of c g over a grid of c, g being the simplest formulas of the view; scores them alone, in pairs, and beside a
/// block of all logarithms ln x_i (so that any power law may stand before them), under all transforms of the target; the
/// best are fitted with their inner constants free. What is found goes to the archive.
///
/// `noise`: standard deviation of the target about the law. Planck's and Bose's laws are found here, in any units.
void parametric(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows, double noise);

}  // namespace balmer::search
