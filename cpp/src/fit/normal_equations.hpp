// J'WJ, J'Wr and r'Wr of an expression at given constants, and the small linear systems made of them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "balmer/eval/evaluator.hpp"
#include "eval/program.hpp"

namespace balmer::fit {

/// The quadratic model of the sum of squares around a point. Matrices are dense, row by row.
struct NormalEquations {
    std::size_t n = 0;             ///< constants
    double sum = 0;                ///< r'Wr
    std::vector<double> matrix;    ///< J'WJ, n x n
    std::vector<double> gradient;  ///< J'Wr: the direction in which the sum of squares falls

    [[nodiscard]] double at(std::size_t i, std::size_t j) const noexcept { return matrix[i * n + j]; }
};

/// Evaluates the model on the first `rows` rows. `program` was compiled with derivatives by constants; its constants are
/// set here. Returns false, with `sum` infinite, where a value or a derivative is not finite.
template <class T>
bool accumulate(eval::Program<T>& program, const Dataset<T>& data, std::size_t rows, std::span<const double> constants,
                AlignedVector<double>& lanes, NormalEquations& out);

/// Solves symmetric positive semidefinite systems of a few unknowns by Cholesky in the scale of the diagonal; where
/// that breaks down, by eigenvalues, leaving out directions that the matrix does not determine.
class SymmetricSolver {
   public:
    /// Factors the n x n `matrix` (row by row, changed). Directions below `threshold` of the largest eigenvalue (of the
    /// matrix scaled to a unit diagonal) count as undetermined.
    void factor(std::span<double> matrix, std::size_t n, double threshold = 1e-14);

    /// x = matrix^-1 b, in place. In undetermined directions x is 0.
    void solve(std::span<double> b) const;

    /// Whether every direction was determined.
    [[nodiscard]] bool full_rank() const noexcept { return full_rank_; }

    /// The diagonal of the inverse; NaN for unknowns that lie in an undetermined direction.
    [[nodiscard]] std::vector<double> inverse_diagonal() const;

   private:
    std::size_t n_ = 0;
    bool cholesky_ = true, full_rank_ = true;
    std::vector<double> scale_;   // 1 / sqrt(diagonal)
    std::vector<double> factor_;  // lower triangle, or eigenvectors by column
    std::vector<double> values_;  // inverse eigenvalues, 0 where undetermined
};

}  // namespace balmer::fit
