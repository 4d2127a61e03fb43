// Loops on several threads: the only place of the library that opens an OpenMP region.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <exception>

namespace balmer {

/// As many of `wanted` threads as the system starts, this one included, and at least that. OpenMP's runtime ends the
/// process when it cannot start one, so they are tried first: once for each thread that asks, as its team stays.
[[nodiscard]] int startable_threads(int wanted);

/// Runs body(i, thread) for each i in [0, count), `chunk` at a time on whichever of at most `n_threads` threads is free;
/// 0 <= thread < n_threads. When all have ended, an exception of a body is thrown again here: of several, that of the
/// least i. (One that left the region would end the process.)
template <class Body>
void parallel_for(std::ptrdiff_t count, int n_threads, const Body& body, int chunk = 1) {
    const int team = startable_threads(
        static_cast<int>(std::clamp<std::ptrdiff_t>(n_threads, 1, std::max<std::ptrdiff_t>(count, 1))));
    if (team == 1) {
        for (std::ptrdiff_t i = 0; i < count; ++i) body(i, 0);
        return;
    }
    std::exception_ptr failure;
    std::ptrdiff_t failed = count;
#pragma omp parallel for schedule(dynamic, chunk) num_threads(team)
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        try {
            body(i, omp_get_thread_num());
        } catch (...) {
#pragma omp critical(balmer_parallel_for)
            if (i < failed) {
                failure = std::current_exception();
                failed = i;
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace balmer
