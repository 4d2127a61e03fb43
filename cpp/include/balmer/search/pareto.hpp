// The best formula of each complexity, and the front among them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balmer/evolve/candidate.hpp"

namespace balmer {

/// Keeps the candidate of least loss at each complexity. What it holds does not depend on the order of the offers: at equal
/// loss the smaller hash wins.
class Archive {
   public:
    /// Complexities from 1 to `max_complexity`; others are not taken.
    explicit Archive(int max_complexity = 0);

    /// Takes the candidate if it is better than what it has at that complexity. `candidate.loss` is that on all rows.
    bool offer(const Candidate& candidate);

    /// Least loss at each complexity, by complexity from 0; infinite where there is none.
    [[nodiscard]] std::span<const double> losses() const noexcept { return losses_; }
    /// The candidate of that complexity, null if there is none.
    [[nodiscard]] const Candidate* at(int complexity) const noexcept;

    /// Those whose loss is below that of every simpler one, by rising complexity. It ends with the first whose loss is at
    /// most `floor`: below that, differences are rounding.
    [[nodiscard]] std::vector<const Candidate*> front(double floor = 0) const;

   private:
    std::vector<Candidate> best_;  // by complexity; no roles where there is none
    std::vector<double> losses_;
};

}  // namespace balmer
