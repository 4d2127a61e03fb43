// Views in which all quantities are numbers.
#pragma once

#include <vector>

#include "search/view.hpp"

namespace balmer::search {

/// The target over a product of powers of features that has its dimension, as a function of such products that are numbers:
/// a law whose constants are numbers is a relation between fewer variables (Buckingham, Phys. Rev. 4, 1914). A view for each of
/// the simplest choices of the features that make up the units of the others; none if the features do not make up that of
/// the target, or are numbers all.
[[nodiscard]] std::vector<View> dimensionless_views(const View& raw, const Vocabulary& vocabulary);

}  // namespace balmer::search
