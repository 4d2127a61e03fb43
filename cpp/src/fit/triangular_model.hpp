// The sum of squares around a point as |R s - z|^2 + rest, and the steps s that this promises something for.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fit/normal_equations.hpp"

namespace balmer::fit {

/// Unknowns stand in an order in which those that enter linearly come first. So the leading block solves for them alone,
/// and the trailing block is the model with them projected out, as in variable projection with Kaufman's Jacobian: nothing
/// else has to be computed for it.
///
/// Columns are scaled to length 1. A column that depends on those before it (to rounding) gets no row: its constant stays
/// where it is, unless damping moves it.
class TriangularModel {
   public:
    /// Makes room for n unknowns.
    void reserve(std::size_t n);

    /// `order[k]` is the constant of column k; the first `n_linear` are the linear ones.
    void set(const NormalEquations& equations, std::span<const std::size_t> order, std::size_t n_linear);
    void set(const RowFactor& factor, std::span<const std::size_t> order, std::size_t n_linear);

    /// Least squared sine of the angle between a column and those before it, dropped columns left out.
    [[nodiscard]] double smallest_pivot() const noexcept { return smallest_pivot_; }
    /// Whether a column was dropped.
    [[nodiscard]] bool deficient() const noexcept { return deficient_; }

    /// What the sum of squares falls by when the linear constants move to their optimum, and what it would fall by in the
    /// undamped minimum of the model, all constants moving.
    [[nodiscard]] double linear_gain() const noexcept { return linear_gain_; }
    [[nodiscard]] double gain() const noexcept { return gain_; }

    /// Squared length of the column of unknown k >= n_linear, less what the linear columns take up of it.
    [[nodiscard]] double curvature(std::size_t k) const noexcept;

    /// The step of the linear constants to their optimum; 0 for the others. By constant, as are all steps.
    void linear_step(std::span<double> step);

    /// The minimum of the model + lambda sum damping[k] s_k^2 over the nonlinear unknowns (damping by unknown); the
    /// linear ones follow to their optimum. Returns what the projected sum of squares should fall by.
    double damped_step(double lambda, std::span<const double> damping, std::span<double> step);

    /// The diagonal of (J'WJ)^-1, by constant; NaN where the data do not determine it.
    void inverse_diagonal(std::span<double> diagonal);

   private:
    void start(std::size_t n, std::span<const std::size_t> order, std::size_t n_linear);
    void drop(std::size_t k);
    void rotate_in(std::size_t i, double* row, double& z, std::size_t n);
    void finish();
    [[nodiscard]] double share(std::size_t k) const noexcept;
    /// Whether the linear constants can do all that constant k >= n_linear can: then it stays, for what is left of its column
    /// is rounding, and so would be its step.
    [[nodiscard]] bool is_redundant(std::size_t k) const noexcept { return !(share(k) > noise_); }
    void solve_linear_block();
    void scatter(std::span<double> step) const;

    std::size_t n_ = 0, n_linear_ = 0;
    std::span<const std::size_t> order_;  // the caller's, which outlives the use of this
    std::vector<double> r_, z_, norm_;    // upper triangle by rows; right-hand side; lengths of the columns
    std::vector<double> damped_, spare_, t_;
    double noise_ = 0;  // a share that is rounding
    double smallest_pivot_ = 1, linear_gain_ = 0, gain_ = 0;
    bool deficient_ = false;
};

}  // namespace balmer::fit
