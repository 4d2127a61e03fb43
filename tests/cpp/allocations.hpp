// How often, and for how much, the test program has asked for memory.
#pragma once

#include <cstddef>

namespace balmer::test {

/// Calls of operator new on all threads since the program began.
[[nodiscard]] std::size_t allocations() noexcept;

/// The bytes that these calls asked for.
[[nodiscard]] std::size_t allocated_bytes() noexcept;

/// Lets the `n`-th allocation from now on (from 1, on any thread) end with std::bad_alloc; 0: none.
void fail_allocation(std::size_t n) noexcept;

}  // namespace balmer::test
