// Values and derivatives of expressions over rows.
#pragma once

#include <limits>
#include <memory>
#include <span>

#include "balmer/eval/dataset.hpp"
#include "balmer/expr/operator_set.hpp"

namespace balmer {

namespace eval {
template <class T>
class Program;
}

/// Scratch memory of one thread. It grows with the largest expression it has seen; calls that reuse it allocate nothing.
template <class T>
class Workspace {
   public:
    Workspace();
    ~Workspace();
    Workspace(Workspace&&) noexcept;
    Workspace& operator=(Workspace&&) noexcept;

    /// The program of the last compilation (internal to the library).
    [[nodiscard]] eval::Program<T>& program() noexcept { return *program_; }

   private:
    std::unique_ptr<eval::Program<T>> program_;
};

/// Evaluates expressions over one dataset. Const use from several threads is safe, each with its own workspace.
///
/// Results do not depend on the instruction set, on the number of threads or on the size of blocks. Subnormal numbers
/// count as zero. `data` and `operators` must outlive the evaluator.
template <class T>
class Evaluator {
   public:
    explicit Evaluator(const Dataset<T>& data, const OperatorSet& operators = OperatorSet::builtin())
        : data_(&data), operators_(&operators) {}

    [[nodiscard]] const Dataset<T>& data() const noexcept { return *data_; }
    [[nodiscard]] const OperatorSet& operators() const noexcept { return *operators_; }

    /// out[row] = value of `expression`, for every row.
    /// Throws std::invalid_argument if `out` has not one element per row or a feature is not in the data.
    void evaluate(const Expression& expression, std::span<T> out, Workspace<T>& workspace) const;

    /// Weighted mean of (target - value)^2 over the first `rows` rows; infinity where a value is not finite, and as soon as
    /// the partial sums exceed `bound` (a mean), for then the exact value does not matter.
    [[nodiscard]] double mean_squared_error(const Expression& expression, std::size_t rows, Workspace<T>& workspace,
                                            double bound = std::numeric_limits<double>::infinity()) const;

    /// The sum of `row_loss` over the first `rows` rows divided by the sum of their weights. `row_loss` is an expression over
    /// (prediction, target, weight) as features 0, 1 and 2, in built-in operators; the weight is 1 if the data have none.
    /// Infinite where a prediction or a loss is not finite, and as soon as the partial sums exceed `bound` (a mean): give
    /// one only for a loss that is never negative. Throws std::invalid_argument if the data have no target.
    [[nodiscard]] double mean_loss(const Expression& expression, const Expression& row_loss, std::size_t rows,
                                   Workspace<T>& workspace,
                                   double bound = std::numeric_limits<double>::infinity()) const;

    /// Values, and derivatives with respect to the features: gradient[feature * n_rows + row].
    void evaluate_with_gradient(const Expression& expression, std::span<T> out, std::span<T> gradient,
                                Workspace<T>& workspace) const;

    /// Values, and derivatives with respect to the constants: jacobian[constant * n_rows + row].
    void evaluate_with_jacobian(const Expression& expression, std::span<T> out, std::span<T> jacobian,
                                Workspace<T>& workspace) const;

   private:
    const Dataset<T>* data_;
    const OperatorSet* operators_;
};

/// out[expression * n_rows + row] for many expressions over the same rows, on `n_threads` threads (at least 1). Large data
/// are taken in tiles of rows, all expressions over one tile before the next.
template <class T>
void evaluate_all(std::span<const Expression* const> expressions, std::span<const OperatorSet* const> operators,
                  const Dataset<T>& data, std::span<T> out, int n_threads = 1);

}  // namespace balmer
