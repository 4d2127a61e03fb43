// The rows of one iteration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/eval/dataset.hpp"

namespace balmer {

/// Draws random subsets of the rows of a dataset.
///
/// One row is drawn from each of `size` equal stretches of the data, so no row comes twice and, if the data are in the order
/// of the ladder, every stretch of the target is represented about as often as in the whole.
class BatchSampler {
   public:
    /// `data` must outlive it. Rows of weight 0 are never drawn.
    BatchSampler(const Dataset<double>& data, std::size_t size);

    /// Fewer rows than asked for if there are not as many of positive weight.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] Dataset<double> draw(Rng rng);

   private:
    const Dataset<double>* data_;
    std::vector<std::uint32_t> rows_;  // of positive weight; empty: all
    std::size_t size_;
    std::vector<double> features_, target_, weights_;
};

enum class Outliers : std::uint8_t { kept, dropped };

/// Whether the targets of some rows, not of most, are so near 0 that digits are lost. To least squares these rows say nothing;
/// their logarithm, which may be what a law is found by, is wrong.
[[nodiscard]] bool underflows(const Dataset<double>& data);

/// The first `rows` rows of positive weight as a dataset of their own: of data in ladder order, a fair sample. Outliers, if
/// dropped, are rows whose target lies further than 1.5 times the distance of the quartiles beyond these (Tukey 1977). Of
/// a target that `underflows`, rows of a subnormal number and of 0 are left out.
[[nodiscard]] Dataset<double> first_rows_of(const Dataset<double>& data, std::size_t rows,
                                            Outliers outliers = Outliers::kept);

}  // namespace balmer
