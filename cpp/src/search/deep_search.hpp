// Exact laws beyond the reach of pairs of small formulas: one part is small, or both halves are in a large library.
#pragma once

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

struct DeepOptions {
    std::size_t formulas = 400'000;  ///< of the library, known by their values on its key rows alone
    std::size_t small = 60;          ///< formulas u in T(y) = a u + b g + c, g any formula
    std::size_t halves = 100'000;    ///< formulas u in T(y) = u + P(a g + b) or y = u P(a g + b), g any formula
};

/// Looks for laws that hold to rounding, on data without noise:
///
/// - T(y) = a u + b g + c for small u and any g, by correlations on the key rows;
/// - T(y) -+ u = P(a g + b) and y = u P(a g + b), P the inverse of a transform, by meeting in the middle: formulas that are
///   affine functions of each other share a key, and the one that is missing is looked up.
///
/// `screen_rows`: rows of positive weight. What agrees on the key rows is checked on all screen rows. Returns true if an exact
/// formula reached the archive. Few different rows (less than 12) say too little, and nothing is searched.
bool deep_search(const View& view, Polisher& polisher, const std::vector<std::uint32_t>& screen_rows,
                 const DeepOptions& options = {});

}  // namespace balmer::search
