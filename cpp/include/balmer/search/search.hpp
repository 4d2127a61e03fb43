// From a dataset to a Pareto front.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balmer/eval/dataset.hpp"
#include "balmer/evolve/candidate.hpp"
#include "balmer/search/options.hpp"

namespace balmer {

enum class StopReason : std::uint8_t { iterations, early_stop, exact, timeout, max_evals, interrupted };
[[nodiscard]] std::string_view name(StopReason reason) noexcept;

/// One formula of the front: no simpler one has a smaller loss.
struct FrontEntry {
    Expression expression;
    int complexity = 0;
    double loss = 0;  ///< weighted mean of squared residuals over all rows
    /// Nats that it takes to write down the target by means of this formula: fit, structure and constants together
    /// (docs/search.md). The formula of least description length is the one to believe first. Infinite for other losses
    /// than least squares.
    double description_length = std::numeric_limits<double>::infinity();
};

/// What a progress function sees, between two iterations.
struct Progress {
    int iteration = 0, iterations = 0;
    double evaluations = 0;  ///< so far; a batch counts as its share of the rows
    double seconds = 0;      ///< since `run` began
    std::span<const FrontEntry> front;
};

struct SearchResult {
    std::vector<FrontEntry> front;  ///< by rising complexity, falling loss
    StopReason reason = StopReason::iterations;
    int iterations = 0;
    double evaluations = 0;
    double seconds = 0;
};

/// A search over one dataset. Same data, options and seed: same front, bit for bit, on any number of threads and any
/// instruction set. Not to be used from two threads at once, except for `interrupt`.
class Search {
   public:
    /// Throws std::invalid_argument as `validate` does, or if `data` has no target. Copies what it needs but `data`, which
    /// must outlive it.
    Search(const Dataset<double>& data, OperatorSet operators, SearchOptions options);
    ~Search();
    Search(Search&&) noexcept;
    Search& operator=(Search&&) noexcept;

    /// Runs until an option says stop. `progress` (may be empty) is called between iterations on the thread that called
    /// `run`; `poll` (may be empty) is called on that thread about every 50 ms; the search stops, and keeps its front,
    /// when either returns false. What they throw stops the search, waits for its threads, and is thrown on.
    /// A second call goes on where the first one stopped.
    SearchResult run(const std::function<bool(const Progress&)>& progress = {}, const std::function<bool()>& poll = {});

    /// Makes a running `run` stop soon. May be called from any thread.
    void interrupt() noexcept;

    /// Everything that a later process needs to go on to the same result, and back. `load` throws std::invalid_argument for
    /// text that is damaged or belongs to other data or options.
    [[nodiscard]] std::string save() const;
    void load(std::string_view state);

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace balmer
