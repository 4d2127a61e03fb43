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

enum class StopReason : std::uint8_t {
    iterations,
    early_stop,
    exact,  ///< a formula reproduces the target to its rounding
    timeout,
    max_evals,
    interrupted,
    /// Nothing is left to be found: fewer than 12 rows of measurements, and a formula explains what they can tell; or
    /// 25 iterations led to nothing better, and what the best formula leaves follows no simple formula more than noise would.
    settled,
};
[[nodiscard]] std::string_view name(StopReason reason) noexcept;

/// One formula of the front: no simpler one has a smaller loss.
struct FrontEntry {
    Expression expression;
    int complexity = 0;
    double loss = 0;  ///< weighted mean of squared residuals, or of the loss that was given, over all rows
    /// Nats that it takes to write down the target by means of this formula: fit, structure and constants together
    /// (docs/search.md). The formula of least description length is the one to believe first. Infinite for losses that may
    /// be negative or are not least at the target.
    double description_length = std::numeric_limits<double>::infinity();

    // What a result adds; a report of progress does not have it.

    /// Schwarz 1978: n ln(loss) + p ln(n) with n rows of positive weight and p constants, those that are whole numbers not
    /// counted. For other losses 2 n / q ln(loss), q being the exponent of the loss; infinite where the description length is.
    double bic = std::numeric_limits<double>::infinity();
    /// Share of the target's weighted variance that the formula explains; of a constant target 1 or 0.
    double r2 = std::numeric_limits<double>::quiet_NaN();
    /// Loss on rows that the constants were not fitted to, and its standard error; NaN unless `cv_folds` asks for it.
    double cv_loss = std::numeric_limits<double>::quiet_NaN();
    double cv_error = std::numeric_limits<double>::quiet_NaN();
    /// Of each constant, in the order in which they stand; 0 for a whole number, which is part of the structure; NaN where
    /// the data do not determine it. Empty for other losses than least squares.
    std::vector<double> standard_errors = {};
    /// With a template: its parts, from which `expression` is made, and a last one that holds the parameters, if there are any.
    std::vector<Expression> parts = {};
    /// With a template: for each constant of `expression` the number, counted from 1, of the unknown of the fit that it is. Where
    /// a part is called twice its constants are the same unknowns; 0 stands for a number of the template, which is not fitted.
    std::vector<std::size_t> unknowns = {};
};

/// What a stage had found when it had done so much work.
struct LogEntry {
    std::string stage;       ///< "seed: raw: dictionary", "evolution 12", "finish"
    double work = 0;         ///< nodes times rows that were evaluated since the search began
    double evaluations = 0;  ///< the same, as evaluations of formulas on all rows
    double cpu_seconds = 0;  ///< of this process since `run` began; NaN for what was done before a `load`
    int complexity = 0;      ///< of a formula that the stage put on the front, or of its best
    double loss = 0;
    Expression expression;
};

/// The entry to believe first: that of least description length; of least loss where no entry has one (other losses than
/// least squares). Null for an empty front.
[[nodiscard]] const FrontEntry* best(std::span<const FrontEntry> front) noexcept;

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
    double seed_work = 0;       ///< nodes times rows that the stage before evolution evaluated
    std::vector<LogEntry> log;  ///< in the order in which things happened; the same every time, but for the seconds
};

/// A search over one dataset. Same data, options and seed: same front, bit for bit, on any number of threads and any
/// instruction set. Not to be used from two threads at once, except for `interrupt`.
class Search {
   public:
    /// Throws std::invalid_argument as `validate` does, if `data` has no target, or if no double holds the loss of a constant
    /// (a target of 1e200 and squares). Copies what it needs but `data`, which must outlive it.
    Search(const Dataset<double>& data, OperatorSet operators, SearchOptions options);
    ~Search();
    Search(Search&&) noexcept;
    Search& operator=(Search&&) noexcept;

    /// Runs until an option says stop. `progress` (may be empty) is called between iterations on the thread that called
    /// `run`; when it returns false the search stops there, the last fits of its front included (early_stop). `poll` (may
    /// be empty) is called on that thread about every 50 ms; when it returns false the search stops at once and keeps its
    /// front as it is (interrupted). What they throw stops the search, waits for its threads, and is thrown on.
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
