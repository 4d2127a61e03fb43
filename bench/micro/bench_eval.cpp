// Values of many trees over the same rows, programs built inside the timing; and derivatives by the constants.
#include <limits>
#include <string_view>
#include <vector>

#include "balmer/eval/evaluator.hpp"
#include "fit/normal_equations.hpp"
#include "harness.hpp"
#include "trees.hpp"

namespace balmer::bench {
namespace {

template <class T>
constexpr std::string_view kType = sizeof(T) == 8 ? "float64" : "float32";

template <class T>
void evaluate_set(const Settings& settings, Set set, std::size_t rows, std::size_t count) {
    const std::vector<Expression> trees = random_trees(set, count);
    const Rows<T> values(rows, 10, 7);
    const Dataset<T> data(values.view());
    std::vector<const Expression*> expressions;
    for (const Expression& tree : trees) {
        expressions.push_back(&tree);
    }
    const std::vector<const OperatorSet*> operators(trees.size(), &OperatorSet::builtin());
    std::vector<T> out(trees.size() * rows, T(1));
    const Timing timing = measure(settings.seconds, [&] { evaluate_all<T>(expressions, operators, data, out); });
    const double work = static_cast<double>(count_nodes(trees) * rows);
    Line("evaluate")
        .add("set", name(set))
        .add("type", kType<T>)
        .add("rows", static_cast<double>(rows))
        .add("trees", static_cast<double>(count))
        .add("node_rows_per_s", work / timing.best)
        .add("node_rows_per_s_median", work / timing.median)
        .add(timing)
        .print();
}

/// Trees with `constants` constants, those of which all derivatives are finite.
std::vector<Expression> trees_with_constants(Set set, std::size_t constants, const Evaluator<double>& evaluator,
                                             std::size_t count) {
    std::vector<Expression> trees;
    Rng rng(3, constants);
    Workspace<double> workspace;
    const std::size_t rows = evaluator.data().n_rows();
    while (trees.size() < count) {
        Expression tree = random_tree(rng, 11 + rng.below(20), set);
        if (tree.constants.size() == constants && evaluator.mean_squared_error(tree, rows, workspace) < 1e30) {
            trees.push_back(std::move(tree));
        }
    }
    return trees;
}

/// What J'J, J'r and r'r of all constants cost, in evaluations of the same trees.
void derivatives(const Settings& settings, Set set, std::size_t constants) {
    constexpr std::size_t kRows = 10000, kTrees = 40;
    const Rows<double> values(kRows, 10, 7);
    const std::vector<double> target(kRows, 1.0);
    const Dataset<double> data(values.view(), target);
    const Evaluator<double> evaluator(data);
    const std::vector<Expression> trees = trees_with_constants(set, constants, evaluator, kTrees);
    Workspace<double> workspace;
    std::vector<double> out(kRows);
    fit::PassScratch scratch;
    fit::NormalEquations equations;
    const auto evaluate = [&] {
        for (const Expression& tree : trees) {
            evaluator.evaluate(tree, out, workspace);
        }
    };
    const auto normal_equations = [&] {
        constexpr double kNoLimit = std::numeric_limits<double>::infinity();
        for (const Expression& tree : trees) {
            auto& program = workspace.program();
            program.compile(tree, evaluator.operators(), data.columns(), kRows, eval::Derivatives::constants);
            fit::evaluate(program, data, kRows, tree.constants, kNoLimit, scratch, equations);
        }
    };
    // In turns, so that a burst of other work hits both.
    Timing plain = measure(settings.seconds / 4, evaluate), full = measure(settings.seconds / 4, normal_equations);
    for (int turn = 0; turn < 3; ++turn) {
        const Timing a = measure(settings.seconds / 4, evaluate), b = measure(settings.seconds / 4, normal_equations);
        plain = a.best < plain.best ? a : plain;
        full = b.best < full.best ? b : full;
    }
    Line("normal_equations")
        .add("set", name(set))
        .add("type", "float64")
        .add("rows", static_cast<double>(kRows))
        .add("constants", static_cast<double>(constants))
        .add("evaluations", full.best / plain.best)
        .add(full)
        .print();
}

}  // namespace

void bench_evaluation(const Settings& settings) {
    for (const Set set : {Set::arithmetic, Set::full}) {
        for (const std::size_t rows : {100, 1000, 10000}) {
            evaluate_set<float>(settings, set, rows, 1000);
            evaluate_set<double>(settings, set, rows, 1000);
        }
        evaluate_set<float>(settings, set, 1000000, 40);
        evaluate_set<double>(settings, set, 1000000, 40);
    }
}

void bench_derivatives(const Settings& settings) {
    for (const Set set : {Set::arithmetic, Set::full}) {
        for (std::size_t constants = 1; constants <= 6; ++constants) {
            derivatives(settings, set, constants);
        }
    }
}

double work_evaluation() {
    double sum = 0;
    for (const std::size_t rows : {100, 1000}) {
        const Rows<double> values(rows, 10, 7);
        const Dataset<double> data(values.view(), std::vector<double>(rows, 1.0));
        const Evaluator<double> evaluator(data);
        Workspace<double> workspace;
        for (const Set set : {Set::arithmetic, Set::full}) {
            for (const Expression& tree : random_trees(set, 300)) {
                const double loss = evaluator.mean_squared_error(tree, rows, workspace);
                sum += loss < 1e6 ? loss : 1;
            }
        }
    }
    return sum;
}

double work_derivatives() {
    constexpr std::size_t kRows = 1000;
    const Rows<double> values(kRows, 10, 7);
    const Dataset<double> data(values.view(), std::vector<double>(kRows, 1.0));
    const Evaluator<double> evaluator(data);
    Workspace<double> workspace;
    fit::PassScratch scratch;
    fit::NormalEquations equations;
    double sum = 0;
    for (const Set set : {Set::arithmetic, Set::full}) {
        for (const Expression& tree : random_trees(set, 300)) {
            workspace.program().compile(tree, evaluator.operators(), data.columns(), kRows,
                                        eval::Derivatives::constants);
            constexpr double kNoLimit = std::numeric_limits<double>::infinity();
            if (fit::evaluate(workspace.program(), data, kRows, tree.constants, kNoLimit, scratch, equations)) {
                sum += equations.sum < 1e6 ? equations.sum : 1;
            }
        }
    }
    return sum;
}

}  // namespace balmer::bench
