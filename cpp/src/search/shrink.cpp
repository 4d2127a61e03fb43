#include "search/shrink.hpp"

#include <optional>
#include <utility>

#include "balmer/expr/simplify.hpp"

namespace balmer {

namespace {

/// The simplest exact formula that is one replacement away from `expression` and simpler; nullopt if there is none.
class Replacements {
   public:
    Replacements(const Candidate& whole, const Problem& problem, FitWorkspace<double>& workspace, double& evaluations,
                 const std::atomic<bool>& cancelled)
        : whole_(whole), problem_(problem), workspace_(workspace), evaluations_(evaluations), cancelled_(cancelled) {}

    std::optional<Candidate> simplest() {
        const Expression& expression = whole_.roles[0];
        for (std::size_t i = 0; i < expression.size(); ++i) {
            if (expression.nodes[i].is_leaf()) continue;
            for (std::size_t below = expression.begin_of(i); below < i; ++below) consider(i, expression.subtree(below));
            consider(i, Expression::constant(1.0));
        }
        return std::move(best_);
    }

   private:
    void consider(std::size_t at, const Expression& part) {
        if (cancelled_.load(std::memory_order_relaxed)) return;
        Expression smaller = whole_.roles[0];
        smaller.replace(at, part);
        smaller = simplify(smaller, problem_.operators);
        Candidate candidate = problem_.judged(smaller, 0);
        const int limit = best_ ? best_->complexity : whole_.complexity;
        if (candidate.complexity >= limit || !problem_.space.allows(smaller, candidate.complexity, limit)) return;
        const double loss = fit_fully(candidate, problem_.objective, workspace_, evaluations_, cancelled_);
        if (loss <= problem_.floor) best_ = problem_.judged(candidate.roles[0], loss);
    }

    const Candidate& whole_;
    const Problem& problem_;
    FitWorkspace<double>& workspace_;
    double& evaluations_;
    const std::atomic<bool>& cancelled_;
    std::optional<Candidate> best_;
};

}  // namespace

Candidate shrunk(const Candidate& candidate, const Problem& problem, FitWorkspace<double>& workspace,
                 double& evaluations, const std::atomic<bool>& cancelled) {
    Candidate result = candidate;
    while (auto smaller = Replacements(result, problem, workspace, evaluations, cancelled).simplest()) {
        result = std::move(*smaller);
    }
    return result;
}

}  // namespace balmer
