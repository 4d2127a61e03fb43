// The operators on single numbers: the same mathematics as the kernels, over registers of one value. Like the kernels
// this file must be compiled with -ffp-contract=off -fno-math-errno -fno-trapping-math, or its bits may differ.
#include <cstddef>
#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "balmer/expr/op.hpp"

namespace balmer {

namespace {

#include "math/vec_scalar.inl"

#include "math/functions.inl"

/// Subnormal numbers count as zero while it lives, as they do in the kernels.
class FlushSubnormals {
   public:
    FlushSubnormals(const FlushSubnormals&) = delete;
    FlushSubnormals& operator=(const FlushSubnormals&) = delete;
#if defined(__x86_64__)
    FlushSubnormals() noexcept : state_(_mm_getcsr()) { _mm_setcsr(state_ | 0x8040U); }
    ~FlushSubnormals() { _mm_setcsr(state_); }

   private:
    unsigned state_;
#elif defined(__aarch64__)
    FlushSubnormals() noexcept : state_(__builtin_aarch64_get_fpcr64()) {
        __builtin_aarch64_set_fpcr64(state_ | (std::uint64_t(1) << 24));
    }
    ~FlushSubnormals() { __builtin_aarch64_set_fpcr64(state_); }

   private:
    std::uint64_t state_;
#else
    FlushSubnormals() noexcept = default;
#endif
};

/// Not inlined, so that no arithmetic moves out of the reach of FlushSubnormals.
[[gnu::noinline]] Vec<double> value_of(Op op, Vec<double> a, Vec<double> b, Vec<double> c) noexcept {
    switch (op) {
#define BALMER_OP(ID, NAMES, ARITY, VALUE, ...) \
    case Op::ID:                                \
        return VALUE;
#include "balmer/expr/operators.def"
#undef BALMER_OP
        case Op::Constant:
        case Op::Feature:
        case Op::Count_:
            break;
    }
    (void)b;
    (void)c;
    return a;
}

/// -0 and 0 for what is too small to be normal: kernels that only move bits leave it to the next one.
double flushed(double x) noexcept {
    constexpr double kSmallest = std::numeric_limits<double>::min();
    return (x < kSmallest && x > -kSmallest) ? __builtin_copysign(0.0, x) : x;
}

}  // namespace

double apply(Op op, double a, double b, double c) noexcept {
    const FlushSubnormals guard;
    return flushed(value_of(op, a, b, c).v);
}

}  // namespace balmer
