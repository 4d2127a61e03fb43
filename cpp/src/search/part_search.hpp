// Better parts for the formulas that are best so far.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

struct PartOptions {
    int rounds = 4;            ///< at most
    std::size_t formulas = 3;  ///< whose parts are looked at in a round
};

/// Takes one operand at a time out of the best formulas. What should stand there follows from the target through the
/// inverses of the operators above (semantic back-propagation: Pawlak, Wieloch & Krawiec 2015); the closed-form
/// families look for it, with each row weighted as what an error there does to y. The constants of the whole formula
/// are fitted anew. Goes on while the least description length falls. `rows`: those to screen on; of positive weight.
void search_for_parts(const View& raw, Polisher& polisher, std::span<const std::uint32_t> rows,
                      const PartOptions& options, const std::function<void(std::string)>& log);

}  // namespace balmer::search
