// The instruction set in use.
#pragma once

#include "eval/kernel_table.hpp"

namespace balmer::eval {

/// Kernels of the set that isa.hpp names. Throws std::invalid_argument at the first call if BALMER_FORCE_ISA is wrong.
[[nodiscard]] const KernelTable& kernels();

template <class T>
[[nodiscard]] const Kernels<T>& kernels_of(const KernelTable& table) noexcept;
template <>
inline const Kernels<double>& kernels_of<double>(const KernelTable& table) noexcept {
    return table.f64;
}
template <>
inline const Kernels<float>& kernels_of<float>(const KernelTable& table) noexcept {
    return table.f32;
}

/// The natural logarithm, the same bits everywhere: the value of Op::Log. log 0 is -inf.
[[nodiscard]] inline double natural_log(double x) { return kernels().log(x); }

/// While one lives, subnormal numbers count as zero on this thread.
class FlushSubnormals {
   public:
    explicit FlushSubnormals(const KernelTable& table) noexcept : table_(table), state_(table.enter_fp()) {}
    ~FlushSubnormals() { table_.restore_fp(state_); }
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;

   private:
    const KernelTable& table_;
    std::uint64_t state_;
};

}  // namespace balmer::eval
