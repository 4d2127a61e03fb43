#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> count = 0, bytes_in_all = 0, failing = 0;

void* counted_or_null(std::size_t bytes, std::size_t alignment) noexcept {
    if (count.fetch_add(1, std::memory_order_relaxed) + 1 == failing.load(std::memory_order_relaxed)) return nullptr;
    bytes_in_all.fetch_add(bytes, std::memory_order_relaxed);
    const std::size_t size = (bytes + alignment - 1) / alignment * alignment;
    return std::aligned_alloc(alignment, size == 0 ? alignment : size);
}

void* counted(std::size_t bytes, std::size_t alignment) {
    void* p = counted_or_null(bytes, alignment);
    if (p == nullptr) throw std::bad_alloc();
    return p;
}

}  // namespace

// The forms that the others call by default, and those without exceptions: AddressSanitizer has its own of these, which
// must not meet our delete.
void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
    return counted_or_null(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t& /*tag*/) noexcept {
    return counted_or_null(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t /*bytes*/) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t /*alignment*/) noexcept { std::free(p); }
void operator delete(void* p, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept { std::free(p); }

namespace balmer::test {

std::size_t allocations() noexcept { return count.load(std::memory_order_relaxed); }
std::size_t allocated_bytes() noexcept { return bytes_in_all.load(std::memory_order_relaxed); }
void fail_allocation(std::size_t n) noexcept { failing = n == 0 ? 0 : allocations() + n; }

}  // namespace balmer::test
