#include "core/parallel.hpp"

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace balmer {

int startable_threads(int wanted) {
    thread_local int started = 1;
    if (wanted <= started) return wanted;
    std::atomic<bool> over = false;
    std::vector<std::thread> threads;
    threads.reserve(static_cast<std::size_t>(wanted) - 1);
    try {
        while (static_cast<int>(threads.size()) < wanted - 1) {
            threads.emplace_back([&over] { over.wait(false); });  // all at the same time
        }
    } catch (const std::exception&) {  // no thread or no memory for it: as many as there are, then
    }
    over = true;
    over.notify_all();
    for (std::thread& thread : threads) thread.join();
    const int here = static_cast<int>(threads.size()) + 1;
    if (here == wanted) started = wanted;
    return here;
}

}  // namespace balmer
