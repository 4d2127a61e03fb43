#include "search/control.hpp"

#include <thread>

namespace balmer {

namespace {

constexpr std::chrono::milliseconds kPollInterval{50};

}  // namespace

void Control::attend(const std::function<void()>& work, const std::function<bool(const Progress&)>& progress,
                     const std::function<bool()>& poll) {
    cancelled_.store(false, std::memory_order_relaxed);
    expired_.store(false, std::memory_order_relaxed);
    stopped_.store(false, std::memory_order_relaxed);
    start_ = std::chrono::steady_clock::now();
    shown_ = nullptr;
    done_ = false;
    wants_progress_ = static_cast<bool>(progress);

    std::exception_ptr failure;  // of the work
    std::thread worker([&] {
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
        const std::lock_guard lock(mutex_);
        done_ = true;
        changed_.notify_all();
    });

    std::exception_ptr thrown;  // by the user's functions: they are not called again after that
    auto next_poll = start_ + kPollInterval;
    std::unique_lock lock(mutex_);
    while (!done_) {
        changed_.wait_until(lock, next_poll, [&] { return done_ || shown_ != nullptr; });
        const Progress* shown = shown_;
        const bool poll_now = std::chrono::steady_clock::now() >= next_poll;
        if (poll_now && seconds() > deadline_) expired_.store(true, std::memory_order_relaxed);
        if (!done_ && (shown != nullptr || poll_now)) {
            lock.unlock();  // the user may call `interrupt` or take their time
            try {
                if (shown != nullptr && !thrown && !progress(*shown)) stop();
                if (poll_now && poll && !thrown && !poll()) cancel();
            } catch (...) {
                thrown = std::current_exception();
                cancel();
            }
            lock.lock();
            if (poll_now) next_poll = std::chrono::steady_clock::now() + kPollInterval;
        }
        if (shown != nullptr) {
            shown_ = nullptr;
            changed_.notify_all();
        }
    }
    lock.unlock();
    worker.join();
    if (thrown) std::rethrow_exception(thrown);
    if (failure) std::rethrow_exception(failure);
}

void Control::report(const Progress& progress) {
    if (!wants_progress_) return;
    std::unique_lock lock(mutex_);
    shown_ = &progress;
    changed_.notify_all();
    changed_.wait(lock, [&] { return shown_ == nullptr; });
}

}  // namespace balmer
