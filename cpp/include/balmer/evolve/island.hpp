// One population on its own.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "balmer/core/rng.hpp"
#include "balmer/evolve/back_solver.hpp"
#include "balmer/evolve/candidate.hpp"
#include "balmer/evolve/dimensional_objective.hpp"
#include "balmer/evolve/loss_table.hpp"
#include "balmer/evolve/mutation.hpp"
#include "balmer/evolve/objective.hpp"
#include "balmer/evolve/population.hpp"
#include "balmer/evolve/selection.hpp"

namespace balmer {

/// What all islands share for the whole search. The referred objects must outlive the islands.
struct EvolutionContext {
    const SearchSpace* space = nullptr;  ///< of the limits and complexities of all roles
    std::span<const Mutator> mutators;   ///< one for each role that evolves
    const Tournament* tournament = nullptr;
    const EvolutionOptions* options = nullptr;
    double norm = 1;                          ///< loss that counts as a cost of 1
    DimensionalPrice price = {};              ///< finite, so that evolution can cross what violates the dimensions
    const BackSolver* back_solver = nullptr;  ///< null: that mutation cannot be
    std::size_t n_parameters = 0;             ///< numbers in a last role that is only fitted; 0: there is no such role

    [[nodiscard]] double cost(double loss, int complexity) const noexcept {
        return loss / norm + options->parsimony * complexity;
    }
};

/// What all islands share for one iteration.
struct IterationPlan {
    const Objective* rows = nullptr;      ///< the rows that members are judged on
    const Objective* all_rows = nullptr;  ///< all of them; the same object if there is no batch
    const FrequencyStatistics* frequencies = nullptr;
    int max_complexity = 0;
    std::span<const double> known;  ///< by complexity: losses on all rows that are already on record
    const std::atomic<bool>* cancelled = nullptr;

    [[nodiscard]] bool batched() const noexcept { return rows != all_rows; }
    [[nodiscard]] bool is_cancelled() const noexcept { return cancelled->load(std::memory_order_relaxed); }
};

/// Scratch memory of one thread.
struct IslandScratch {
    FitWorkspace<double> workspace;
    LossTable table;
};

/// Multipliers on the weights of the mutations that follow how often each made something better.
class AdaptiveWeights {
   public:
    AdaptiveWeights() noexcept { multipliers_.fill(1.0); }

    [[nodiscard]] double multiplier(Mutation mutation) const noexcept {
        return multipliers_[static_cast<std::size_t>(mutation)];
    }
    void record(Mutation mutation, bool improved) noexcept;

    struct State {
        MutationTable attempts{}, successes{}, multipliers{};
    };
    [[nodiscard]] State state() const noexcept { return {attempts_, successes_, multipliers_}; }
    void restore(const State& state) noexcept {
        attempts_ = state.attempts, successes_ = state.successes, multipliers_ = state.multipliers;
        all_attempts_ = std::accumulate(attempts_.begin(), attempts_.end(), 0.0);
        all_successes_ = std::accumulate(successes_.begin(), successes_.end(), 0.0);
    }

   private:
    MutationTable attempts_{}, successes_{}, multipliers_{};
    double all_attempts_ = 0, all_successes_ = 0;
};

/// A population, its random stream and what it has found. Islands meet only between iterations, by migration.
///
/// Everything that happens depends on (stream, members, plan) alone. A birth allocates nothing, but for what simplification
/// and new random expressions need.
class Island {
   public:
    Island(const EvolutionContext& context, Rng rng) : context_(&context), rng_(rng) {}

    /// A population of small random expressions, judged on all rows of the plan. When the plan is cancelled, those that were
    /// judged until then: too few for `run_iteration`.
    void initialise(const IterationPlan& plan, IslandScratch& scratch);

    /// ncycles_per_iteration cycles of births, then simplification and the fit of some members' constants. Returns early,
    /// in a consistent state, when the plan is cancelled.
    void run_iteration(const IterationPlan& plan, IslandScratch& scratch);

    /// The best candidate of that complexity in the last iteration, its loss on all rows; null unless it is below what was
    /// known.
    [[nodiscard]] const Candidate* best(int complexity) const noexcept {
        const auto c = static_cast<std::size_t>(complexity);
        return c < best_.size() && improved_[c] != 0 ? &best_[c] : nullptr;
    }

    /// A migrant takes the place of the member in that slot.
    void receive(const Candidate& migrant, std::size_t slot);

    [[nodiscard]] const Population& population() const noexcept { return population_; }
    [[nodiscard]] Rng& rng() noexcept { return rng_; }
    [[nodiscard]] double evaluations() const noexcept { return evaluations_; }
    /// Nodes evaluated on all rows, or on as many parts of them as make all.
    [[nodiscard]] double nodes() const noexcept { return nodes_; }
    [[nodiscard]] std::uint64_t births() const noexcept { return population_.births(); }

    struct State {
        Rng::State rng;
        AdaptiveWeights::State weights;
        std::vector<Candidate> members;
        std::uint64_t births = 0;
        double evaluations = 0, nodes = 0;
    };
    [[nodiscard]] State state() const;
    void restore(State state);

   private:
    void birth(double temperature);
    void crossover();
    void mutate(double temperature);
    [[nodiscard]] Mutation draw_mutation(std::size_t role, const Expression& parent, int complexity,
                                         int max_complexity);
    void bear_changed(const Candidate& parent, std::size_t role, Mutation mutation, double temperature);
    bool accept(const Candidate& parent, Candidate& child, double temperature);
    void bear_copy(const Candidate& parent);
    void simplify_member(std::size_t slot);
    void optimise_member(std::size_t slot);
    void optimise_and_simplify();
    void judge_best_on_all_rows();
    void reserve(Candidate& candidate) const;
    [[nodiscard]] Expression random_parameters();

    [[nodiscard]] const Candidate& tournament() noexcept {
        return population_[population_.ranked(context_->tournament->draw(rng_))];
    }
    /// The roles that mutations change: all but the parameters of a template.
    template <class Of>
    [[nodiscard]] auto evolving(Of& candidate) const noexcept {
        return std::span(candidate.roles).first(context_->mutators.size());
    }
    [[nodiscard]] std::size_t random_role() noexcept {
        return rng_.below(static_cast<std::uint32_t>(context_->mutators.size()));
    }
    [[nodiscard]] Ranking ranking() const noexcept;
    [[nodiscard]] int complexity(const Candidate& candidate) const noexcept;
    [[nodiscard]] bool allowed(const Candidate& candidate) const noexcept;
    [[nodiscard]] double judge(std::span<const Expression> roles, double bound);
    [[nodiscard]] double loss_on(const Objective& rows, std::span<const Expression> roles, double bound);
    void count(std::span<const Expression> roles, double evaluations) noexcept;
    void set_loss(Candidate& candidate, double loss) const noexcept;
    void record_best(const Candidate& candidate);
    [[nodiscard]] double best_loss(int complexity) const noexcept {
        return best_[static_cast<std::size_t>(complexity)].loss;
    }

    const EvolutionContext* context_;
    Rng rng_;
    Population population_;
    AdaptiveWeights adaptive_;
    std::vector<Candidate> best_;         // by complexity; the loss is at most what was known
    std::vector<std::uint8_t> improved_;  // by complexity: whether best_ holds a candidate of this iteration
    double evaluations_ = 0, nodes_ = 0;

    Candidate child_, other_child_, trial_;  // storage of the newborn

    // Of the iteration that runs.
    const IterationPlan* plan_ = nullptr;
    IslandScratch* scratch_ = nullptr;
};

}  // namespace balmer
