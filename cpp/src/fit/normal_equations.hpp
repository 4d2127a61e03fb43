// What a pass over the rows tells of the sum of squares around a point.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "balmer/core/aligned.hpp"
#include "balmer/eval/dataset.hpp"
#include "eval/program.hpp"
#include "fit/row_runs.hpp"

namespace balmer::fit {

/// J'WJ, J'Wr and r'Wr of an expression at given constants. Matrices are dense, row by row.
struct NormalEquations {
    std::size_t n = 0;             ///< constants
    double sum = 0;                ///< r'Wr
    std::vector<double> matrix;    ///< J'WJ, n x n
    std::vector<double> gradient;  ///< J'Wr: the direction in which the sum of squares falls
};

/// The triangular factor of [J r], rows times the square root of their weight: the columns in a given order, the residuals
/// last. It keeps the digits that J'WJ loses when columns are nearly dependent.
struct RowFactor {
    std::size_t n = 0;             ///< constants
    double sum = 0;                ///< r'Wr
    std::vector<double> triangle;  ///< upper triangle, (n + 1) x (n + 1), row by row
};

/// Memory of a pass.
struct PassScratch {
    AlignedVector<double> lanes;
    AlignedVector<double> residual;  // of a block of rows
    std::vector<double> block;       // columns of a block of rows, for RowFactor
};

/// Evaluates on `rows`. `program` was compiled with derivatives by constants; its constants are set here.
/// Returns false, with a `sum` of NaN, where a value or a derivative is not finite, and as soon as the sum is above `limit`, with
/// infinity.
template <class T>
bool evaluate(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows, std::span<const double> constants,
              double limit, PassScratch& scratch, NormalEquations& out);

/// The same by Householder reflections, block by block: some times slower. `order[k]` is the constant of column k.
template <class T>
bool evaluate(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows, std::span<const double> constants,
              std::span<const std::size_t> order, PassScratch& scratch, RowFactor& out);

/// r'Wr alone, as exact; infinity or NaN likewise.
template <class T>
double sum_of_squares(eval::Program<T>& program, const Dataset<T>& data, RowRuns rows,
                      std::span<const double> constants, double limit);

}  // namespace balmer::fit
