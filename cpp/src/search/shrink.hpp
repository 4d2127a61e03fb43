// Smaller formulas that are as good.
#pragma once

#include <atomic>
#include <functional>

#include "balmer/evolve/candidate.hpp"
#include "search/problem.hpp"

namespace balmer {

/// Each formula that is `expression` with a part of an operator's operands, or a constant, in the place of that operator.
void for_each_replacement(const Expression& expression, const std::function<void(Expression)>& use);

/// Takes away what an exact formula does not need: puts a part of it, or a constant, in the place of each subtree, fits the constants anew, and goes on from the simplest formula whose loss is still at most
/// `problem.floor`. Returns the candidate itself if there is none.
[[nodiscard]] Candidate shrunk(const Candidate& candidate, const Problem& problem, FitWorkspace<double>& workspace,
                               double& evaluations, const std::atomic<bool>& cancelled);

}  // namespace balmer
