#include "fit/triangular_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace balmer::fit {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// Below these the angle between a column and those before it is rounding: of sums of products (squared), of reflections.
double least_pivot(std::size_t n) noexcept { return 16 * static_cast<double>(n) * kEpsilon; }
double least_diagonal(std::size_t n) noexcept { return 16 * static_cast<double>(n) * kEpsilon; }

}  // namespace

void TriangularModel::reserve(std::size_t n) {
    r_.reserve(n * n);
    z_.reserve(n);
    norm_.reserve(n);
    t_.reserve(n);
    spare_.reserve(n + 1);
    damped_.reserve(n * (n + 1));
}

void TriangularModel::start(std::size_t n, std::span<const std::size_t> order, std::size_t n_linear) {
    n_ = n;
    n_linear_ = n_linear;
    order_ = order;
    r_.assign(n * n, 0.0);
    z_.assign(n, 0.0);
    norm_.resize(n);
    t_.resize(n);
    smallest_pivot_ = 1;
    deficient_ = false;
}

void TriangularModel::drop(std::size_t k) {
    std::fill_n(r_.begin() + static_cast<std::ptrdiff_t>(k * n_ + k), n_ - k, 0.0);
    z_[k] = 0;
    deficient_ = true;
}

void TriangularModel::finish() {
    linear_gain_ = gain_ = 0;
    for (std::size_t k = 0; k < n_; ++k) {
        gain_ += z_[k] * z_[k];
        if (k + 1 == n_linear_) {
            linear_gain_ = gain_;
        }
    }
}

void TriangularModel::set(const NormalEquations& equations, std::span<const std::size_t> order, std::size_t n_linear) {
    const std::size_t n = equations.n;
    start(n, order, n_linear);
    noise_ = least_pivot(n);
    for (std::size_t k = 0; k < n; ++k) {
        norm_[k] = std::sqrt(equations.matrix[order[k] * n + order[k]]);
    }
    for (std::size_t k = 0; k < n; ++k) {  // Cholesky, row by row
        double pivot = norm_[k] > 0 ? 1 : 0;
        for (std::size_t i = 0; i < k; ++i) {
            pivot -= r_[i * n + k] * r_[i * n + k];
        }
        if (!(pivot > least_pivot(n))) {
            drop(k);
            continue;
        }
        smallest_pivot_ = std::min(smallest_pivot_, pivot);
        const double diagonal = std::sqrt(pivot), inverse = 1 / diagonal;
        r_[k * n + k] = diagonal;
        double z = equations.gradient[order[k]] / norm_[k];
        for (std::size_t i = 0; i < k; ++i) {
            z -= r_[i * n + k] * z_[i];
        }
        z_[k] = z * inverse;
        for (std::size_t j = k + 1; j < n; ++j) {
            if (norm_[j] > 0) {
                double sum = equations.matrix[order[k] * n + order[j]] / (norm_[k] * norm_[j]);
                for (std::size_t i = 0; i < k; ++i) {
                    sum -= r_[i * n + k] * r_[i * n + j];
                }
                r_[k * n + j] = sum * inverse;
            }
        }
    }
    finish();
}

void TriangularModel::set(const RowFactor& factor, std::span<const std::size_t> order, std::size_t n_linear) {
    const std::size_t n = factor.n, width = n + 1;
    start(n, order, n_linear);
    noise_ = least_diagonal(n) * least_diagonal(n);
    for (std::size_t k = 0; k < n; ++k) {
        double square = 0;
        for (std::size_t i = 0; i <= k; ++i) {
            square += factor.triangle[i * width + k] * factor.triangle[i * width + k];
        }
        norm_[k] = std::sqrt(square);
        for (std::size_t i = 0; i <= k && norm_[k] > 0; ++i) {
            r_[i * n + k] = factor.triangle[i * width + k] / norm_[k];
        }
        z_[k] = factor.triangle[k * width + n];
    }
    for (std::size_t k = 0; k < n; ++k) {
        if (const double diagonal = std::abs(r_[k * n + k]); diagonal > least_diagonal(n)) {
            smallest_pivot_ = std::min(smallest_pivot_, diagonal * diagonal);
            continue;
        }
        // What the row holds of later columns is along a direction that rounding chose: it goes to their rows.
        spare_.assign(r_.begin() + static_cast<std::ptrdiff_t>(k * n),
                      r_.begin() + static_cast<std::ptrdiff_t>(k * n + n));
        spare_.push_back(z_[k]);
        for (std::size_t i = k + 1; i < n; ++i) {
            rotate_in(i, r_.data() + i * n, z_[i], n);
        }
        drop(k);
    }
    finish();
}

/// Rotates the row `spare_` (its last value belongs to `z`) into row `i` of a triangle, so that its element i becomes 0.
void TriangularModel::rotate_in(std::size_t i, double* row, double& z, std::size_t n) {
    if (spare_[i] == 0) {
        return;
    }
    const double length = std::sqrt(row[i] * row[i] + spare_[i] * spare_[i]);
    const double c = row[i] / length, s = spare_[i] / length;
    row[i] = length;
    for (std::size_t j = i + 1; j <= n; ++j) {
        double& above = j < n ? row[j] : z;
        const double old = above, below = spare_[j];
        above = c * old + s * below;
        spare_[j] = c * below - s * old;
    }
}

/// Squared length of the scaled column k, less what the linear columns take up of it.
double TriangularModel::share(std::size_t k) const noexcept {
    double square = 0;
    for (std::size_t i = n_linear_; i <= k; ++i) {
        square += r_[i * n_ + k] * r_[i * n_ + k];
    }
    return square;
}

double TriangularModel::curvature(std::size_t k) const noexcept { return share(k) * norm_[k] * norm_[k]; }

/// t of the linear unknowns from those of the nonlinear ones.
void TriangularModel::solve_linear_block() {
    for (std::size_t k = n_linear_; k-- > 0;) {
        double sum = z_[k];
        for (std::size_t j = k + 1; j < n_; ++j) {
            sum -= r_[k * n_ + j] * t_[j];
        }
        t_[k] = r_[k * n_ + k] > 0 ? sum / r_[k * n_ + k] : 0;
    }
}

void TriangularModel::scatter(std::span<double> step) const {
    for (std::size_t k = 0; k < n_; ++k) {
        step[order_[k]] = norm_[k] > 0 ? t_[k] / norm_[k] : 0;
    }
}

void TriangularModel::linear_step(std::span<double> step) {
    std::fill(t_.begin(), t_.end(), 0.0);
    solve_linear_block();
    scatter(step);
}

double TriangularModel::damped_step(double lambda, std::span<const double> damping, std::span<double> step) {
    const std::size_t m = n_ - n_linear_;
    damped_.resize(m * (m + 1));  // the trailing block, with z as its last column
    spare_.resize(m + 1);
    for (std::size_t i = 0; i < m; ++i) {
        for (std::size_t j = i; j < m; ++j) {
            const std::size_t column = n_linear_ + j;
            damped_[i * (m + 1) + j] = is_redundant(column) ? 0 : r_[(n_linear_ + i) * n_ + column];
        }
        damped_[i * (m + 1) + m] = z_[n_linear_ + i];
    }
    // Each row of the damping is rotated into the triangle, as MINPACK's qrsolv does: no product that would square the
    // condition.
    for (std::size_t k = 0; k < m; ++k) {
        const std::size_t column = n_linear_ + k;
        const double weight = !is_redundant(column) ? std::sqrt(lambda * damping[column]) / norm_[column] : 0;
        if (weight == 0) {
            continue;
        }
        std::fill(spare_.begin(), spare_.end(), 0.0);
        spare_[k] = weight;
        for (std::size_t i = k; i < m; ++i) {
            double* const row = damped_.data() + i * (m + 1);
            rotate_in(i, row, row[m], m);
        }
    }
    double predicted = 0;
    for (std::size_t k = m; k-- > 0;) {
        const double* const row = damped_.data() + k * (m + 1);
        const std::size_t column = n_linear_ + k;
        double sum = row[m];
        for (std::size_t j = k + 1; j < m; ++j) {
            sum -= row[j] * t_[n_linear_ + j];
        }
        t_[column] = row[k] > 0 ? sum / row[k] : 0;
        const double s = norm_[column] > 0 ? t_[column] / norm_[column] : 0;
        predicted += row[m] * row[m] + lambda * damping[column] * s * s;
    }
    solve_linear_block();
    scatter(step);
    return predicted;
}

void TriangularModel::inverse_diagonal(std::span<double> diagonal) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t k = 0; k < n_; ++k) {
        // Column k of the inverse of the transposed triangle; its squared length is the element wanted.
        double square = 0;
        std::fill(t_.begin(), t_.end(), 0.0);
        for (std::size_t i = k; i < n_; ++i) {
            if (r_[i * n_ + i] == 0) {
                continue;
            }
            double sum = i == k ? 1 : 0;
            for (std::size_t j = k; j < i; ++j) {
                sum -= r_[j * n_ + i] * t_[j];
            }
            t_[i] = sum / r_[i * n_ + i];
            square += t_[i] * t_[i];
        }
        diagonal[order_[k]] = r_[k * n_ + k] > 0 ? square / (norm_[k] * norm_[k]) : kNan;
    }
    // A dropped column is a combination of those before it: no constant with a part in that is determined.
    for (std::size_t k = 0; k < n_; ++k) {
        if (r_[k * n_ + k] > 0 || norm_[k] == 0) {
            continue;
        }
        std::fill(t_.begin(), t_.end(), 0.0);
        for (std::size_t i = k; i-- > 0;) {
            double sum = r_[i * n_ + k];
            for (std::size_t j = i + 1; j < k; ++j) {
                sum -= r_[i * n_ + j] * t_[j];
            }
            t_[i] = r_[i * n_ + i] > 0 ? sum / r_[i * n_ + i] : 0;
            if (std::abs(t_[i]) > 1e-8) {
                diagonal[order_[i]] = kNan;
            }
        }
    }
}

}  // namespace balmer::fit
