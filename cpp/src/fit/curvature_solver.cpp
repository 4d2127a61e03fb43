#include "fit/curvature_solver.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>

namespace balmer::fit {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// Of the largest eigenvalue: below this a curvature is rounding.
constexpr double kThreshold = 1e-14;

}  // namespace

bool CurvatureSolver::factor(std::span<double> matrix, std::size_t n) {
    n_ = n;
    scale_.resize(n);
    factor_.resize(n * n);
    values_.resize(n);
    positive_ = true;
    for (std::size_t i = 0; i < n; ++i) {
        const double d = matrix[i * n + i];
        scale_[i] = d > 0 ? 1 / std::sqrt(d) : 0;
        positive_ = positive_ && scale_[i] > 0;
    }
    const auto size = static_cast<Eigen::Index>(n);
    Eigen::Map<Matrix> scaled(matrix.data(), size, size);
    const Eigen::Map<const Vector> scale(scale_.data(), size);
    scaled = scale.asDiagonal() * scaled * scale.asDiagonal();
    Eigen::Map<Matrix> out(factor_.data(), size, size);
    if (positive_) {
        const Eigen::LLT<Matrix> cholesky(scaled);
        out = cholesky.matrixL();
        positive_ = cholesky.info() == Eigen::Success && out.diagonal().minCoeff() > std::sqrt(100 * kThreshold);
    }
    if (!positive_) {
        const Eigen::SelfAdjointEigenSolver<Matrix> solver(scaled);
        out = solver.eigenvectors();
        const double largest = solver.eigenvalues()(size - 1);
        for (std::size_t k = 0; k < n; ++k) {
            const double value = solver.eigenvalues()(static_cast<Eigen::Index>(k));
            values_[k] = value > kThreshold * largest && value > 0 ? 1 / value : 0;
        }
    }
    return positive_;
}

void CurvatureSolver::solve(std::span<double> b) const {
    const auto size = static_cast<Eigen::Index>(n_);
    const Eigen::Map<const Matrix> factor(factor_.data(), size, size);
    const Eigen::Map<const Vector> scale(scale_.data(), size);
    Eigen::Map<Vector> x(b.data(), size);
    x = x.cwiseProduct(scale);
    if (positive_) {
        factor.triangularView<Eigen::Lower>().solveInPlace(x);
        factor.triangularView<Eigen::Lower>().transpose().solveInPlace(x);
    } else {
        const Eigen::Map<const Vector> values(values_.data(), size);
        x = factor * values.cwiseProduct(factor.transpose() * x);
    }
    x = x.cwiseProduct(scale);
}

}  // namespace balmer::fit
