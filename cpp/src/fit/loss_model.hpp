// The sum of a loss over the rows, and its expansion around a point in the space of constants.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "balmer/fit/loss.hpp"
#include "eval/program.hpp"

namespace balmer::fit {

/// Second-order model of the sum of losses F around a point. Matrices are dense, row by row, n x n.
struct LossExpansion {
    double sum = 0;                 ///< F; infinite where a prediction or a loss is not finite
    double distance = 0;            ///< mean distance of the predictions from the nearest kink, or from the target
    std::vector<double> gradient;   ///< -dF/dc
    std::vector<double> curvature;  ///< sum of L'' dp/dc dp/dc': may be indefinite
    std::vector<double>
        majorant;  ///< the same with curvatures that are not negative and, for robust losses, reach the minimum
};

/// Buffers and programs of a LossModel.
template <class T>
struct LossMemory final : LossScratch {
    std::array<eval::Program<T>, 3> loss;     // at the prediction: value, slope, curvature
    std::array<eval::Program<T>, 2> shifted;  // beside it: value, slope
    AlignedVector<T> prediction, beside, ones;
    AlignedVector<double> slope, curvature, majorant, spare, lanes;
    LossExpansion current, trial;
    std::vector<double> constants, trial_constants, start, step, scale, matrix;
    std::vector<bool> linear;
};

/// One expression, one loss, the first `rows` rows; the constants are as many as there are in memory.constants. All that is
/// given must outlive it.
template <class T>
class LossModel {
   public:
    LossModel(const Expression& expression, const Evaluator<T>& evaluator, const Loss& loss, std::size_t rows,
              eval::Range range, eval::Program<T>& program, LossMemory<T>& memory);

    /// The expansion at `constants`; false, with an infinite sum, where something is not finite.
    ///
    /// With smoothing h > 0, gradient and curvature are those of the loss averaged over [p - h, p + h], which has no
    /// kinks: its slope is (L(p + h) - L(p - h)) / 2h. The sum is that of the loss itself in any case.
    bool expand(std::span<const double> constants, double smoothing, LossExpansion& out);

    /// Predictions and their derivatives, column by column: jacobian[constant * stride + row].
    void linearise(std::span<const double> constants, std::span<double> prediction, std::span<double> jacobian,
                   std::size_t stride);

    /// out[row] = derivative of order 0, 1 or 2 of the loss at another prediction for each row.
    void derivative_at(std::span<const double> prediction, int order, std::span<double> out);

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] double target(std::size_t row) const noexcept { return static_cast<double>(data_.target()[row]); }

   private:
    void expand_rows(std::size_t row, std::size_t n, double smoothing);
    void smooth_rows(std::size_t row, std::size_t n, double smoothing);

    const Dataset<T>& data_;
    const Loss& loss_;
    std::size_t rows_, n_constants_;
    eval::Program<T>& program_;
    LossMemory<T>& m_;
};

}  // namespace balmer::fit
