// The formulas that the seed stage has found so far: a few of each complexity.
#pragma once

#include <algorithm>
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

    /// `exact_loss`: at and below which nothing but rounding is left. `rounding_loss`, far below it: what the rounding of a
    /// law's own arithmetic leaves, if that is well-conditioned.
    SeedArchive(const DescriptionScale& scale, double exact_loss, double rounding_loss)
        : scale_(scale), exact_loss_(exact_loss), rounding_loss_(std::min(exact_loss, rounding_loss)) {}

    /// Takes the formula if it is among the best of its complexity.
    void offer(Found found);
    /// Takes it in the place of the one of its structure, and at most at its price: prices here know nothing of standard errors.
    void put_in_place_of_twin(Found found);

    [[nodiscard]] const DescriptionScale& scale() const noexcept { return scale_; }
    /// The loss at and below which nothing but rounding is left.
    [[nodiscard]] double exact_loss() const noexcept { return exact_loss_; }
    /// The formula of least description length; null if there is none.
    [[nodiscard]] const Found* best() const noexcept;
    /// The least complex formula that reproduces the target; null if there is none. To begin with it must do so to
    /// `rounding_loss`: a short series or a polynomial comes near to `exact_loss` too, before the law has been tried.
    [[nodiscard]] const Found* exact() const noexcept;
    /// From now on formulas of few constants need only reach `exact_loss`: a law may be ill-conditioned.
    void forgive_rounding() noexcept { forgiving_ = true; }
    /// All, by complexity, then description length.
    [[nodiscard]] const std::vector<std::vector<Found>>& by_complexity() const noexcept { return entries_; }

   private:
    /// Prices the formula and inserts it, unless a twin of the same structure is better and `in_place` is false.
    void insert(Found found, bool in_place);

    DescriptionScale scale_;
    double exact_loss_, rounding_loss_;
    bool forgiving_ = false;
    std::vector<std::vector<Found>> entries_;
};

}  // namespace balmer::search
