#include "search/polisher.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/parallel.hpp"

namespace balmer::search {
namespace {

constexpr std::size_t kMostRows = 4096;
constexpr std::size_t kFirstRows = 512;  // on which many formulas are fitted before a few are fitted to the rest
constexpr std::size_t kFewFormulas = 8, kPromoted = 4;

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
    for (Expression& e : formulas) e = vocabulary_.with_units(e);
    std::erase_if(formulas, [&](const Expression& e) { return !vocabulary_.admissible(e); });
    std::vector<std::uint64_t> seen;
    std::erase_if(formulas, [&](const Expression& e) {
        const std::uint64_t h = exact_hash(e);
        if (std::find(seen.begin(), seen.end(), h) != seen.end()) return true;
        seen.push_back(h);
        return false;
    });
    std::vector<Found> found(formulas.size());
    std::vector<std::size_t> chosen(formulas.size());
    std::iota(chosen.begin(), chosen.end(), std::size_t{0});
    if (rows_ > 2 * kFirstRows && formulas.size() > kFewFormulas) {
        fit(formulas, chosen, kFirstRows, stage, iterations, found);
        const auto order = [&](std::size_t a, std::size_t b) {
            return std::tie(found[a].description, a) < std::tie(found[b].description, b);
        };
        for (const std::size_t i : chosen) {
            found[i].description =
                description_length(formulas[i], std::max(found[i].loss, archive_.exact_loss()), archive_.scale());
        }
        std::sort(chosen.begin(), chosen.end(), order);
        chosen.resize(std::max(kFewFormulas, formulas.size() / kPromoted));
        std::sort(chosen.begin(), chosen.end());
    }
    fit(formulas, chosen, rows_, stage, iterations, found);
    std::size_t offered = 0;
    for (const std::size_t i : chosen) {
        found[i].expression = vocabulary_.simplified(formulas[i]);
        found[i].complexity = vocabulary_.complexity(found[i].expression);
        if (std::isfinite(found[i].loss)) ++offered;
        archive_.offer(std::move(found[i]));
    }
    return offered;
}

void Polisher::fit(std::vector<Expression>& formulas, std::span<const std::size_t> chosen, std::size_t rows,
                   const char* stage, int iterations, std::vector<Found>& found) {
    std::vector<double> spent(chosen.size(), 0);
    parallel_for(std::ssize(chosen), n_threads_, [&](std::ptrdiff_t k, int thread) {
        const std::size_t i = chosen[static_cast<std::size_t>(k)];
        Expression& e = formulas[i];
        Found& f = found[i];
        FitWorkspace<double>& workspace = workspaces_[static_cast<std::size_t>(thread)];
        f.stage = stage;
        f.loss = evaluator_.mean_squared_error(e, rows, workspace.evaluation);
        int evaluations = 1;
        if (!(f.loss <= 1e-3 * archive_.exact_loss()) && !e.constants.empty()) {
            FitOptions options;
            options.max_iterations = iterations;
            options.rows = rows;
            const FitResult result = fit_constants(e, evaluator_, options, workspace);
            f.loss = std::min(f.loss, result.loss);
            evaluations += result.evaluations;
        }
        spent[static_cast<std::size_t>(k)] = static_cast<double>(e.size() * rows) * evaluations;
    });
    for (const double work : spent) work_.used += work;
}

}  // namespace balmer::search
