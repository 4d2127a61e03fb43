// How the processor is told to count subnormals as zero. Included by isa/*.cpp inside an anonymous namespace; on x86-64
// after immintrin.h.

#if defined(__x86_64__)
/// Bits 15 and 6 of the control register: flush to zero, denormals are zero.
std::uint64_t enter_fp() noexcept {
    const unsigned state = _mm_getcsr();
    _mm_setcsr(state | 0x8040U);
    return state;
}

void restore_fp(std::uint64_t state) noexcept { _mm_setcsr(static_cast<unsigned>(state)); }
#elif defined(__aarch64__)
/// Bit 24 of the control register: flush to zero, inputs too.
std::uint64_t enter_fp() noexcept {
    const std::uint64_t state = __builtin_aarch64_get_fpcr64();
    __builtin_aarch64_set_fpcr64(state | (std::uint64_t(1) << 24));
    return state;
}

void restore_fp(std::uint64_t state) noexcept { __builtin_aarch64_set_fpcr64(state); }
#else
std::uint64_t enter_fp() noexcept { return 0; }

void restore_fp(std::uint64_t) noexcept {}
#endif
