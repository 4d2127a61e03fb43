#include "search/surface.hpp"

#include <algorithm>
#include <cmath>

#include "balmer/expr/op.hpp"

namespace balmer::search {
namespace {

double ln(double x) { return balmer::apply(Op::Log, x); }

void all_exponents(std::size_t dimensions, int left, std::vector<int>& current, std::vector<std::vector<int>>& out) {
    if (current.size() == dimensions) {
        if (std::any_of(current.begin(), current.end(), [](int e) { return e != 0; })) out.push_back(current);
        return;
    }
    for (int e = 0; e <= left; ++e) {
        current.push_back(e);
        all_exponents(dimensions, left - e, current, out);
        current.pop_back();
    }
}

}  // namespace

int degree_for(std::size_t dimensions) noexcept {
    if (dimensions <= 2) return 6;
    if (dimensions == 3) return 5;
    if (dimensions == 4) return 4;
    return dimensions <= 6 ? 3 : 2;
}

bool Surface::fit(std::span<const std::vector<double>* const> polynomial,
                  std::span<const std::vector<double>* const> linear, std::span<const double> response,
                  std::span<const double> root_weight, int degree) {
    const std::size_t n = response.size(), d = polynomial.size();
    degree_ = degree;
    n_linear_ = linear.size();
    exponents_.clear();
    std::vector<int> current;
    if (d > 0) all_exponents(d, degree, current, exponents_);
    if (3 * terms() > 2 * n) return false;
    shift_.assign(d, 0);
    scale_.assign(d, 1);
    const auto stride = static_cast<std::size_t>(degree) + 1;
    powers_.assign(d * stride, {});
    for (std::size_t j = 0; j < d; ++j) {
        const std::vector<double>& z = *polynomial[j];
        double mean = 0, variance = 0;
        for (std::size_t i = 0; i < n; ++i) mean += z[i];
        mean /= static_cast<double>(n);
        for (std::size_t i = 0; i < n; ++i) variance += (z[i] - mean) * (z[i] - mean);
        variance /= static_cast<double>(n);
        if (!(variance > 0) || !std::isfinite(variance)) return false;
        shift_[j] = mean;
        scale_[j] = 1.8 * std::sqrt(variance);
        for (std::size_t p = 0; p < stride; ++p) {
            std::vector<double>& column = powers_[j * stride + p];
            column.assign(n, 1.0);
            if (p == 0) continue;
            for (std::size_t i = 0; i < n; ++i) {
                column[i] = powers_[j * stride + p - 1][i] * ((z[i] - mean) / scale_[j]);
            }
        }
    }
    std::vector<std::vector<double>> columns;
    for (const std::vector<int>& exponents : exponents_) {
        std::vector<double> column(n, 1.0);
        for (std::size_t j = 0; j < d; ++j) {
            if (exponents[j] == 0) continue;
            const std::vector<double>& power = powers_[j * stride + static_cast<std::size_t>(exponents[j])];
            for (std::size_t i = 0; i < n; ++i) column[i] *= power[i];
        }
        columns.push_back(std::move(column));
    }
    std::vector<const double*> pointers;
    for (const std::vector<double>* z : linear) pointers.push_back(z->data());
    for (const std::vector<double>& column : columns) pointers.push_back(column.data());
    const double* w = root_weight.empty() ? nullptr : root_weight.data();
    if (!fit_.fit(pointers, response.data(), w, n)) return false;
    double sum = 0, mean = 0, spread = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double wi = w ? w[i] * w[i] : 1;
        sum += wi;
        mean += wi * response[i];
    }
    mean /= sum;
    for (std::size_t i = 0; i < n; ++i) {
        spread += (w ? w[i] * w[i] : 1) * (response[i] - mean) * (response[i] - mean);
    }
    const auto rows = static_cast<double>(n), k = static_cast<double>(terms());
    // Below 1e-12 of the spread a residual is rounding, and rounding says nothing about which surface is right.
    const double rss = std::max(fit_.residual_sum(), 1e-24 * spread + 1e-300);
    r_squared_ = 1 - fit_.residual_sum() / spread;
    residual_ = std::sqrt(fit_.residual_sum() / (rows - k));
    evidence_ = rows * ln(rss / rows) + k * ln(rows);
    return true;
}

double Surface::slope(std::size_t k) const { return fit_.coefficients()[k + 1]; }

double Surface::slope_error(std::size_t k) const { return residual_ * fit_.unit_error(k + 1); }

std::vector<double> Surface::gradient(std::size_t j) const {
    const auto stride = static_cast<std::size_t>(degree_) + 1;
    const std::size_t n = powers_.empty() ? 0 : powers_[0].size(), d = shift_.size();
    std::vector<double> sum(n, 0.0), column(n);
    for (std::size_t t = 0; t < exponents_.size(); ++t) {
        const std::vector<int>& exponents = exponents_[t];
        if (exponents[j] == 0) continue;
        const double c = fit_.coefficients()[1 + n_linear_ + t] * exponents[j] / scale_[j];
        std::fill(column.begin(), column.end(), c);
        for (std::size_t q = 0; q < d; ++q) {
            const int e = exponents[q] - (q == j ? 1 : 0);
            if (e == 0) continue;
            const std::vector<double>& power = powers_[q * stride + static_cast<std::size_t>(e)];
            for (std::size_t i = 0; i < n; ++i) column[i] *= power[i];
        }
        for (std::size_t i = 0; i < n; ++i) sum[i] += column[i];
    }
    return sum;
}

}  // namespace balmer::search
