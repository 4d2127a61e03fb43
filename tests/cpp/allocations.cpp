#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> count = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
    count.fetch_add(1, std::memory_order_relaxed);
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    void* p = std::aligned_alloc(alignment, size == 0 ? alignment : size);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

// The forms that the others call by default.
void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t /*bytes*/) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t /*alignment*/) noexcept { std::free(p); }
void operator delete(void* p, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept { std::free(p); }

namespace balmer::test {

std::size_t allocations() noexcept { return count.load(std::memory_order_relaxed); }

}  // namespace balmer::test
