// Views without a variable that acts through a factor or a term of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// For laws y = (a f(x_j) + b) z or y = a f(x_j) + z, z a function of the other variables: the views of z, which has a variable
/// less. f is looked for in a small library. Rows that are neighbours in the other variables tell whether it is right, as
/// z is nearly the same there (differencing: Yatchew, J. Econ. Lit. 36, 1998); so do they tell a and b, as the least eigenvalue
/// of two quadratic forms. A sum has a frame, a product does not. Empty if nothing explains much, for fewer than 100 rows,
/// and for one variable or more than 5.
[[nodiscard]] std::vector<View> separated(const View& view, Polisher& polisher, std::span<const std::uint32_t> rows);

}  // namespace balmer::search
