// Levenberg-Marquardt with the linear constants projected out, over some of the rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "balmer/fit/fit.hpp"
#include "eval/program.hpp"
#include "fit/linear_constants.hpp"
#include "fit/normal_equations.hpp"
#include "fit/row_runs.hpp"
#include "fit/triangular_model.hpp"

namespace balmer {
namespace fit {

/// Constants, and what a pass over the rows there told.
struct Point {
    std::vector<double> constants;
    double sum = 0;         // of squares
    TriangularModel model;  // around them

    /// The sum of squares once the linear constants are at their optimum: the functional that variable projection
    /// minimises. It is exact, for the sum is quadratic in them, and costs no pass.
    [[nodiscard]] double projected() const noexcept { return std::max(0.0, sum - model.linear_gain()); }

    /// Points are swapped: each must have room, lest one allocates in a later fit.
    void reserve(std::size_t n) {
        constants.reserve(n);
        model.reserve(n);
    }
};

/// The expression as a program. It is compiled as written; once something is not finite, and the extended range may help,
/// with that, which is slower.
template <class T>
struct Formula {
    const Expression& expression;
    const Evaluator<T>& evaluator;
    eval::Program<T>& program;
    std::size_t rows;
    std::size_t free_constants = eval::kAllConstants;
    eval::Range range = eval::Range::extended;

    void compile(eval::Range wanted) {
        range = wanted;
        program.compile(expression, evaluator.operators(), evaluator.data().columns(), rows,
                        eval::Derivatives::constants, range, free_constants);
    }
    [[nodiscard]] bool may_be_rescued() const {
        return eval::has_extended_form(expression, evaluator.operators(), evaluator.data().is_extreme());
    }
    /// Whether there was another range to go to.
    bool extend() {
        if (range == eval::Range::extended || !may_be_rescued()) {
            return false;
        }
        compile(eval::Range::extended);
        return true;
    }
};

}  // namespace fit

template <class T>
struct FitWorkspace<T>::Impl {
    fit::LinearConstants analysis;
    fit::PassScratch scratch;
    fit::NormalEquations equations;
    fit::RowFactor factor;
    fit::Point current, trial, spare;
    std::vector<bool> linear;
    std::vector<std::size_t> order;  // linear constants first
    std::vector<double> start, step, damping, first, best, chosen;
};

namespace fit {

/// The first damping, and the factor by which it grows when a step does not do what was promised, twice that after the next,
/// and so on; after one that does it falls. Nielsen has 2, which needs more steps on the expressions of a search.
inline constexpr double kFirstDamping = 1e-2, kNearDamping = 1e-6, kGrowth = 3;

/// One fit: Levenberg-Marquardt on the projected sum of squares.
template <class T>
class LevenbergMarquardt {
   public:
    LevenbergMarquardt(Formula<T>& formula, RowRuns rows, const FitOptions& options,
                       typename FitWorkspace<T>::Impl& memory);

    /// For a start that is known to be near the minimum: less damping.
    void expect_near() noexcept { lambda_ = kNearDamping; }

    /// Starts at memory.start and leaves the best constants in memory.current.
    FitResult run();

    /// One pass at memory.start: the loss with the linear constants at their optimum; infinite where it is not finite.
    double probe();

    /// After run(): the loss at the start with the linear constants at their optimum.
    [[nodiscard]] double projected_start() const noexcept { return projected_start_ / weight_; }

   private:
    enum class Step : std::uint8_t { taken, refused, settled };
    enum class Near : std::uint8_t { counts, waits };

    /// Fills in what a pass tells at point.constants; false if something is not finite or the sum is above `limit`.
    bool evaluate(Point& point, double limit);

    /// Moves the linear constants of `point` to their optimum as long as that saves more than `worth` of its sum: more than
    /// once where the first solution is off by its rounding, as when it is much smaller than what it replaces. What moves them
    /// little may wait for the next step.
    void solve_linear(Point& point, double worth, int repeats, Near near = Near::counts);
    [[nodiscard]] bool moves_much(const Point& point) const;

    void update_damping();
    bool is_short() const;
    Step try_step(double predicted);
    FitResult finish(FitStatus status);

    Formula<T>& formula_;
    const Dataset<T>& data_;
    RowRuns rows_;
    const FitOptions& options_;
    typename FitWorkspace<T>::Impl& m_;
    std::size_t n_, n_linear_ = 0;
    double weight_;   // sum of the weights
    double squares_;  // of the target, weighted
    double floor_;    // a sum of squares that is rounding of the target
    double start_sum_ = std::numeric_limits<double>::infinity(), projected_start_ = start_sum_;
    double lambda_ = kFirstDamping, growth_ = kGrowth;
    bool by_rows_ = false, dependent_ = false;  // how to evaluate: see `evaluate`
    FitResult result_;
};

}  // namespace fit
}  // namespace balmer
