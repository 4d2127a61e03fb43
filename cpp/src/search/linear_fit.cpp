#include "search/linear_fit.hpp"

#include <algorithm>
#include <cmath>

#include "eval/columns.hpp"

namespace balmer::search {
namespace {

using eval::dot;
using eval::subtract_multiple;

constexpr double kDependent = 1e-9;

/// out[i] = values[i] root_weight[i]; null is 1 for all rows.
void weigh(const double* values, const double* root_weight, std::size_t rows, double* out) {
    for (std::size_t i = 0; i < rows; ++i) {
        out[i] = (values != nullptr ? values[i] : 1.0) * (root_weight != nullptr ? root_weight[i] : 1.0);
    }
}

}  // namespace

/// Room for the basis of a problem.
void LinearFit::begin(std::size_t n_columns, std::size_t rows, bool intercept) {
    n_basis_ = n_columns + (intercept ? 1 : 0);
    intercept_ = intercept;
    basis_.resize(n_basis_ * rows);
    r_.assign(n_basis_ * n_basis_, 0);
    scale_.resize(n_basis_);
    projection_.resize(n_basis_);
    residual_.resize(rows);
}

/// Makes column k of the basis, which holds the values as they are, orthonormal to those before it. False if nothing is left.
bool LinearFit::add_column(std::size_t k, std::size_t rows) {
    double* q = &basis_[k * rows];
    const double norm = std::sqrt(dot(q, q, rows));
    if (!(norm > 0) || !std::isfinite(norm)) return false;
    scale_[k] = norm;
    for (std::size_t i = 0; i < rows; ++i) q[i] /= norm;
    for (std::size_t b = 0; b < k; ++b) r_[b * n_basis_ + k] = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t b = 0; b < k; ++b) {
            const double p = dot(&basis_[b * rows], q, rows);
            subtract_multiple(q, p, &basis_[b * rows], rows);
            r_[b * n_basis_ + k] += p;
        }
    }
    const double rest = std::sqrt(dot(q, q, rows));
    if (!(rest > kDependent)) return false;
    r_[k * n_basis_ + k] = rest;
    for (std::size_t i = 0; i < rows; ++i) q[i] /= rest;
    return true;
}

/// residual_ holds the weighted target: takes the basis out of it and finds the coefficients.
bool LinearFit::solve(std::size_t n_columns, std::size_t rows) {
    for (std::size_t k = 0; k < n_basis_; ++k) projection_[k] = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t k = 0; k < n_basis_; ++k) {
            const double p = dot(&basis_[k * rows], residual_.data(), rows);
            projection_[k] += p;
            subtract_multiple(residual_.data(), p, &basis_[k * rows], rows);
        }
    }
    residual_sum_ = dot(residual_.data(), residual_.data(), rows);
    if (!std::isfinite(residual_sum_)) return false;
    const std::size_t first = intercept_ ? 1 : 0;
    coefficients_.assign(n_columns + 1, 0);
    for (std::size_t k = n_basis_; k-- > 0;) {
        double sum = projection_[k];
        for (std::size_t b = k + 1; b < n_basis_; ++b) {
            sum -= r_[k * n_basis_ + b] * projection_[b];  // projection_[b] holds the scaled coefficient by now
        }
        projection_[k] = sum / r_[k * n_basis_ + k];
    }
    for (std::size_t k = 0; k < n_basis_; ++k) coefficients_[k + 1 - first] = projection_[k] / scale_[k];
    return true;
}

bool LinearFit::fit(std::span<const double* const> columns, const double* y, const double* root_weight,
                    std::size_t rows, bool intercept) {
    const std::size_t first = intercept ? 1 : 0;
    begin(columns.size(), rows, intercept);
    if (n_basis_ > rows) return false;
    for (std::size_t k = 0; k < n_basis_; ++k) {
        weigh(k < first ? nullptr : columns[k - first], root_weight, rows, &basis_[k * rows]);
        if (!add_column(k, rows)) return false;
    }
    weigh(y, root_weight, rows, residual_.data());
    return solve(columns.size(), rows);
}

bool LinearFit::reduce(std::span<const double* const> columns, const double* y, const double* root_weight,
                       std::size_t rows, ReducedProblem& out) {
    const std::size_t most = std::min(columns.size() + 1, rows);
    begin(columns.size(), rows, true);
    out.columns.clear();
    std::size_t k = 0;
    for (std::size_t c = 0; c <= columns.size() && k < most; ++c) {
        weigh(c > 0 ? columns[c - 1] : nullptr, root_weight, rows, &basis_[k * rows]);
        if (!add_column(k, rows)) {
            if (c == 0) return false;
            continue;
        }
        if (c > 0) out.columns.push_back(c - 1);
        ++k;
    }
    weigh(y, root_weight, rows, residual_.data());
    // The target in the basis, and as a last row the length of what is outside.
    out.target.assign(k + 1, 0);
    for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t b = 0; b < k; ++b) {
            const double p = dot(&basis_[b * rows], residual_.data(), rows);
            out.target[b] += p;
            subtract_multiple(residual_.data(), p, &basis_[b * rows], rows);
        }
    }
    out.target[k] = std::sqrt(dot(residual_.data(), residual_.data(), rows));
    out.values.assign(k, std::vector<double>(k + 1, 0.0));
    for (std::size_t c = 0; c < k; ++c) {
        for (std::size_t b = 0; b <= c; ++b) out.values[c][b] = scale_[c] * r_[b * n_basis_ + c];
    }
    return std::isfinite(out.target[k]);
}

bool LinearFit::fit(const ReducedProblem& problem, std::span<const std::size_t> places) {
    const std::size_t rows = problem.target.size();
    begin(places.size(), rows, true);
    for (std::size_t k = 0; k < n_basis_; ++k) {
        const std::vector<double>& column = problem.values[k == 0 ? 0 : places[k - 1] + 1];
        for (std::size_t i = 0; i < rows; ++i) basis_[k * rows + i] = column[i];
        if (!add_column(k, rows)) return false;
    }
    for (std::size_t i = 0; i < rows; ++i) residual_[i] = problem.target[i];
    return solve(places.size(), rows);
}

double LinearFit::unit_error(std::size_t k) const {
    if (!intercept_ && k == 0) return 0;
    const std::size_t index = intercept_ ? k : k - 1;
    // (R'R)^-1 at (index, index) is the squared norm of column `index` of R^-T: forward substitution on a unit vector.
    std::vector<double> z(n_basis_, 0);
    double sum = 0;
    for (std::size_t i = index; i < n_basis_; ++i) {
        double v = i == index ? 1 : 0;
        for (std::size_t b = index; b < i; ++b) v -= r_[b * n_basis_ + i] * z[b];
        z[i] = v / r_[i * n_basis_ + i];
        sum += z[i] * z[i];
    }
    return std::sqrt(sum) / scale_[index];
}

}  // namespace balmer::search
