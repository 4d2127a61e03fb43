#include "balmer/evolve/selection.hpp"

#include <algorithm>

namespace balmer {

FrequencyStatistics::FrequencyStatistics(int max_complexity)
    : counts_(static_cast<std::size_t>(std::max(0, max_complexity)), 1.0) {
    close_iteration();
}

void FrequencyStatistics::add(int complexity) noexcept {
    if (complexity >= 1 && complexity <= static_cast<int>(counts_.size())) {
        counts_[static_cast<std::size_t>(complexity) - 1] += 1;
    }
}

void FrequencyStatistics::close_iteration() noexcept {
    double sum = 0;
    for (const double count : counts_) sum += count;
    // Every entry above 1 gives the same amount; one that would fall below 1 gives what it can, and the rest is asked
    // of the others in the next round.
    while (sum > kWindow) {
        const auto givers = static_cast<double>(std::ranges::count_if(counts_, [](double c) { return c > 1; }));
        if (givers == 0) break;
        const double each = (sum - kWindow) / givers;
        sum = 0;
        for (double& count : counts_) {
            if (count > 1) count = std::max(1.0, count - each);
            sum += count;
        }
        if (each < 1e-6) break;  // what is left is rounding
    }
    frequencies_ = counts_;
    for (double& frequency : frequencies_) frequency /= sum;
}

void FrequencyStatistics::restore(std::span<const double> counts) {
    counts_.assign(counts.begin(), counts.end());
    double sum = 0;
    for (const double count : counts_) sum += count;
    frequencies_ = counts_;
    for (double& frequency : frequencies_) frequency /= sum;
}

Tournament::Tournament(std::size_t population, std::size_t contestants, double p) : cumulative_(population, 0.0) {
    const std::size_t n = std::min(contestants, population);
    std::vector<double> wins(n);  // of the k-th best contestant
    double rest = 1, total = 0;
    for (double& win : wins) {
        win = p * rest;
        rest *= 1 - p;
        total += win;
    }
    if (total == 0) wins[0] = total = 1;

    // Go through the population from its best: chosen[s] is the probability that s of the members so far are among the
    // contestants. Given s, the next one is a contestant with probability (n - s) / (members left).
    std::vector<double> chosen(n + 1, 0.0);
    chosen[0] = 1;
    double sum = 0;
    for (std::size_t rank = 0; rank < population; ++rank) {
        const auto left = static_cast<double>(population - rank);
        for (std::size_t s = std::min(rank, n - 1) + 1; s-- > 0;) {
            const double taken = chosen[s] * static_cast<double>(n - s) / left;
            sum += taken * wins[s] / total;
            chosen[s + 1] += taken;
            chosen[s] -= taken;
        }
        cumulative_[rank] = sum;
    }
}

std::size_t Tournament::draw(Rng& rng) const noexcept {
    const double u = rng.uniform() * cumulative_.back();
    std::size_t rank = 0;
    while (rank + 1 < cumulative_.size() && cumulative_[rank] <= u) ++rank;
    return rank;
}

}  // namespace balmer
