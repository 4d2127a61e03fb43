#include "core/parallel.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace balmer {
namespace {

TEST_CASE("a parallel loop visits each index once, on threads that it was given") {
    for (const int threads : {1, 2, 3}) {
        for (const int chunk : {1, 7}) {
            std::vector<int> visits(100, 0), thread_of(100, -1);
            const auto visit = [&](std::ptrdiff_t i, int thread) {
                ++visits[static_cast<std::size_t>(i)];
                thread_of[static_cast<std::size_t>(i)] = thread;
            };
            parallel_for(std::ssize(visits), threads, visit, chunk);
            CHECK(visits == std::vector<int>(100, 1));
            for (const int thread : thread_of) {
                CHECK(thread >= 0);
                CHECK(thread < threads);
            }
        }
    }
}

TEST_CASE("a parallel loop over nothing is no error") {
    parallel_for(0, 2, [](std::ptrdiff_t, int) { FAIL("there is no index"); });
}

TEST_CASE("of the exceptions of a parallel loop the first in order comes out, after all have ended") {
    for (const int threads : {1, 2, 3}) {
        std::string what;
        try {
            parallel_for(50, threads, [](std::ptrdiff_t i, int) {
                if (i % 10 == 7) throw std::runtime_error(std::to_string(i));
            });
        } catch (const std::runtime_error& error) {
            what = error.what();
        }
        CHECK(what == "7");
    }
}

}  // namespace
}  // namespace balmer
