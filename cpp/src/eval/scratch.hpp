// Memory whose first contents nobody reads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "balmer/core/aligned.hpp"

namespace balmer::eval {

/// Numbers that are written before they are read. Grows and never shrinks; growing keeps nothing. As nothing is set to
/// zero, memory that is reserved and not used costs nothing.
template <class T>
class Scratch {
   public:
    void reserve(std::size_t count) {
        if (count <= size_) return;
        count = std::max(count, 2 * size_);
        memory_.reset();
        memory_.reset(AlignedAllocator<T>{}.allocate(count));
        size_ = count;
    }
    [[nodiscard]] T* data() noexcept { return memory_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

   private:
    struct Free {
        void operator()(T* p) const noexcept { AlignedAllocator<T>{}.deallocate(p, 0); }
    };
    std::unique_ptr<T, Free> memory_;
    std::size_t size_ = 0;
};

}  // namespace balmer::eval
