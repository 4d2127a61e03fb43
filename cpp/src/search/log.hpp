// Which stage found what, after how much work.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "balmer/search/pareto.hpp"
#include "balmer/search/search.hpp"
#include "search/state.hpp"

namespace balmer {

/// Processor time of this process in seconds, all threads together; for reports, never for decisions.
[[nodiscard]] double cpu_seconds() noexcept;

/// How much has been done since the search began.
struct WorkDone {
    double work = 0;         ///< nodes times rows evaluated
    double evaluations = 0;  ///< of formulas, on all rows
};

/// The records of a search, and what the front was when the last one was written.
class SearchLog {
   public:
    /// For fronts of complexities up to `max_complexity`.
    explicit SearchLog(int max_complexity = 0);

    /// From here on seconds count.
    void start_clock() noexcept { start_ = cpu_seconds(); }

    /// `entry` as it is, but for the seconds, which are since the clock was started.
    void add(LogEntry entry, double at_cpu_seconds);

    /// One record for each formula of the front that was not there before or has lost a thousandth of its loss.
    void front(const std::string& stage, const WorkDone& done, std::span<const FrontEntry> front);

    [[nodiscard]] const std::vector<LogEntry>& entries() const noexcept { return entries_; }

    /// All but the seconds: a saved search does not depend on the clock.
    void save(StateWriter& out, const OperatorSet& operators) const;
    /// Throws std::invalid_argument, as StateReader does.
    void load(StateReader& in, const OperatorSet& operators, std::size_t n_features);

   private:
    void remember(int complexity, double loss);

    std::vector<LogEntry> entries_;
    std::vector<double> losses_;  // by complexity: least loss on record
    double start_ = 0;
};

}  // namespace balmer
