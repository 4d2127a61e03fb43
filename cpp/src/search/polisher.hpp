// Fits formulas to all rows and hands them to the archive.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "balmer/fit/fit.hpp"
#include "search/seed_archive.hpp"
#include "search/vocabulary.hpp"

namespace balmer::search {

/// Work, counted in nodes times rows evaluated: never in time, so that a result does not depend on the machine.
struct Work {
    double used = 0;
    double limit = 0;
    [[nodiscard]] bool left() const noexcept { return used < limit; }
};

/// The last step of every stage. What it refers to must outlive it.
class Polisher {
   public:
    Polisher(const Evaluator<double>& evaluator, const Vocabulary& vocabulary, SeedArchive& archive, Work& work,
             const std::atomic<bool>& cancel, int n_threads);
    ~Polisher();

    /// Evaluates and fits each formula on the rows of the first rungs; admissible ones go to the archive. Of many formulas only
    /// those that do well on the first 512 rows are fitted to more. Formulas without nodes are skipped; of equal ones the
    /// first counts. Returns how many were offered.
    std::size_t submit(std::vector<Expression> formulas, const char* stage, int iterations = 12);

    [[nodiscard]] SeedArchive& archive() noexcept { return archive_; }
    [[nodiscard]] const Vocabulary& vocabulary() const noexcept { return vocabulary_; }
    [[nodiscard]] const Evaluator<double>& evaluator() const noexcept { return evaluator_; }
    [[nodiscard]] Work& work() noexcept { return work_; }
    [[nodiscard]] int n_threads() const noexcept { return n_threads_; }
    [[nodiscard]] bool stopped() const noexcept { return cancel_.load(std::memory_order_relaxed) || !work_.left(); }
    /// Rows that fits use: all, or the first rung of large data.
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    /// A workspace of the calling thread, for work outside parallel loops.
    [[nodiscard]] FitWorkspace<double>& workspace() noexcept { return workspaces_[0]; }

   private:
    const Evaluator<double>& evaluator_;
    const Vocabulary& vocabulary_;
    SeedArchive& archive_;
    Work& work_;
    const std::atomic<bool>& cancel_;
    int n_threads_;
    std::size_t rows_;
    std::vector<FitWorkspace<double>> workspaces_;

    void fit(std::vector<Expression>& formulas, std::span<const std::size_t> chosen, std::size_t rows,
             const char* stage, int iterations, std::vector<Found>& found);
};

}  // namespace balmer::search
