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
        for (std::size_t role = 0; role < problem_.n_evolving(); ++role) {
            for_each_replacement(whole_.roles[role], [&](const Expression& smaller) { consider(role, smaller); });
        }
        return std::move(best_);
    }

   private:
    void consider(std::size_t role, const Expression& smaller) {
        if (cancelled_.load(std::memory_order_relaxed)) return;
        std::vector<Expression> roles = whole_.roles;
        roles[role] = simplify(smaller, problem_.operators);
        Candidate candidate = problem_.judged(std::move(roles), 0);
        const int limit = best_ ? best_->complexity : whole_.complexity;
        if (candidate.complexity >= limit) return;
        if (!problem_.space.allows(candidate.roles[role], candidate.complexity, limit)) return;
        const double loss = fit_fully(candidate, *problem_.of_roles, workspace_, evaluations_, cancelled_);
        if (loss <= problem_.floor) best_ = problem_.judged(std::move(candidate.roles), loss);
    }

    const Candidate& whole_;
    const Problem& problem_;
    FitWorkspace<double>& workspace_;
    double& evaluations_;
    const std::atomic<bool>& cancelled_;
    std::optional<Candidate> best_;
};

}  // namespace

void for_each_replacement(const Expression& expression, const std::function<void(Expression)>& use) {
    const auto replaced = [&](std::size_t at, const Expression& part) {
        Expression smaller = expression;
        smaller.replace(at, part);
        use(std::move(smaller));
    };
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression.nodes[i].is_leaf()) continue;
        for (std::size_t below = expression.begin_of(i); below < i; ++below) replaced(i, expression.subtree(below));
        replaced(i, Expression::constant(1.0));
    }
}

Candidate shrunk(const Candidate& candidate, const Problem& problem, FitWorkspace<double>& workspace,
                 double& evaluations, const std::atomic<bool>& cancelled) {
    Candidate result = candidate;
    while (auto smaller = Replacements(result, problem, workspace, evaluations, cancelled).simplest()) {
        result = std::move(*smaller);
    }
    return result;
}

}  // namespace balmer
