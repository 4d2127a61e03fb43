// Polynomial response surfaces: a smooth stand-in for an unknown law, good enough to see in which combinations the
// variables enter.
#pragma once

#include <span>
#include <vector>

#include "search/linear_fit.hpp"

namespace balmer::search {

/// A polynomial in some coordinates plus linear terms in others.
///
/// The evidence (BIC) compares surfaces of different shape over the same rows and response: a surface with fewer terms that
/// fits as well has the smaller one, with noise and without.
class Surface {
   public:
    /// Fits `response` over the columns; all spans have one value for each row. `root_weight` may be empty. False if there are
    /// too few rows (at least 1.5 for each term) or the terms depend on each other.
    bool fit(std::span<const std::vector<double>* const> polynomial, std::span<const std::vector<double>* const> linear,
             std::span<const double> response, std::span<const double> root_weight, int degree);

    /// n ln(residual sum / n) + terms ln n.
    [[nodiscard]] double evidence() const noexcept { return evidence_; }
    /// 1 - residual / spread of the response.
    [[nodiscard]] double r_squared() const noexcept { return r_squared_; }
    /// Standard deviation of the residual, with the terms counted off.
    [[nodiscard]] double residual() const noexcept { return residual_; }
    /// Weighted residuals on the rows of the fit.
    [[nodiscard]] std::span<const double> residuals() const noexcept { return fit_.residuals(); }
    [[nodiscard]] std::size_t terms() const noexcept { return exponents_.size() + 1 + n_linear_; }
    /// Slope of linear coordinate k, and its standard error.
    [[nodiscard]] double slope(std::size_t k) const;
    [[nodiscard]] double slope_error(std::size_t k) const;
    /// d surface / d coordinate j of the polynomial, on the rows of the fit.
    [[nodiscard]] std::vector<double> gradient(std::size_t j) const;

   private:
    std::vector<std::vector<int>> exponents_;
    std::vector<double> shift_, scale_;
    std::vector<std::vector<double>> powers_;  // powers_[j * (degree + 1) + p]: standardised coordinate j to the p
    std::vector<double> linear_scale_;
    std::size_t n_linear_ = 0;
    int degree_ = 0;
    LinearFit fit_;
    double evidence_ = 0, r_squared_ = 0, residual_ = 0;
};

/// The degree that `dimensions` coordinates bear.
[[nodiscard]] int degree_for(std::size_t dimensions) noexcept;

}  // namespace balmer::search
