// Newton steps from a matrix of curvatures that may not be positive definite.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace balmer::fit {

class CurvatureSolver {
   public:
    /// Factors the symmetric n x n `matrix` (row by row, changed) by Cholesky, in the scale of its diagonal. Returns
    /// whether it is positive definite, by more than rounding.
    bool factor(std::span<double> matrix, std::size_t n);

    /// x = matrix^-1 b, in place. If the matrix is not positive definite, directions without a positive curvature are
    /// left out: x is 0 in them.
    void solve(std::span<double> b) const;

   private:
    std::size_t n_ = 0;
    bool positive_ = true;
    std::vector<double> scale_;   // 1 / sqrt(diagonal); 0 where that is not positive
    std::vector<double> factor_;  // lower triangle, or eigenvectors by column
    std::vector<double> values_;  // inverse eigenvalues, 0 for those left out
};

}  // namespace balmer::fit
