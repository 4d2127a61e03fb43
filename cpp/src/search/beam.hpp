// Sums of three to five atoms: the best pairs, extended one atom at a time.
#pragma once

#include "search/description_length.hpp"
#include "search/model.hpp"

namespace balmer::search {

struct BeamOptions {
    std::size_t width = 32;  ///< sums that are extended
    std::size_t most_terms = 5;
    std::size_t kept = 12;      ///< sums of each length that are returned although they are not exact
    bool every_triple = false;  ///< also every sum of three of the simplest atoms
    DescriptionScale scale;     ///< what sums are ranked by
};

/// Orthogonal least squares with a beam: each sum is extended by every atom, gain = <r, h>^2 / (1 - sum <q, h>^2),
/// and those of least description length live on. `pairs`: hits of one target. Returns formulas of y, those that fit
/// exactly first.
[[nodiscard]] std::vector<Expression> extend_pairs(const ModelContext& context, const Panel& panel,
                                                   std::span<const Hit> pairs, std::size_t target,
                                                   const BeamOptions& options);

}  // namespace balmer::search
