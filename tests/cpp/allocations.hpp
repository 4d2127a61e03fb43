// How often the test program has asked for memory.
#pragma once

#include <cstddef>

namespace balmer::test {

/// Calls of operator new on all threads since the program began.
[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace balmer::test
