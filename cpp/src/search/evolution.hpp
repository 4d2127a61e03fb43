// The stage that evolves islands.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balmer/evolve/island.hpp"
#include "balmer/search/options.hpp"
#include "balmer/search/pareto.hpp"
#include "balmer/search/search.hpp"
#include "search/batch.hpp"
#include "search/control.hpp"
#include "search/description_length.hpp"
#include "search/log.hpp"
#include "search/problem.hpp"
#include "search/state.hpp"

namespace balmer {

/// What is done where iterations have led to nothing better for a while.
struct Help {
    std::string stage;     ///< its name in the log
    bool settled = false;  ///< there is nothing left to be found
};

/// Islands that evolve side by side and meet after each iteration, in the order of their numbers.
///
/// One parallel region for each iteration, no barrier inside; what threads do never depends on their number, and all that
/// islands share (front, frequencies, migrants) is merged serially after the region.
class Evolution {
   public:
    /// `problem` must outlive it.
    explicit Evolution(const Problem& problem);

    /// Evolves until an option, the user or the data say stop. A second call goes on; it runs as many iterations again if
    /// the first one ran all of its own. What is found goes into `archive`, from which migrants also come, and `log`.
    /// `before`: what other stages have done, which counts for `max_evals`. `when_stalled`, if not empty, is called where
    /// iterations have led to nothing better for a while: it may add to the archive.
    StopReason run(Archive& archive, Control& control, SearchLog& log, const WorkDone& before,
                   const std::function<Help()>& when_stalled);

    /// The member of the front that describes the data in the fewest nats; null if there is none.
    [[nodiscard]] const Candidate* briefest(const Archive& archive) const;

    [[nodiscard]] int iteration() const noexcept { return iteration_; }
    [[nodiscard]] WorkDone done() const noexcept;

    void save(StateWriter& out) const;
    /// Throws std::invalid_argument, as StateReader does.
    void load(StateReader& in);

   private:
    /// What candidates are judged on in an iteration, in the precision that was asked for.
    [[nodiscard]] std::unique_ptr<const Objective> objective_over(const Dataset<double>& rows, double share) const;
    void start(Archive& archive, Control& control);
    void run_iteration(Archive& archive, Control& control);
    template <class Body>
    void for_each_island(Control& control, Body body);
    void offer(const Candidate& candidate, Archive& archive) const;
    void merge(Archive& archive);
    void refine_leader(Archive& archive, const Control& control);
    void migrate(const Archive& archive);
    [[nodiscard]] int max_complexity(const Archive& archive) const;
    [[nodiscard]] int exact_complexity(const Archive& archive) const;
    [[nodiscard]] std::optional<StopReason> reason_to_stop(const Archive& archive, const Control& control,
                                                           const WorkDone& before) const;
    [[nodiscard]] bool early_stop(const Archive& archive) const;
    /// Whether the iterations of the present leg are over, or the last ones have led to nothing better.
    [[nodiscard]] bool leg_is_over() const noexcept;
    [[nodiscard]] bool is_stalled() const noexcept;
    [[nodiscard]] bool wants_restart() const noexcept;
    /// Every second island begins anew; nothing happens if the search is stopped meanwhile.
    void restart(Control& control);
    [[nodiscard]] double description(const Candidate& candidate) const;
    /// Takes down when the data were last described in fewer nats.
    void note_progress(const Archive& archive);
    void report(const Archive& archive, Control& control, const WorkDone& before) const;

    const Problem* problem_;
    std::vector<Mutator> mutators_;  // one for each role that evolves
    Tournament tournament_;
    std::unique_ptr<const BackSolver> back_solver_;
    EvolutionContext context_;
    std::optional<BatchSampler> sampler_;

    std::vector<Island> islands_;
    FrequencyStatistics frequencies_;
    std::vector<Candidate> guesses_;
    int iteration_ = 0;
    int leg_start_ = 0;     // iteration at which the present `niterations` began
    int improved_at_ = 0;   // iteration at which the least description length last fell
    int helped_at_ = -1;    // iteration at which it was stalled last
    int restarted_at_ = 0;  // iteration at which islands last began anew
    double least_description_ = std::numeric_limits<double>::infinity();
    int exact_iterations_ = 0;  // since the simplest exact formula was found
    double own_evaluations_ = 0, own_nodes_ = 0;
    std::uint64_t refined_ = 0;  // hash of the leader that was fitted last

    search::DescriptionScale scale_;
    std::vector<IslandScratch> scratch_;  // one for each thread
    bool in_single_precision_;
    std::unique_ptr<const Objective> single_;  // over all rows; null in double precision or with batches
};

}  // namespace balmer
