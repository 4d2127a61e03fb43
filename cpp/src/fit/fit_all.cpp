#include "balmer/fit/fit_all.hpp"

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>

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
    std::exception_ptr failure;
    std::ptrdiff_t failed = 0;
    const auto count = static_cast<std::ptrdiff_t>(jobs.size());
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        try {
            FitJob& job = jobs[static_cast<std::size_t>(i)];
            FitWorkspace<double>& workspace = workspaces[static_cast<std::size_t>(omp_get_thread_num())];
            if (job.target.empty()) {
                fit_one(job, *shared, options, loss, workspace);
            } else {
                fit_one(job, Dataset<double>(X, job.target, weights), options, loss, workspace);
            }
        } catch (...) {  // nothing may leave the region: it would end the process
#pragma omp critical(balmer_fit_all)
            if (!failure || i < failed) {  // the first of them, however the threads ran
                failure = std::current_exception();
                failed = i;
            }
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace balmer
