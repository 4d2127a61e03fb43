#include "balmer/eval/evaluator.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/expr/parse.hpp"
#include "balmer/expr/print.hpp"
#include "random_expression.hpp"

using namespace balmer;

namespace {

/// Columns of uniform numbers.
struct Table {
    std::vector<double> values, target;
    std::size_t rows, features;

    Table(std::size_t n, std::size_t d, std::uint64_t seed, double low = -2, double high = 3) : rows(n), features(d) {
        Rng rng(seed, 0);
        for (std::size_t i = 0; i < n * d; ++i) {
            values.push_back(low + (high - low) * rng.uniform());
        }
        for (std::size_t i = 0; i < n; ++i) {
            target.push_back(rng.normal());
        }
    }
    [[nodiscard]] MatrixView<double> view() const { return {values.data(), rows, features, 1, rows}; }
    [[nodiscard]] double at(std::size_t row, std::size_t j) const { return values[j * rows + row]; }
};

/// The value of one row, node by node.
double walk(const Expression& e, const OperatorSet& operators, const std::vector<double>& x) {
    std::vector<double> stack;
    for (const Node& node : e.nodes) {
        if (node.op == Op::Constant) {
            stack.push_back(e.constants[node.index]);
        } else if (node.op == Op::Feature) {
            stack.push_back(x[node.index]);
        } else {
            std::vector<double> operands(stack.end() - node.arity, stack.end());
            stack.resize(stack.size() - node.arity);
            if (OperatorSet::is_user(node.op)) {
                stack.push_back(walk(operators.user(node.op).body, operators, operands));
            } else {
                operands.resize(3, 0.0);
                stack.push_back(apply(node.op, operands[0], operands[1], operands[2]));
            }
        }
    }
    return stack.back();
}

bool same(double a, double b) {
    return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

std::vector<double> values_of(const Expression& e, const Dataset<double>& data,
                              const OperatorSet& operators = OperatorSet::builtin()) {
    std::vector<double> out(data.n_rows());
    Workspace<double> workspace;
    Evaluator<double>(data, operators).evaluate(e, out, workspace);
    return out;
}

}  // namespace

TEST_CASE("values are those of a walk over the tree, bit for bit") {
    const Table table(77, 4, 1);
    const Dataset<double> data(table.view());
    Rng rng(2, 0);
    int checked = 0;
    for (int i = 0; i < 3000; ++i) {
        const Expression e = test::random_expression(rng, {.max_nodes = 25, .n_features = 4});
        INFO(to_text(e));
        const auto values = values_of(e, data);
        for (std::size_t row = 0; row < table.rows; row += 7) {
            const double expected = walk(e, OperatorSet::builtin(),
                                         {table.at(row, 0), table.at(row, 1), table.at(row, 2), table.at(row, 3)});
            if (std::isfinite(expected)) {  // where not, an extended range may do better
                REQUIRE(same(values[row], expected));
                ++checked;
            }
        }
    }
    CHECK(checked > 5000);
}

TEST_CASE("a row's value depends neither on the number of rows nor on its place") {
    const Table table(700, 3, 3);
    const Dataset<double> data(table.view());
    Rng rng(4, 0);
    for (int i = 0; i < 200; ++i) {
        const Expression e = test::random_expression(rng, {.max_nodes = 20, .n_features = 3});
        const auto all = values_of(e, data);
        for (const std::size_t n : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{257}}) {
            const MatrixView<double> part{table.values.data() + 3, n, 3, 1, table.rows};
            const auto some = values_of(e, Dataset<double>(part));
            const auto viewed = values_of(e, Dataset<double>::view(part));
            for (std::size_t row = 0; row < n; ++row) {
                REQUIRE(same(some[row], all[row + 3]));
                REQUIRE(same(viewed[row], all[row + 3]));
            }
        }
    }
}

TEST_CASE("long columns, over which operations are joined to chains, have the bits of short ones") {
    constexpr std::size_t kRows = 1000, kPart = 90;
    const Table table(kRows, 3, 9);
    const Dataset<double> data(table.view());
    Rng rng(10, 0);
    const test::RandomExpressionOptions arithmetic{.operators = {Op::Add, Op::Sub, Op::Mul, Op::Div}};
    // Some values are watched where an exponential may overflow: they stay where they are.
    const test::RandomExpressionOptions watched{
        .operators = {Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Exp, Op::Log, Op::Cond}};
    for (int i = 0; i < 300; ++i) {
        const Expression e = test::random_expression(rng, i % 2 == 0 ? arithmetic : watched);
        INFO(to_text(e));
        const auto all = values_of(e, data);
        for (std::size_t first = 0; first < kRows; first += 7 * kPart) {
            const MatrixView<double> part{table.values.data() + first, kPart, 3, 1, kRows};
            const auto some = values_of(e, Dataset<double>(part));
            for (std::size_t row = 0; row < kPart; ++row) {
                REQUIRE(same(some[row], all[first + row]));
            }
        }
    }
}

TEST_CASE("operators of the user's own are evaluated like their bodies written out") {
    OperatorSet operators;
    operators.define("inv2(x) = 1 / (x * x)");
    operators.define("special(x, y) = cos(x) * (x + y)");
    operators.define("first(x, y, z) = x");
    operators.define("deep(a, b) = special(inv2(a), b) - first(b, a, 3.5) * b");
    const std::vector<std::string> pairs[] = {
        {"special(x0 + 1, x1 * x2)", "cos(x0 + 1) * ((x0 + 1) + x1 * x2)"},
        {"x2 - special(x0, inv2(x1 + 2))", "x2 - cos(x0) * (x0 + 1 / ((x1 + 2) * (x1 + 2)))"},
        {"first(x0 * x1, x2, x1) + x2", "x0 * x1 + x2"},
        {"x2 + first(x0, x2 * x1, x1 * x1)", "x2 + x0"},
        {"(x0 - x1) * first(x0 - 2, x2 + 1, x1 / 3)", "(x0 - x1) * (x0 - 2)"},
        {"(x0 + x1) * deep(x1 - x0, x2 * x2)",
         "(x0 + x1) * (cos(1 / ((x1 - x0) * (x1 - x0))) * (1 / ((x1 - x0) * (x1 - x0)) + x2 * x2) - x2 * x2 * (x2 * "
         "x2))"},
        {"special(2.5, 1.5)", "cos(2.5) * (2.5 + 1.5)"},
    };
    const Table table(300, 3, 5);
    const Dataset<double> data(table.view());
    Workspace<double> workspace;
    const Evaluator<double> evaluator(data, operators);
    for (const auto& pair : pairs) {
        INFO(pair[0]);
        const Expression user = parse(pair[0], {}, operators), plain = parse(pair[1]);
        const auto a = values_of(user, data, operators), b = values_of(plain, data);
        std::vector<double> out(300), gradient_a(900), gradient_b(900);
        evaluator.evaluate_with_gradient(user, out, gradient_a, workspace);
        evaluator.evaluate_with_gradient(plain, out, gradient_b, workspace);
        for (std::size_t row = 0; row < 300; ++row) {
            REQUIRE(same(a[row], b[row]));
            for (std::size_t j = 0; j < 3; ++j) {
                REQUIRE(gradient_a[j * 300 + row] == doctest::Approx(gradient_b[j * 300 + row]).epsilon(1e-10));
            }
        }
    }
}

TEST_CASE("derivatives are those of central differences") {
    const Table table(40, 3, 6, 0.2, 1.7);
    const Dataset<double> data(table.view());
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    Rng rng(7, 0);
    int checked = 0;
    for (int i = 0; i < 1500; ++i) {
        Expression e = test::random_expression(rng, {.max_nodes = 15, .n_features = 3});
        const std::size_t n = e.constants.size();
        std::vector<double> out(40), jacobian(40 * n), gradient(40 * 3);
        evaluator.evaluate_with_jacobian(e, out, jacobian, workspace);
        evaluator.evaluate_with_gradient(e, out, gradient, workspace);
        INFO(to_text(e));
        const auto difference = [&](auto&& value_at, double at, double analytic) {
            // Three steps: a derivative is checked where the difference quotient has settled.
            double quotient[3];
            const double steps[3] = {1e-4, 2e-5, 4e-6};
            for (int s = 0; s < 3; ++s) {
                const double h = steps[s] * std::max(1.0, std::abs(at));
                quotient[s] = (value_at(at + h) - value_at(at - h)) / (2 * h);
            }
            const double scale = std::max({1.0, std::abs(quotient[1]), std::abs(analytic)});
            if (!(std::abs(quotient[0] - quotient[1]) < 1e-6 * scale &&
                  std::abs(quotient[1] - quotient[2]) < 1e-6 * scale)) {
                return;
            }
            if (!(std::abs(analytic) < 1e8)) {
                return;  // a pole, a step too steep for differences, or 0 * inf as for acos at 1 of something flat there
            }
            REQUIRE(analytic == doctest::Approx(quotient[1]).epsilon(1e-4).scale(scale));
            ++checked;
        };
        for (std::size_t row = 0; row < 40; row += 13) {
            std::vector<double> x = {table.at(row, 0), table.at(row, 1), table.at(row, 2)};
            if (!std::isfinite(walk(e, OperatorSet::builtin(), x)) || std::abs(out[row]) > 1e6) {
                continue;
            }
            for (std::size_t k = 0; k < n; ++k) {
                const double c = e.constants[k];
                difference(
                    [&](double value) {
                        e.constants[k] = value;
                        const double y = walk(e, OperatorSet::builtin(), x);
                        e.constants[k] = c;
                        return y;
                    },
                    c, jacobian[k * 40 + row]);
            }
            for (std::size_t j = 0; j < 3; ++j) {
                const double x_j = x[j];
                difference(
                    [&](double value) {
                        x[j] = value;
                        const double y = walk(e, OperatorSet::builtin(), x);
                        x[j] = x_j;
                        return y;
                    },
                    x_j, gradient[j * 40 + row]);
            }
        }
    }
    CHECK(checked > 3000);
}

TEST_CASE("the mean squared error is the weighted mean over the rows, and gives up above its bound") {
    const Table table(1000, 2, 8);
    std::vector<double> weights(1000);
    Rng rng(9, 0);
    for (double& w : weights) {
        w = rng.below(4);
    }
    const Dataset<double> data(table.view(), table.target, weights);
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    const Expression e = parse("sin(x0) * 1.5 - x1");
    const auto values = values_of(e, data);
    for (const std::size_t rows : {std::size_t{64}, std::size_t{100}, std::size_t{1000}}) {
        double sum = 0, total = 0;
        for (std::size_t i = 0; i < rows; ++i) {
            sum += weights[i] * (table.target[i] - values[i]) * (table.target[i] - values[i]);
            total += weights[i];
        }
        const double loss = evaluator.mean_squared_error(e, rows, workspace);
        CHECK(loss == doctest::Approx(sum / total).epsilon(1e-13));
        CHECK(evaluator.mean_squared_error(e, rows, workspace, loss * 1.001) == loss);
        CHECK(std::isinf(evaluator.mean_squared_error(e, rows, workspace, loss * 0.999)));
    }
    CHECK(std::isinf(evaluator.mean_squared_error(parse("log(x0)"), 1000, workspace)));
}

TEST_CASE("many expressions at once give what each gives alone, for any number of threads") {
    const Table table(40001, 2, 10);  // more than one tile, and a rest
    const Dataset<double> copied(table.view()), viewed = Dataset<double>::view(table.view());
    Rng rng(11, 0);
    std::vector<Expression> expressions;
    for (int i = 0; i < 70; ++i) {
        expressions.push_back(test::random_expression(rng, {.max_nodes = 12, .n_features = 2}));
    }
    std::vector<const Expression*> pointers;
    for (const auto& e : expressions) {
        pointers.push_back(&e);
    }
    const std::vector<const OperatorSet*> operators(expressions.size(), &OperatorSet::builtin());
    std::vector<double> out(expressions.size() * table.rows);
    for (const int threads : {1, 2, 3}) {
        for (const Dataset<double>* data : {&copied, &viewed}) {
            std::fill(out.begin(), out.end(), -1.0);
            evaluate_all<double>(pointers, operators, *data, out, threads);
            for (std::size_t i = 0; i < expressions.size(); ++i) {
                const auto alone = values_of(expressions[i], copied);
                bool equal = true;
                for (std::size_t row = 0; row < table.rows; ++row) {
                    equal = equal && same(out[i * table.rows + row], alone[row]);
                }
                INFO(to_text(expressions[i]));
                REQUIRE(equal);
            }
        }
    }
}

TEST_CASE_TEMPLATE("a batch whose values are written past the caches has the same bits", T, double, float) {
    // 8 MiB and more are streamed; an output that starts anywhere, rows that fill neither vectors nor tiles.
    for (const std::size_t rows : {std::size_t{1001}, std::size_t{16'411}}) {
        const Table table(rows, 3, 14);
        const Dataset<T> data(table.view());
        const std::size_t count = (std::size_t{8} << 20) / (rows * sizeof(T)) + 1;
        const std::vector<Expression> kinds = {parse("x0 * x1 + 2.5"), parse("log(exp(400 * x2) + x0)"), parse("x1"),
                                               parse("sin(x0) / exp(x1)"), parse("7")};
        std::vector<const Expression*> expressions;
        for (std::size_t e = 0; e < count; ++e) expressions.push_back(&kinds[e % kinds.size()]);
        const std::vector<const OperatorSet*> operators(count, &OperatorSet::builtin());
        std::vector<T> storage(count * rows + 1, T(-1)), alone(rows);
        const std::span<T> out(storage.data() + 1, count * rows);
        evaluate_all<T>(expressions, operators, data, out, 2);
        CHECK(storage[0] == T(-1));
        Workspace<T> workspace;
        for (std::size_t e = 0; e < count; ++e) {
            Evaluator<T>(data).evaluate(*expressions[e], alone, workspace);
            bool equal = true;
            for (std::size_t i = 0; i < rows; ++i) equal = equal && same(out[e * rows + i], alone[i]);
            REQUIRE_MESSAGE(equal, to_text(*expressions[e]), " number ", e, " over ", rows, " rows");
        }
    }
}

TEST_CASE("single precision follows double precision") {
    const Table table(100, 2, 12, 0.5, 2);
    const Dataset<float> data(table.view());
    const Dataset<double> exact(table.view());
    Workspace<float> workspace;
    std::vector<float> out(100);
    for (const char* text : {"x0 * x1 + 2.5", "sin(x0) / exp(x1)", "log(x0) ^ 2 - sqrt(x1)", "tanh(x0 - x1)"}) {
        const Expression e = parse(text);
        Evaluator<float>(data).evaluate(e, out, workspace);
        const auto expected = values_of(e, exact);
        for (std::size_t i = 0; i < 100; ++i) {
            CHECK(out[i] == doctest::Approx(expected[i]).epsilon(1e-5));
        }
    }
}

TEST_CASE("features are bound where no formula has had a constant yet") {
    // The undefined-behaviour sanitizer tells if an address of a constant is made from none.
    const Table table(20, 3, 14);
    const auto values = values_of(parse("exp(x2) - x1"), Dataset<double>(table.view()));
    for (std::size_t i = 0; i < 20; ++i) {
        CHECK(same(values[i], apply(Op::Exp, table.at(i, 2), 0, 0) - table.at(i, 1)));
    }
}

TEST_CASE("wrong sizes and unknown features are refused") {
    const Table table(10, 2, 13);
    const Dataset<double> data(table.view());
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    std::vector<double> out(10), few(9);
    CHECK_THROWS_WITH_AS(evaluator.evaluate(parse("x2"), out, workspace),
                         "the expression uses feature 2 (counted from 0), but the data have 2 features",
                         std::invalid_argument);
    CHECK_THROWS_AS(evaluator.evaluate(parse("x0"), few, workspace), std::invalid_argument);
}
