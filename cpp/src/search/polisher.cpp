#include "search/polisher.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "balmer/expr/simplify.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kMostRows = 4096;

}  // namespace

Polisher::Polisher(const Evaluator<double>& evaluator, const Vocabulary& vocabulary, SeedArchive& archive, Work& work,
                   const std::atomic<bool>& cancel, int n_threads)
    : evaluator_(evaluator),
      vocabulary_(vocabulary),
      archive_(archive),
      work_(work),
      cancel_(cancel),
      n_threads_(std::max(n_threads, 1)),
      rows_(std::min(evaluator.data().n_rows(), kMostRows)),
      workspaces_(static_cast<std::size_t>(n_threads_)) {}

Polisher::~Polisher() = default;

std::size_t Polisher::submit(std::vector<Expression> formulas, const char* stage, int iterations) {
    std::erase_if(formulas, [&](const Expression& e) { return !vocabulary_.admissible(e); });
    std::vector<std::uint64_t> seen;
    std::erase_if(formulas, [&](const Expression& e) {
        const std::uint64_t h = exact_hash(e);
        if (std::find(seen.begin(), seen.end(), h) != seen.end()) return true;
        seen.push_back(h);
        return false;
    });
    const auto count = static_cast<std::ptrdiff_t>(formulas.size());
    std::vector<Found> found(formulas.size());
    std::vector<double> spent(formulas.size(), 0);
#pragma omp parallel for schedule(dynamic) num_threads(n_threads_) if (n_threads_ > 1)
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        Expression& e = formulas[static_cast<std::size_t>(i)];
        Found& f = found[static_cast<std::size_t>(i)];
        FitWorkspace<double>& workspace = workspaces_[static_cast<std::size_t>(omp_get_thread_num())];
        f.stage = stage;
        f.loss = evaluator_.mean_squared_error(e, rows_, workspace.evaluation);
        int evaluations = 1;
        if (!(f.loss <= 1e-3 * archive_.exact_loss()) && !e.constants.empty()) {
            FitOptions options;
            options.max_iterations = iterations;
            options.rows = rows_;
            const FitResult fit = fit_constants(e, evaluator_, options, workspace);
            f.loss = std::min(f.loss, fit.loss);
            evaluations += fit.evaluations;
        }
        spent[static_cast<std::size_t>(i)] = static_cast<double>(e.size() * rows_) * evaluations;
    }
    std::size_t offered = 0;
    for (std::size_t i = 0; i < formulas.size(); ++i) {
        work_.used += spent[i];
        found[i].expression = simplify(formulas[i], vocabulary_.operators());
        found[i].complexity = vocabulary_.complexity(found[i].expression);
        if (std::isfinite(found[i].loss)) ++offered;
        archive_.offer(std::move(found[i]));
    }
    return offered;
}

}  // namespace balmer::search
