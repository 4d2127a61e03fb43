// Small weighted linear least squares in double precision.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace balmer::search {

/// A least-squares problem with as few rows as it has columns: the same coefficients, errors and sums of squares for every
/// choice of the columns.
struct ReducedProblem {
    std::vector<std::size_t>
        columns;  ///< which of the given ones: those that depend on others before them are left out
    std::vector<std::vector<double>> values;  ///< of the constant, then of the columns; the weights are in them
    std::vector<double> target;
};

/// Least squares by Gram-Schmidt applied twice, which keeps the basis orthogonal to rounding (Giraud et al. 2005).
///
/// An object is the scratch memory of one thread; reuse allocates nothing once it has seen the largest problem.
class LinearFit {
   public:
    /// Fits y ~ c0 + sum c[k] columns[k] over the rows, weighted by the squares of `root_weight` (null: 1). Without
    /// `intercept`, c0 is 0. False if columns depend on each other to 1e-9 or something is not finite.
    bool fit(std::span<const double* const> columns, const double* y, const double* root_weight, std::size_t rows,
             bool intercept = true);

    /// The problem of `fit` reduced to its triangle. False if nothing is left or something is not finite.
    bool reduce(std::span<const double* const> columns, const double* y, const double* root_weight, std::size_t rows,
                ReducedProblem& out);
    /// Fits with some columns of a reduced problem, by their place in ReducedProblem::columns.
    bool fit(const ReducedProblem& problem, std::span<const std::size_t> places);

    /// c0 (0 without intercept), then one for each column.
    [[nodiscard]] std::span<const double> coefficients() const noexcept { return coefficients_; }
    /// Sum of weighted squared residuals.
    [[nodiscard]] double residual_sum() const noexcept { return residual_sum_; }
    /// The weighted residuals, one for each row.
    [[nodiscard]] std::span<const double> residuals() const noexcept { return residual_; }
    /// Standard error of coefficient k (as in `coefficients`) for a residual of unit variance.
    [[nodiscard]] double unit_error(std::size_t k) const;

   private:
    std::vector<double> basis_, r_, residual_, scale_, projection_, coefficients_;
    double residual_sum_ = 0;
    std::size_t n_basis_ = 0;
    bool intercept_ = true;

    void begin(std::size_t n_columns, std::size_t rows, bool intercept);
    bool add_column(std::size_t k, std::size_t rows);
    bool solve(std::size_t n_columns, std::size_t rows);
};

}  // namespace balmer::search
