// Who breeds: complexity statistics and the tournament.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balmer/core/rng.hpp"

namespace balmer {

/// How often each complexity occurs in the populations: a slowly moving window of what was seen after each iteration.
class FrequencyStatistics {
   public:
    /// One of each complexity from 1 to `max_complexity`.
    explicit FrequencyStatistics(int max_complexity = 0);

    /// Counts one member; complexities out of range are not counted.
    void add(int complexity) noexcept;

    /// Shaves the largest counts until they sum to at most kWindow, none below 1, and refreshes the frequencies.
    void close_iteration() noexcept;

    /// Share of `complexity` when close_iteration was last called; 0 out of range.
    [[nodiscard]] double frequency(int complexity) const noexcept {
        return complexity >= 1 && complexity <= static_cast<int>(frequencies_.size())
                   ? frequencies_[static_cast<std::size_t>(complexity) - 1]
                   : 0.0;
    }

    [[nodiscard]] std::span<const double> counts() const noexcept { return counts_; }
    void restore(std::span<const double> counts);

    static constexpr double kWindow = 100'000;

   private:
    std::vector<double> counts_, frequencies_;
};

/// Draws the winner of a tournament as a rank in the whole population, 0 being its best.
///
/// A tournament draws n of N members without replacement and lets the k-th best of them win with probability
/// p (1 - p)^k. The rank of the winner in the population has a distribution of its own, which depends on N, n and p
/// alone: it is made once, and a tournament costs one random number instead of n.
class Tournament {
   public:
    Tournament(std::size_t population, std::size_t contestants, double p);

    [[nodiscard]] std::size_t draw(Rng& rng) const noexcept;

    /// Probability that the winner has at most this rank.
    [[nodiscard]] std::span<const double> cumulative() const noexcept { return cumulative_; }

   private:
    std::vector<double> cumulative_;
};

}  // namespace balmer
