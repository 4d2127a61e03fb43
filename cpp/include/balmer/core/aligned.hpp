// Memory for vectors of numbers: aligned to a cache line, reused, never shrunk.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace balmer {

/// Bytes of a cache line and of the widest vector register.
inline constexpr std::size_t kAlignment = 64;

/// Rows are padded to a multiple of this: the lanes of the widest vector of floats, and the virtual accumulators of
/// every sum (see eval/kernel_table.hpp).
inline constexpr std::size_t kLanes = 16;

[[nodiscard]] constexpr std::size_t padded(std::size_t rows) noexcept { return (rows + kLanes - 1) / kLanes * kLanes; }

template <class T>
struct AlignedAllocator {
    using value_type = T;
    AlignedAllocator() = default;
    template <class U>
    AlignedAllocator(const AlignedAllocator<U>& /*other*/) noexcept {}

    [[nodiscard]] T* allocate(std::size_t n) {
        return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{kAlignment}));
    }
    void deallocate(T* p, std::size_t /*n*/) noexcept { ::operator delete(p, std::align_val_t{kAlignment}); }
    template <class U>
    bool operator==(const AlignedAllocator<U>& /*other*/) const noexcept {
        return true;
    }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace balmer
