// The stage before evolution: finds laws of few parts in milliseconds, and good formulas to start from.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "balmer/eval/dataset.hpp"
#include "balmer/search/options.hpp"
#include "balmer/search/search.hpp"
#include "search/polisher.hpp"
#include "search/view.hpp"

namespace balmer::search {

/// A line of the search log.
struct SeedLogEntry {
    std::string stage;
    double work = 0;  ///< nodes times rows evaluated so far
    double loss = 0;  ///< of the best formula by description length
    int complexity = 0;
    Expression expression;
    double cpu_seconds = 0;  ///< on the clock of the process
};

struct SeedResult {
    std::vector<FrontEntry> candidates;  ///< by rising complexity; several of each, best description length first
    std::vector<SeedLogEntry> log;
    bool exact = false;    ///< a formula reproduces the target to rounding
    bool settled = false;  ///< the rows are few, and a formula explains what they can tell (search/settled.hpp)
    double noise = 0;      ///< estimated standard deviation of the target about the law
};

/// Deterministic: same data, operators and options give the same candidates on any number of threads. Weighted least squares;
/// for other losses the candidates are a start. `data` (in ladder order) and `operators` must outlive the stage.
class Seed {
   public:
    Seed(const Dataset<double>& data, const OperatorSet& operators, const SearchOptions& options);

    /// Spends at most `work` (see Work); looks at `cancel` between steps of some milliseconds.
    [[nodiscard]] SeedResult run(Work& work, const std::atomic<bool>& cancel) const;

    /// Looks for better parts of these formulas, of whatever stage (search/part_search.hpp).
    [[nodiscard]] SeedResult improve(std::vector<Expression> formulas, Work& work,
                                     const std::atomic<bool>& cancel) const;

    /// Whether the formula, of whatever stage, leaves residuals that follow no simple formula more than noise would. False
    /// where there are too few rows to tell, or when it is cancelled.
    [[nodiscard]] bool leaves_noise(const Expression& formula, const std::atomic<bool>& cancel) const;

   private:
    [[nodiscard]] SeedArchive empty_archive(const Vocabulary& vocabulary) const;

    /// Rounds of growing libraries, for exact laws.
    struct Campaign {
        std::vector<std::size_t> atoms;
        std::size_t screen_rows = 64;
    };

    void solve(std::span<const View> views, Polisher& polisher, const Campaign& campaign,
               const std::function<void(std::string)>& log) const;

    /// Rounds on more rows, each residual weighted as what it is in y.
    void noisy_rounds(const View& raw, std::span<const View> views, Polisher& polisher,
                      const std::function<void(std::string)>& log) const;

    /// Whether the best formula leaves noise, so that there is no exact law to be looked for.
    [[nodiscard]] bool surely_noisy(const View& raw, Polisher& polisher) const;

    /// Whether the residual of the best formula follows some simple formula more than noise would.
    [[nodiscard]] bool something_left(const View& raw, Polisher& polisher) const;

    /// Bytes that one step may fill with its libraries.
    [[nodiscard]] double memory_of_step() const noexcept;

    /// Those on which a residual is tested: the first of positive weight, as many as are wanted and as memory allows.
    [[nodiscard]] std::vector<std::uint32_t> rows_of_test(std::size_t wanted) const;

    const Dataset<double>& data_;
    const OperatorSet& operators_;
    const SearchOptions& options_;
};

}  // namespace balmer::search
