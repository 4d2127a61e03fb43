// Constants of trees: found again from starts nearby, and polished as a search polishes its candidates.
#include <algorithm>
#include <cmath>
#include <vector>

#include "balmer/fit/fit.hpp"
#include "harness.hpp"
#include "trees.hpp"

namespace balmer::bench {
namespace {

/// A tree that made the target, and where to start from.
struct Case {
    Expression start;
    Dataset<double> data;
};

/// Trees of the full set with 7 to 25 nodes and 2 to 6 constants that matter, finite and tame; each constant starts at 1.3
/// normal deviates of itself and 0.1 beside. The draws of bench/fit_cases.py, with other random numbers.
std::vector<Case> cases(std::size_t rows, std::size_t count) {
    Rng rng(5, rows);
    const Rows<double> values(rows, 10, 5);
    const Dataset<double> plain(values.view());
    const Evaluator<double> evaluator(plain);
    Workspace<double> workspace;
    const auto evaluate = [&](const Expression& tree) {
        std::vector<double> y(rows);
        evaluator.evaluate(tree, y, workspace);
        return y;
    };
    const auto finite = [](const std::vector<double>& y) {
        for (const double v : y) {
            if (!std::isfinite(v) || std::abs(v) > 1e4) return false;
        }
        return true;
    };
    std::vector<Case> out;
    while (out.size() < count) {
        Expression tree = random_tree(rng, 7 + rng.below(19), Set::full);
        if (tree.constants.size() < 2 || tree.constants.size() > 6) continue;
        const std::vector<double> y = evaluate(tree);
        if (!finite(y)) continue;
        Dataset<double> data(values.view(), y);
        const double deviation = std::sqrt(data.target_variance());
        bool matter = deviation > 1e-2;
        for (std::size_t k = 0; k < tree.constants.size() && matter; ++k) {
            Expression other = tree;
            other.constants[k] *= 1.01;
            const std::vector<double> z = evaluate(other);
            double change = 0;
            for (std::size_t i = 0; i < rows; ++i) change = std::max(change, std::abs(z[i] - y[i]));
            matter = finite(z) && change > 1e-5 * deviation;
        }
        for (double& c : tree.constants) c = c * (1 + 0.3 * rng.normal()) + 0.1 * rng.normal();
        if (matter && finite(evaluate(tree))) out.push_back({std::move(tree), std::move(data)});
    }
    return out;
}

void fits(const Settings& settings, std::size_t rows, int steps, int restarts) {
    const std::vector<Case> all = cases(rows, 200);
    FitWorkspace<double> workspace;
    FitOptions options;
    options.max_iterations = steps;
    options.restarts = restarts;
    int exact = 0, evaluations = 0;
    Expression scratch;
    const Timing timing = measure(settings.seconds, [&] {
        exact = evaluations = 0;
        for (const Case& c : all) {
            scratch = c.start;
            const FitResult result = fit_constants(scratch, Evaluator<double>(c.data), options, workspace);
            exact += result.loss < 1e-12 * c.data.target_variance();
            evaluations += result.evaluations;
        }
    });
    const double n = static_cast<double>(all.size());
    Line("fit")
        .add("rows", static_cast<double>(rows))
        .add("steps", steps)
        .add("restarts", restarts)
        .add("fits_per_s", n / timing.best)
        .add("passes_per_fit", evaluations / n)
        .add("share_1e-12", exact / n)
        .add(timing)
        .print();
}

/// Candidates of a search: trees that are not the law, against a noisy target.
struct Candidates {
    Dataset<double> data;
    std::vector<Expression> trees;

    explicit Candidates(std::size_t count) {
        constexpr std::size_t kRows = 64;
        const Rows<double> values(kRows, 5, 11);
        Rng rng(11, 2);
        std::vector<double> y;
        for (std::size_t i = 0; i < kRows; ++i) {
            const double* const x = values.X.data() + i;
            y.push_back(2 * x[0] * std::exp(-x[kRows]) + std::sqrt(x[2 * kRows]) + 0.05 * rng.normal());
        }
        data = Dataset<double>(values.view(), y);
        while (trees.size() < count) {
            Expression tree = random_tree(rng, 5 + rng.below(11), Set::full, 5);
            if (!tree.constants.empty() && tree.constants.size() <= 3) trees.push_back(std::move(tree));
        }
    }
};

}  // namespace

void bench_fits(const Settings& settings) {
    for (const std::size_t rows : {100, 1000}) {
        fits(settings, rows, 10, 0);
        fits(settings, rows, 10, 8);
    }
}

void bench_polish(const Settings& settings) {
    const Candidates candidates(1000);
    const Evaluator<double> evaluator(candidates.data);
    FitWorkspace<double> workspace;
    Expression scratch;
    for (const bool abandoning : {false, true}) {
        FitOptions options;
        options.max_iterations = 10;
        options.loss_tolerance = 1e-6;
        options.abandon_after = 2;
        // A candidate has to explain half of the variance to stay.
        if (abandoning) options.bound = 0.5 * candidates.data.target_variance();
        int evaluations = 0, finite = 0;
        const Timing timing = measure(settings.seconds, [&] {
            evaluations = finite = 0;
            for (const Expression& tree : candidates.trees) {
                scratch = tree;
                const FitResult result = fit_constants(scratch, evaluator, options, workspace);
                evaluations += result.evaluations;
                finite += result.status != FitStatus::not_finite;
            }
        });
        const double n = static_cast<double>(candidates.trees.size());
        Line("polish")
            .add("rows", 64)
            .add("abandoning", abandoning ? "yes" : "no")
            .add("polishes_per_s", n / timing.best)
            .add("finite_polishes_per_s", finite / timing.best)
            .add("passes_per_polish", evaluations / n)
            .add(timing)
            .print();
    }
}

double work_fits() {
    double sum = 0;
    FitWorkspace<double> workspace;
    for (const std::size_t rows : {64, 1000}) {
        for (const Case& c : cases(rows, 60)) {
            Expression tree = c.start;
            FitOptions options;
            options.max_iterations = 10;
            sum += fit_constants(tree, Evaluator<double>(c.data), options, workspace).loss / c.data.target_variance();
        }
    }
    const Candidates candidates(300);
    for (Expression tree : candidates.trees) {
        FitOptions options;
        options.max_iterations = 10;
        options.loss_tolerance = 1e-6;
        const FitResult result = fit_constants(tree, Evaluator<double>(candidates.data), options, workspace);
        sum += result.loss < 1e6 ? result.loss : 1;  // also where it is not finite
    }
    return sum;
}

}  // namespace balmer::bench
