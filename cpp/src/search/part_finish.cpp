#include "search/part_finish.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "search/finish.hpp"
#include "search/shrink.hpp"

namespace balmer {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Evaluations of a formula on all rows for each formula of the front, as far as kWork nodes times rows suffice.
constexpr double kEvaluations = 20'000, kWork = 3e8;

/// A formula that some of its constants are held in.
struct Held {
    Composed composed;                 // free ones first
    std::vector<std::uint32_t> order;  // order[k]: the constant of the roles that is constant k there
};

class PartFinisher {
   public:
    PartFinisher(const Problem& problem, const search::DescriptionScale& scale, const std::atomic<bool>& cancelled,
                 double& evaluations)
        : problem_(problem),
          scale_(scale),
          cancelled_(cancelled),
          evaluations_(evaluations),
          evaluator_(problem.data, problem.operators) {}

    /// Nothing if the formula stays as it is.
    std::optional<FrontEntry> run(const FrontEntry& entry) {
        const double nodes_times_rows =
            static_cast<double>(entry.expression.size()) * static_cast<double>(problem_.data.n_rows());
        limit_ = evaluations_ + std::min(kEvaluations, kWork / nodes_times_rows);
        Candidate now = problem_.judged(entry.parts, entry.loss);
        double length = length_of(now);
        bool changed = false;
        const auto improve = [&](auto step) {
            while (std::optional<Candidate> better = (this->*step)(now, length)) {
                length = length_of(now = std::move(*better));
                changed = true;
            }
        };
        improve(&PartFinisher::without_an_operator);
        improve(&PartFinisher::with_a_simple_number);
        if (!changed) return std::nullopt;
        const Candidate* const found = &now;
        std::vector<FrontEntry> result = problem_.entries({&found, 1});
        if (result.empty()) return std::nullopt;
        result[0].description_length = length;
        return std::move(result[0]);
    }

   private:
    [[nodiscard]] bool stopped() const noexcept {
        return cancelled_.load(std::memory_order_relaxed) || evaluations_ >= limit_;
    }

    [[nodiscard]] double length_of(const Candidate& candidate) const {
        return search::description_length(priced(candidate.roles), std::max(candidate.loss, problem_.floor), scale_);
    }

    /// The best formula with an operator less, if it is shorter than `length`.
    std::optional<Candidate> without_an_operator(const Candidate& whole, double length) {
        std::optional<Candidate> best;
        for (std::size_t role = 0; role < problem_.n_evolving(); ++role) {
            for_each_replacement(whole.roles[role], [&](Expression smaller) {
                if (stopped()) return;
                std::vector<Expression> roles = whole.roles;
                roles[role] = std::move(smaller);
                Candidate candidate = problem_.simplified(problem_.judged(std::move(roles), 0), 0);
                if (candidate.complexity > whole.complexity || !allowed(candidate)) return;
                FitOptions fit;
                fit.max_iterations = 30;
                fit.abandon_after = 3;
                fit.bound = affordable(whole, length);
                evaluations_ += problem_.of_roles->fit(candidate.roles, fit, workspace_).evaluations;
                take_if_shorter(std::move(candidate), length, best);
            });
        }
        return best;
    }

    /// The best formula with one more constant at a simple number, if it is shorter than `length`.
    std::optional<Candidate> with_a_simple_number(const Candidate& whole, double length) {
        std::optional<Candidate> best;
        std::vector<double> constants;
        for (const Expression& role : whole.roles) {
            constants.insert(constants.end(), role.constants.begin(), role.constants.end());
        }
        std::vector<bool> held(constants.size());
        std::transform(constants.begin(), constants.end(), held.begin(), search::is_simple);
        const std::optional<Held> now = hold(whole.roles, held);
        if (!now) return best;
        const std::vector<double> errors =
            standard_errors(now->composed.expression, evaluator_, workspace_, now->composed.n_free);
        for (std::size_t k = 0; k < errors.size() && !stopped(); ++k) {
            const std::size_t which = now->order[k];
            const double error = std::isfinite(errors[k]) ? errors[k] : 0.005 * std::abs(constants[which]);
            const double simple = search::simple_number(constants[which], error, false);
            if (simple == constants[which]) continue;
            std::vector<bool> more = held;
            more[which] = true;
            std::vector<double> values = constants;
            values[which] = simple;
            if (std::optional<Candidate> candidate = fitted(whole.roles, values, more)) {
                take_if_shorter(std::move(*candidate), length, best);
            }
        }
        return best;
    }

    void take_if_shorter(Candidate candidate, double length, std::optional<Candidate>& best) {
        evaluations_ += 1;
        const double loss = problem_.of_roles->loss(candidate.roles, kInfinity, workspace_);
        candidate = problem_.judged(std::move(candidate.roles), loss);
        if (length_of(candidate) < (best ? length_of(*best) : length)) best = std::move(candidate);
    }

    [[nodiscard]] bool allowed(const Candidate& candidate) const {
        const auto evolving = std::span(candidate.roles).first(problem_.n_evolving());
        return std::ranges::all_of(evolving, [&](const Expression& role) {
            return problem_.space.allows(role, candidate.complexity, problem_.options.evolution.maxsize);
        });
    }

    /// A loss above which no formula can be shorter, were its structure free.
    [[nodiscard]] double affordable(const Candidate& whole, double length) const {
        const double loss = std::max({whole.loss, problem_.floor, scale_.quantum});
        const double structure = length - 0.5 * scale_.rows * apply(Op::Log, loss);
        return loss * apply(Op::Exp, std::min(600.0, 2 * std::max(structure, 0.0) / scale_.rows));
    }

    std::optional<Held> hold(std::span<const Expression> roles, const std::vector<bool>& held) const {
        std::optional<Composed> composed = problem_.structure()->compose(roles);
        if (!composed) return std::nullopt;
        Held result{std::move(*composed), std::vector<std::uint32_t>(held.size())};
        std::iota(result.order.begin(), result.order.end(), 0U);
        const auto first_held =
            std::ranges::stable_partition(result.order, [&](std::uint32_t k) { return !held[k]; }).begin();
        std::vector<std::uint32_t> place(held.size());
        std::vector<double>& constants = result.composed.expression.constants;
        const std::vector<double> before = constants;
        for (std::uint32_t k = 0; k < place.size(); ++k) {
            place[result.order[k]] = k;
            constants[k] = before[result.order[k]];
        }
        for (Node& node : result.composed.expression.nodes) {
            if (node.op == Op::Constant && node.index < place.size()) node.index = place[node.index];
        }
        result.composed.n_free = static_cast<std::size_t>(first_held - result.order.begin());
        return result;
    }

    /// The roles with these constants, those that are not held fitted.
    std::optional<Candidate> fitted(std::vector<Expression> roles, std::vector<double> values,
                                    const std::vector<bool>& held) {
        std::size_t next = 0;
        const auto give_back = [&] {
            next = 0;
            for (Expression& role : roles) {
                for (double& constant : role.constants) constant = values[next++];
            }
        };
        give_back();
        std::optional<Held> start = hold(roles, held);
        if (!start) return std::nullopt;
        Expression& formula = start->composed.expression;
        FitOptions fit;
        fit.free_constants = start->composed.n_free;
        evaluations_ += problem_.objective.fit({&formula, 1}, fit, workspace_).evaluations;
        for (std::size_t k = 0; k < values.size(); ++k) values[start->order[k]] = formula.constants[k];
        give_back();
        return problem_.judged(std::move(roles), 0);
    }

    const Problem& problem_;
    const search::DescriptionScale& scale_;
    const std::atomic<bool>& cancelled_;
    double& evaluations_;
    double limit_ = 0;
    Evaluator<double> evaluator_;
    FitWorkspace<double> workspace_;
};

}  // namespace

std::vector<FrontEntry> with_finished_parts(const std::vector<FrontEntry>& front, const Problem& problem,
                                            const search::DescriptionScale& scale, const std::atomic<bool>& cancelled,
                                            double& evaluations) {
    PartFinisher finisher(problem, scale, cancelled, evaluations);
    std::vector<FrontEntry> result;
    for (const FrontEntry& entry : front) {
        if (std::optional<FrontEntry> finished = finisher.run(entry)) result.push_back(std::move(*finished));
    }
    return result;
}

}  // namespace balmer
