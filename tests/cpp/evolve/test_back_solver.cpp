// What parts of formulas should be: inverses against the operators themselves, and the mutation made of them.
#include "balmer/evolve/back_solver.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"

using namespace balmer;

namespace {

const std::vector<Op> kOperators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Cos, Op::Exp, Op::Square};

/// Rows of three features in [1, 3] and a target.
Dataset<double> rows_of(const char* law, std::size_t n, std::span<const double> weights = {}) {
    Rng rng(23, 0);
    std::vector<double> X(3 * n), y(n);
    for (double& x : X) x = 1 + 2 * rng.uniform();
    const MatrixView<double> matrix{X.data(), n, 3, 1, n};
    Workspace<double> workspace;
    Evaluator<double>(Dataset<double>(matrix)).evaluate(parse(law), y, workspace);
    return Dataset<double>(matrix, y, weights, RowOrder::ladder);
}

double value_of(Op op, std::size_t k, double operand, double other) {
    return k == 0 ? balmer::apply(op, operand, other) : balmer::apply(op, other, operand);
}

}  // namespace

TEST_CASE("an operation on what is wanted of its operand is what is wanted of the operation") {
    Rng rng(5, 0);
    int checked = 0;
    for (const OpInfo& row : operator_table()) {
        for (std::size_t k = 0; k < std::min<std::size_t>(row.arity, 2); ++k) {
            if (!is_invertible(row.op, k)) continue;
            ++checked;
            INFO(row.name << ", operand " << k);
            const std::size_t n = 50;
            Wanted wanted{std::vector<double>(n), std::vector<double>(n)};
            std::vector<double> now(n), other(n);
            for (std::size_t i = 0; i < n; ++i) {
                now[i] = 2 * rng.normal();
                other[i] = row.op == Op::Pow ? 1 + rng.uniform() : 2 * rng.normal();
                const double present = value_of(row.op, k, now[i], other[i]);
                wanted.set(i, present * (1 + 0.1 * rng.uniform()), 0.5 + rng.uniform());
            }
            const Wanted inside = wanted_of_operand(row.op, k, wanted, other, now);
            int usable = 0;
            for (std::size_t i = 0; i < n; ++i) {
                if (inside.slope[i] == 0) continue;
                ++usable;
                const double x = inside.value[i], step = 1e-6 * std::abs(x);
                CHECK(value_of(row.op, k, x, other[i]) == doctest::Approx(wanted.value[i]).epsilon(1e-9));
                const double change =
                    (value_of(row.op, k, x + step, other[i]) - value_of(row.op, k, x - step, other[i])) / (2 * step);
                CHECK(inside.slope[i] == doctest::Approx(wanted.slope[i] * std::abs(change)).epsilon(1e-4));
            }
            CHECK(usable >= 20);
        }
    }
    CHECK(checked == 16);
}

TEST_CASE("the part that is wrong is replaced by what should stand there") {
    const Dataset<double> data = rows_of("x0 * (2 * cos(x1) + 7) - exp(x2)", 100);
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3);
    const BackSolver solver(space, data);
    REQUIRE(solver.is_able());
    Rng rng(1, 0);
    Workspace<double> workspace;
    const Evaluator<double> evaluator(data);
    const Expression parent = parse("x0 * square(x2) - exp(x2)");
    double least = 1e300;
    Expression child, best;
    int born = 0;
    for (int k = 0; k < 200; ++k) {
        if (!solver.apply(parent, rng, child, workspace)) continue;
        ++born;
        REQUIRE(parse(to_text(child)) == child);
        const double loss = evaluator.mean_squared_error(child, data.n_rows(), workspace);
        if (loss < least) least = loss, best = child;
    }
    INFO(to_text(best));
    CHECK(born > 50);
    CHECK(least < 1e-18);
    // The same numbers draw the same child.
    Rng first(9, 0), second(9, 0);
    Expression other;
    for (int k = 0; k < 20; ++k) {
        const bool done = solver.apply(parent, first, child, workspace);
        REQUIRE(solver.apply(parent, second, other, workspace) == done);
        if (done) CHECK(child == other);
    }
}

TEST_CASE("rows of weight zero have no say in what a part should be") {
    std::vector<double> weights(100, 1.0);
    Dataset<double> data = rows_of("x0 * cos(x1)", 100);
    std::vector<double> X, y(data.target(), data.target() + 100);
    for (std::size_t j = 0; j < 3; ++j) X.insert(X.end(), data.column(j), data.column(j) + 100);
    for (std::size_t i = 0; i < 100; i += 3) {
        weights[i] = 0;
        y[i] = 1000;
    }
    const Dataset<double> weighted(MatrixView<double>{X.data(), 100, 3, 1, 100}, y, weights);
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3);
    const BackSolver solver(space, weighted);
    Rng rng(1, 0);
    Workspace<double> workspace;
    Expression child;
    const Evaluator<double> evaluator(weighted);
    double least = 1e300;
    for (int k = 0; k < 200; ++k) {
        if (!solver.apply(parse("x0 * x2"), rng, child, workspace)) continue;
        least = std::min(least, evaluator.mean_squared_error(child, 100, workspace));
    }
    CHECK(least < 1e-18);
}

TEST_CASE("without rows or operators to scale a formula there is nothing to solve for") {
    const SearchSpace space(OperatorSet::builtin(), kOperators, 3);
    CHECK_FALSE(BackSolver(space, rows_of("x0 + x1", 19)).is_able());
    CHECK(BackSolver(space, rows_of("x0 + x1", 20)).is_able());
    const std::vector<Op> few = {Op::Sub, Op::Div};
    const SearchSpace poor(OperatorSet::builtin(), few, 3);
    CHECK_FALSE(BackSolver(poor, rows_of("x0 + x1", 100)).is_able());
    // A formula that no inverse leads into stays as it is.
    const Dataset<double> data = rows_of("x0 + x1", 100);
    Rng rng(1, 0);
    Workspace<double> workspace;
    Expression child;
    CHECK_FALSE(BackSolver(space, data).apply(parse("cos(x0)"), rng, child, workspace));
    CHECK_FALSE(BackSolver(space, data).apply(parse("x0"), rng, child, workspace));
}
