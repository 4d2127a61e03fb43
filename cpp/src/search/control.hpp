// Between the thread that called `run` and the thread that searches.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>

#include "balmer/search/search.hpp"

namespace balmer {

/// Runs a search on a thread of its own while the calling thread looks after the user.
///
/// The search has its own thread for three reasons: the calling thread stays free to look for Ctrl-C; libgomp keeps a pool
/// of threads for each thread that opens a parallel region, so a forked child and several callers at once are safe; and
/// no user code ever runs on a thread of the search.
class Control {
   public:
    /// Looked at by the islands in every cycle.
    [[nodiscard]] const std::atomic<bool>& cancelled() const noexcept { return cancelled_; }
    [[nodiscard]] bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
    /// From any thread.
    void cancel() noexcept {
        cancelled_.store(true, std::memory_order_relaxed);
        expired_.store(true, std::memory_order_relaxed);
    }
    /// Ends the search between two iterations, with all that comes after them.
    void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool is_stopped() const noexcept { return stopped_.load(std::memory_order_relaxed); }
    /// Set when cancelled, or within 50 ms after `deadline` of the run: for stages that keep what they have at any step.
    [[nodiscard]] const std::atomic<bool>& expired() const noexcept { return expired_; }
    /// Seconds after the start of a run; before it starts.
    void set_deadline(double seconds) noexcept { deadline_ = seconds; }

    /// Runs `work` on a new thread; meanwhile calls `poll` about every 50 ms and `progress` whenever `report` asks, on this
    /// thread. Stops when `progress` returns false; cancels when `poll` does, or when either throws. Returns when `work` has; throws what user code or `work`
    /// threw.
    void attend(const std::function<void()>& work, const std::function<bool(const Progress&)>& progress,
                const std::function<bool()>& poll);

    /// For `work`: shows `progress` to the user and waits until they have seen it.
    void report(const Progress& progress);

    /// Whether anybody wants to see reports.
    [[nodiscard]] bool wants_progress() const noexcept { return wants_progress_; }

    [[nodiscard]] double seconds() const noexcept {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

   private:
    std::atomic<bool> cancelled_ = false, expired_ = false, stopped_ = false;
    double deadline_ = std::numeric_limits<double>::infinity();
    std::chrono::steady_clock::time_point start_{};
    bool wants_progress_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    const Progress* shown_ = nullptr;  // waits to be seen
    bool done_ = false;
};

}  // namespace balmer
