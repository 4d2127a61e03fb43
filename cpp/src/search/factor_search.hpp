// y = g T^-1(a f + b h + c) for many factors g at once, on data without noise.
#pragma once

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

struct FactorOptions {
    std::size_t pair_factors = 200, pair_atoms = 800;        ///< few factors, T(y / g) a sum of two atoms
    std::size_t single_factors = 12000, single_atoms = 500;  ///< many factors, T(y / g) affine in one atom
};

/// Divides the target by formulas of the library (their reciprocals are among them), applies the transforms, and looks for what
/// is then a sum. Only fits to the precision of floats are followed, so that a search over millions leaves a handful.
/// Returns true if an exact formula reached the archive. The library must have screen values.
bool search_over_factors(const View& view, Library& library, Polisher& polisher, const FactorOptions& options);

}  // namespace balmer::search
