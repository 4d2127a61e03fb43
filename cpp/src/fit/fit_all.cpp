#include "balmer/fit/fit_all.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <stdexcept>

#include "core/parallel.hpp"

namespace balmer {
namespace {

/// What a thread works with.
struct Place {
    FitWorkspace<double> workspace;
    std::optional<Dataset<double>> own;  ///< the rows with the target of the job, for jobs that have one
};

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
    for (const FitJob& job : jobs) {
        if (job.operators == nullptr) {
            throw std::invalid_argument("a job has no operators: give the set that its expression was made with");
        }
    }
    const bool any_shared = std::ranges::any_of(jobs, [](const FitJob& job) { return job.target.empty(); });
    const Dataset<double> shared(X, any_shared ? target : std::span<const double>{}, weights);
    const int threads = std::clamp(n_threads, 1, std::max(1, static_cast<int>(jobs.size())));
    std::vector<Place> places(static_cast<std::size_t>(threads));
    parallel_for(std::ssize(jobs), threads, [&](std::ptrdiff_t i, int thread) {
        FitJob& job = jobs[static_cast<std::size_t>(i)];
        Place& place = places[static_cast<std::size_t>(thread)];
        if (!job.target.empty()) {
            if (!place.own) {
                place.own.emplace(shared);
            }
            place.own->set_target(job.target);
        }
        fit_one(job, job.target.empty() ? shared : *place.own, options, loss, place.workspace);
    });
}

}  // namespace balmer
