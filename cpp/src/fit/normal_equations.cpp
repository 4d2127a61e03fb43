#include "fit/normal_equations.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace balmer::fit {

template <class T>
bool accumulate(eval::Program<T>& program, const Dataset<T>& data, std::size_t rows, std::span<const double> constants,
                AlignedVector<double>& lanes, NormalEquations& out) {
    const std::size_t n = constants.size();
    const std::size_t products = n * (n + 1) / 2;
    const std::size_t sums = products + n + 1;
    const eval::KernelTable& table = eval::kernels();
    const auto& kernels = eval::kernels_of<T>(table);
    lanes.assign(sums * eval::kSumLanes, 0.0);
    {
        const eval::FlushSubnormals scope(table);
        program.set_constants(constants);
        for (std::size_t r = 0; r < rows; r += program.block_rows()) {
            const std::size_t block = std::min(program.block_rows(), rows - r);
            const T* const values = program.run(r, padded(block));
            program.reverse(r, padded(block));
            kernels.normal_equations(program.derivatives().data(), n, values, data.target() + r,
                                     data.weights() != nullptr ? data.weights() + r : nullptr, block, lanes.data());
        }
    }
    out.n = n;
    out.matrix.resize(n * n);
    out.gradient.resize(n);
    const double* lane = lanes.data();
    double check = 0;  // NaN or infinite as soon as one of the sums is
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j, lane += eval::kSumLanes) {
            const double sum = eval::sum_lanes(lane);
            out.matrix[i * n + j] = out.matrix[j * n + i] = sum;
            check += sum * 0;
        }
    }
    for (std::size_t i = 0; i < n; ++i, lane += eval::kSumLanes) {
        out.gradient[i] = eval::sum_lanes(lane);
        check += out.gradient[i] * 0;
    }
    out.sum = eval::sum_lanes(lane);
    check += out.sum * 0;
    if (check != 0) {
        out.sum = std::numeric_limits<double>::infinity();
        return false;
    }
    return true;
}

template bool accumulate<double>(eval::Program<double>&, const Dataset<double>&, std::size_t, std::span<const double>,
                                 AlignedVector<double>&, NormalEquations&);
template bool accumulate<float>(eval::Program<float>&, const Dataset<float>&, std::size_t, std::span<const double>,
                                AlignedVector<double>&, NormalEquations&);

void SymmetricSolver::factor(std::span<double> matrix, std::size_t n, double threshold) {
    n_ = n;
    scale_.resize(n);
    factor_.resize(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        const double d = matrix[i * n + i];
        scale_[i] = d > 0 ? 1 / std::sqrt(d) : 0;
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            matrix[i * n + j] *= scale_[i] * scale_[j];
        }
    }
    cholesky_ = full_rank_ = true;
    for (std::size_t i = 0; i < n && cholesky_; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = matrix[i * n + j];
            for (std::size_t k = 0; k < j; ++k) {
                sum -= factor_[i * n + k] * factor_[j * n + k];
            }
            if (j < i) {
                factor_[i * n + j] = sum / factor_[j * n + j];
            } else if (sum > threshold * 100) {
                factor_[i * n + i] = std::sqrt(sum);
            } else {
                cholesky_ = false;
            }
        }
    }
    if (cholesky_) {
        return;
    }
    const auto size = static_cast<Eigen::Index>(n);
    const Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> scaled(
        matrix.data(), size, size);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
    values_.resize(n);
    const double largest = solver.eigenvalues()(size - 1);
    for (std::size_t k = 0; k < n; ++k) {
        const auto column = static_cast<Eigen::Index>(k);
        const double value = solver.eigenvalues()(column);
        values_[k] = value > threshold * largest ? 1 / value : 0;
        full_rank_ = full_rank_ && values_[k] > 0;
        for (std::size_t i = 0; i < n; ++i) {
            factor_[i * n + k] = solver.eigenvectors()(static_cast<Eigen::Index>(i), column);
        }
    }
}

void SymmetricSolver::solve(std::span<double> b) const {
    for (std::size_t i = 0; i < n_; ++i) {
        b[i] *= scale_[i];
    }
    if (cholesky_) {
        for (std::size_t i = 0; i < n_; ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                b[i] -= factor_[i * n_ + k] * b[k];
            }
            b[i] /= factor_[i * n_ + i];
        }
        for (std::size_t i = n_; i-- > 0;) {
            for (std::size_t k = i + 1; k < n_; ++k) {
                b[i] -= factor_[k * n_ + i] * b[k];
            }
            b[i] /= factor_[i * n_ + i];
        }
    } else {
        std::vector<double> projected(n_, 0.0);
        for (std::size_t k = 0; k < n_; ++k) {
            for (std::size_t i = 0; i < n_; ++i) {
                projected[k] += factor_[i * n_ + k] * b[i];
            }
            projected[k] *= values_[k];
        }
        for (std::size_t i = 0; i < n_; ++i) {
            b[i] = 0;
            for (std::size_t k = 0; k < n_; ++k) {
                b[i] += factor_[i * n_ + k] * projected[k];
            }
        }
    }
    for (std::size_t i = 0; i < n_; ++i) {
        b[i] *= scale_[i];
    }
}

std::vector<double> SymmetricSolver::inverse_diagonal() const {
    std::vector<double> diagonal(n_);
    std::vector<double> unit(n_);
    for (std::size_t i = 0; i < n_; ++i) {
        bool determined = scale_[i] > 0;
        if (!cholesky_) {
            for (std::size_t k = 0; k < n_; ++k) {
                determined = determined && (values_[k] > 0 || std::abs(factor_[i * n_ + k]) < 1e-8);
            }
        }
        std::fill(unit.begin(), unit.end(), 0.0);
        unit[i] = 1;
        solve(unit);
        diagonal[i] = determined ? unit[i] : std::numeric_limits<double>::quiet_NaN();
    }
    return diagonal;
}

}  // namespace balmer::fit
