#include "eval/known_columns.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "random_expression.hpp"

using namespace balmer;

namespace {

constexpr std::size_t kFeatures = 3;

Dataset<double> table(std::size_t rows, double scale) {
    Rng rng(5, rows);
    std::vector<double> values, target;
    for (std::size_t i = 0; i < rows * kFeatures; ++i) values.push_back(scale * rng.normal());
    for (std::size_t i = 0; i < rows; ++i) target.push_back(rng.normal());
    return Dataset<double>(MatrixView<double>{values.data(), rows, kFeatures, 1, rows}, target);
}

}  // namespace

TEST_CASE("columns of built-in functions of one feature are known, and nothing else") {
    const Dataset<double> data = table(100, 1);
    OperatorSet operators;
    const Op twice = operators.define("twice(x) = 2 * x");
    const std::vector<Op> of_search = {Op::Sin, Op::Add, twice, Op::Sqrt};
    const eval::KnownColumns<double> known(data, of_search, operators);
    for (std::size_t j = 0; j < kFeatures; ++j) {
        const double* const sines = known.find(Op::Sin, j);
        const double* const roots = known.find(Op::Sqrt, j);
        REQUIRE(sines != nullptr);
        REQUIRE(roots != nullptr);
        for (std::size_t i = 0; i < 100; ++i) {
            CHECK(sines[i] == apply(Op::Sin, data.column(j)[i]));
            CHECK((roots[i] == apply(Op::Sqrt, data.column(j)[i]) || data.column(j)[i] < 0));
        }
        for (const Op op : {Op::Cos, Op::Add, twice}) CHECK(known.find(op, j) == nullptr);
    }
    // What would not stay in the cache is not kept.
    const Dataset<double> large = table(100'000, 1);
    CHECK(eval::KnownColumns<double>(large, of_search, operators).find(Op::Sin, 0) == nullptr);
}

TEST_CASE("with known columns the mean squared error has the same bits") {
    std::vector<Op> unary;
    for (std::size_t code = kFirstOp; code < static_cast<std::size_t>(Op::Count_); ++code) {
        if (OperatorSet::builtin().arity(static_cast<Op>(code)) == 1) unary.push_back(static_cast<Op>(code));
    }
    // Large features, for what leaves the range on the way and is put right.
    for (const double scale : {1.0, 400.0}) {
        for (const std::size_t rows : {1U, 15U, 100U, 700U}) {
            const Dataset<double> data = table(rows, scale);
            const eval::KnownColumns<double> known(data, unary, OperatorSet::builtin());
            const Evaluator<double> evaluator(data);
            Workspace<double> workspace, own;
            Rng rng(6, rows);
            const double infinity = std::numeric_limits<double>::infinity();
            const auto compare = [&](const Expression& e) {
                const double expected = evaluator.mean_squared_error(e, rows, workspace);
                const double loss = eval::mean_squared_error(evaluator, e, rows, own, infinity, &known);
                INFO(to_text(e), ", ", rows, " rows");
                CHECK(std::bit_cast<std::uint64_t>(loss) == std::bit_cast<std::uint64_t>(expected));
            };
            for (const Op op : unary) compare(Expression::apply(op, Expression::feature(1)));
            for (const char* text : {"log(exp(x0) + 1)", "exp(x1) / (exp(x1) + 2)", "sin(x0) * cos(x1) + 3"}) {
                compare(parse(text));
            }
            for (int k = 0; k < 300; ++k) compare(test::random_expression(rng));
        }
    }
}

TEST_CASE("known columns are read instead of computed") {
    const Dataset<double> data = table(100, 1), other = table(90, 1);
    const std::vector<Op> sine = {Op::Sin};
    const eval::KnownColumns<double> wrong(other, sine, OperatorSet::builtin());
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    const auto differs = [&](const char* text) {
        const Expression e = parse(text);
        return eval::mean_squared_error(evaluator, e, 90, workspace, 1e9, &wrong) !=
               evaluator.mean_squared_error(e, 90, workspace);
    };
    CHECK(differs("sin(x0)"));
    CHECK(differs("2 * sin(x2) + x1"));
    CHECK_FALSE(differs("sin(x0 + 1)"));
    CHECK_FALSE(differs("cos(x0)"));
    CHECK_FALSE(differs("sin(0.5) * x0"));
}
