#include "fit/normal_equations.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "eval/columns.hpp"
#include "eval/row_sum.hpp"

namespace balmer::fit {
namespace {

template <class T>
const T* weights_from(const Dataset<T>& data, std::size_t row) noexcept {
    return data.weights() != nullptr ? data.weights() + row : nullptr;
}

/// Runs the program over the rows, block by block: `add_squares(values, target, weights, n, lanes)`, then
/// `add_derivatives(row, n)`. Returns the sum of squares; infinity when it is above `limit`, NaN when it is not finite.
template <class T, class AddSquares, class AddDerivatives>
double pass(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows, std::span<const double> constants,
            double limit, const AddSquares& add_squares, const AddDerivatives& add_derivatives) {
    const eval::FlushSubnormals scope(eval::kernels());
    constexpr double kLargest = std::numeric_limits<double>::max();
    alignas(kAlignment) std::array<double, eval::kSumLanes> lanes{};
    double sum = 0;
    program.set_constants(constants);
    const bool below = rows.for_each_run([&](std::size_t first, std::size_t n) {
        for (std::size_t r = first; r < first + n; r += program.block_rows()) {
            const std::size_t block = std::min(program.block_rows(), first + n - r);
            add_squares(program.run(r, padded(block)), data.target() + r, weights_from(data, r), block, lanes.data());
            // The sum first: a step that leads nowhere needs no derivatives.
            sum = eval::sum_lanes(lanes.data());
            if (!(sum <= std::min(limit, kLargest))) {
                return false;
            }
            add_derivatives(r, block);
        }
        return true;
    });
    if (below) {
        return sum;
    }
    return sum <= kLargest ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
}

/// The same with the residuals of each block in `scratch`, for the derivatives.
template <class T, class AddDerivatives>
double pass_with_residuals(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows,
                           std::span<const double> constants, double limit, PassScratch& scratch,
                           const AddDerivatives& add_derivatives) {
    scratch.residual.resize(program.block_rows());
    const auto residuals = eval::kernels_of<T>(eval::kernels()).residuals;
    const auto add_squares = [&](const T* values, const T* y, const T* w, std::size_t n, double* lanes) {
        residuals(values, y, w, n, scratch.residual.data(), lanes);
    };
    return pass(program, data, rows, constants, limit, add_squares, add_derivatives);
}

/// Reflects a block of rows into the triangle (Golub & Van Loan, algorithm 5.1.1): below the diagonal of a column stands
/// nothing but the block, so a reflection touches one row of the triangle. `block` holds columns of `rows` values, a multiple
/// of kLanes.
void reflect(std::span<double> triangle, std::size_t n_columns, double* block, std::size_t rows) {
    using eval::dot;
    constexpr std::size_t kDivision = static_cast<std::size_t>(Op::Div) - kFirstOp;
    const auto divide = eval::kernels().f64.forward[kDivision][eval::vs];
    for (std::size_t j = 0; j < n_columns; ++j) {
        double* const v = block + j * rows;
        double* const row = triangle.data() + j * n_columns;
        const double below = dot(v, v, rows);
        if (below == 0) {
            continue;
        }
        const double corner = row[j], norm = std::sqrt(corner * corner + below);
        const double pivot = corner <= 0 ? corner - norm : -below / (corner + norm);
        const double scale = 2 * pivot * pivot / (below + pivot * pivot);
        divide(v, v, &pivot, nullptr, rows);
        row[j] = norm;
        for (std::size_t l = j + 1; l < n_columns; ++l) {
            double* const u = block + l * rows;
            const double share = scale * (row[l] + dot(v, u, rows));
            row[l] -= share;
            eval::subtract_multiple(u, share, v, rows);
        }
    }
}

/// Whether all are finite: a NaN or an infinity times 0 is NaN.
bool all_finite(std::span<const double> values) {
    double check = 0;
    for (const double value : values) {
        check += value * 0;
    }
    return check == 0;
}

}  // namespace

template <class T>
bool evaluate(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows, std::span<const double> constants,
              double limit, PassScratch& scratch, NormalEquations& out) {
    const std::size_t n = constants.size();
    const auto add_products = eval::kernels_of<T>(eval::kernels()).normal_equations;
    scratch.lanes.assign((n * (n + 1) / 2 + n) * eval::kSumLanes, 0.0);
    out.n = n;
    const auto add = [&](std::size_t r, std::size_t block) {
        program.reverse(r, padded(block));
        add_products(program.derivatives().data(), n, scratch.residual.data(), weights_from(data, r), block,
                     scratch.lanes.data());
    };
    out.sum = pass_with_residuals(program, data, rows, constants, limit, scratch, add);
    if (!(out.sum <= std::numeric_limits<double>::max())) {
        return false;
    }
    out.matrix.resize(n * n);
    out.gradient.resize(n);
    const double* lane = scratch.lanes.data();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j, lane += eval::kSumLanes) {
            out.matrix[i * n + j] = out.matrix[j * n + i] = eval::sum_lanes(lane);
        }
    }
    for (std::size_t i = 0; i < n; ++i, lane += eval::kSumLanes) {
        out.gradient[i] = eval::sum_lanes(lane);
    }
    if (!all_finite(out.matrix) || !all_finite(out.gradient)) {
        out.sum = std::numeric_limits<double>::quiet_NaN();
        return false;
    }
    return true;
}

template <class T>
bool evaluate(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows, std::span<const double> constants,
              std::span<const std::size_t> order, PassScratch& scratch, RowFactor& out) {
    const std::size_t n = constants.size();
    out.n = n;
    out.triangle.assign((n + 1) * (n + 1), 0.0);
    scratch.block.resize((n + 1) * program.block_rows());
    const auto add = [&](std::size_t r, std::size_t block) {
        program.reverse(r, padded(block));
        const std::size_t stride = padded(block);
        for (std::size_t k = 0; k <= n; ++k) {
            double* const column = scratch.block.data() + k * stride;
            if (k < n) {
                std::copy_n(program.derivatives()[order[k]], block, column);
            } else {
                std::copy_n(scratch.residual.data(), block, column);
            }
            std::fill(column + block, column + stride, 0.0);
            if (data.weights() != nullptr) {
                for (std::size_t i = 0; i < block; ++i) {
                    column[i] *= std::sqrt(static_cast<double>(data.weights()[r + i]));
                }
            }
        }
        reflect(out.triangle, n + 1, scratch.block.data(), stride);
    };
    constexpr double kNoLimit = std::numeric_limits<double>::infinity();
    out.sum = pass_with_residuals(program, data, rows, constants, kNoLimit, scratch, add);
    if (!(out.sum <= std::numeric_limits<double>::max()) || !all_finite(out.triangle)) {
        out.sum = std::numeric_limits<double>::quiet_NaN();
        return false;
    }
    return true;
}

template <class T>
double sum_of_squares(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows,
                      std::span<const double> constants, double limit) {
    return pass(program, data, rows, constants, limit, eval::kernels_of<T>(eval::kernels()).squared_error,
                [](std::size_t, std::size_t) {});
}

template bool evaluate<double>(eval::Program<double>&, const Dataset<double>&, RowRuns, std::span<const double>, double,
                               PassScratch&, NormalEquations&);
template bool evaluate<float>(eval::Program<float>&, const Dataset<float>&, RowRuns, std::span<const double>, double,
                              PassScratch&, NormalEquations&);
template bool evaluate<double>(eval::Program<double>&, const Dataset<double>&, RowRuns, std::span<const double>,
                               std::span<const std::size_t>, PassScratch&, RowFactor&);
template bool evaluate<float>(eval::Program<float>&, const Dataset<float>&, RowRuns, std::span<const double>,
                              std::span<const std::size_t>, PassScratch&, RowFactor&);

template double sum_of_squares<double>(eval::Program<double>&, const Dataset<double>&, RowRuns, std::span<const double>,
                                       double);
template double sum_of_squares<float>(eval::Program<float>&, const Dataset<float>&, RowRuns, std::span<const double>,
                                      double);

}  // namespace balmer::fit
