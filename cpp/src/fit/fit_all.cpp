#include "balmer/fit/fit_all.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <stdexcept>

#include "core/parallel.hpp"

namespace balmer {
namespace {

void fit_one(FitJob& job, const Dataset<double>& data, const FitOptions& options, const Loss* loss,
             FitWorkspace<double>& workspace) {
    const Evaluator<double> evaluator(data, *job.operators);
    job.result = loss == nullptr ? fit_constants(job.expression, evaluator, options, workspace)
                                 : fit_constants(job.expression, evaluator, *loss, options, workspace);
    if (loss == nullptr || loss->is_least_squares()) {
        job.standard_errors = standard_errors(job.expression, evaluator, workspace);
    } else {
        job.standard_errors.assign(job.expression.constants.size(), std::numeric_limits<double>::quiet_NaN());
    }
}

}  // namespace

void fit_all(std::span<FitJob> jobs, MatrixView<double> X, std::span<const double> target,
             std::span<const double> weights, const FitOptions& options, const Loss* loss, int n_threads) {
    std::optional<Dataset<double>> shared;
    for (const FitJob& job : jobs) {
        if (job.operators == nullptr) {
            throw std::invalid_argument("a job has no operators: give the set that its expression was made with");
        }
        if (job.target.empty() && !shared) {
            shared.emplace(X, target, weights);
        }
    }
    const int threads = std::clamp(n_threads, 1, std::max(1, static_cast<int>(jobs.size())));
    std::vector<FitWorkspace<double>> workspaces(static_cast<std::size_t>(threads));
    parallel_for(std::ssize(jobs), threads, [&](std::ptrdiff_t i, int thread) {
        FitJob& job = jobs[static_cast<std::size_t>(i)];
        FitWorkspace<double>& workspace = workspaces[static_cast<std::size_t>(thread)];
        if (job.target.empty()) {
            fit_one(job, *shared, options, loss, workspace);
        } else {
            fit_one(job, Dataset<double>(X, job.target, weights), options, loss, workspace);
        }
    });
}

}  // namespace balmer
