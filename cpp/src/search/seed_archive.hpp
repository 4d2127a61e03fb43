// The formulas that the seed stage has found so far: a few of each complexity.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "search/description_length.hpp"

namespace balmer::search {

/// A formula with fitted constants.
struct Found {
    Expression expression;
    int complexity = 0;
    double loss = std::numeric_limits<double>::infinity();  ///< weighted mean of squared residuals over all rows
    double description = std::numeric_limits<double>::infinity();
    const char* stage = "";  ///< what found it
};

/// The best formulas of each complexity by description length; two of one structure count once.
class SeedArchive {
   public:
    static constexpr std::size_t kPerComplexity = 12;

    SeedArchive(const DescriptionScale& scale, double exact_loss) : scale_(scale), exact_loss_(exact_loss) {}

    /// Takes the formula if it is among the best of its complexity.
    void offer(Found found);

    [[nodiscard]] const DescriptionScale& scale() const noexcept { return scale_; }
    /// The loss at and below which a formula reproduces the target.
    [[nodiscard]] double exact_loss() const noexcept { return exact_loss_; }
    /// The formula of least description length; null if there is none.
    [[nodiscard]] const Found* best() const noexcept;
    /// The least complex formula that reproduces the target; null if there is none.
    [[nodiscard]] const Found* exact() const noexcept;
    /// All, by complexity, then description length.
    [[nodiscard]] const std::vector<std::vector<Found>>& by_complexity() const noexcept { return entries_; }

   private:
    DescriptionScale scale_;
    double exact_loss_;
    std::vector<std::vector<Found>> entries_;
};

}  // namespace balmer::search
