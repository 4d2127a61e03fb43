// Registers of one value: plain C++ arithmetic, for machines without a set of their own and for single numbers.
// Included inside an anonymous namespace.

template <class T>
struct Native;

template <class T, class U>
struct ScalarNative {
    using Real = T;
    using Integer = U;
    using Truth = bool;
    static constexpr bool kSplits = false;
    static constexpr int kSize = 1;

    static Real broadcast(T x) noexcept { return x; }
    static Real load(const T* p) noexcept { return *p; }
    static void store(T* p, Real x) noexcept { *p = x; }
    static void stream(T* p, Real x) noexcept { store(p, x); }
    static Integer to_bits(Real x) noexcept { return __builtin_bit_cast(U, x); }
    static Truth highest_bit(Integer x) noexcept { return x >> (sizeof(U) * 8 - 1) != 0; }
    static Real from_bits(Integer x) noexcept { return __builtin_bit_cast(T, x); }
    static Real select(Truth m, Real x, Real y) noexcept { return m ? x : y; }
    static Truth less(Real x, Real y) noexcept { return x < y; }
    static Truth less_equal(Real x, Real y) noexcept { return x <= y; }
    static Truth equal(Real x, Real y) noexcept { return x == y; }
    static Real lesser(Real x, Real y) noexcept { return x < y ? x : y; }
    static Truth both(Truth x, Truth y) noexcept { return x && y; }
    static Truth either(Truth x, Truth y) noexcept { return x || y; }
    static Truth negate(Truth x) noexcept { return !x; }
    static bool any(Truth x) noexcept { return x; }
    static unsigned lanes(Truth x) noexcept { return x ? 1U : 0U; }

    /// The nearest integer, half to even. Above 2^(mantissa bits) every number is one; adding and taking away that
    /// number rounds the others. The sign of zero stays.
    static Real round(Real x) noexcept {
        constexpr T kAllIntegers = sizeof(T) == 8 ? T(4503599627370496.0) : T(8388608.0);
        constexpr U kSignBit = U(1) << (sizeof(T) * 8 - 1);
        const U sign = to_bits(x) & kSignBit;
        const T magnitude = from_bits(to_bits(x) & ~kSignBit);
        const T rounded = magnitude < kAllIntegers ? (magnitude + kAllIntegers) - kAllIntegers : magnitude;
        return from_bits(to_bits(rounded) | sign);
    }
    static Real floor(Real x) noexcept {
        const T nearest = round(x);
        return nearest > x ? nearest - 1 : nearest;
    }
    static Real ceil(Real x) noexcept { return -floor(-x); }
};

template <>
struct Native<double> : ScalarNative<double, std::uint64_t> {
    static double fma(double x, double y, double z) noexcept { return __builtin_fma(x, y, z); }
    static double fnma(double x, double y, double z) noexcept { return __builtin_fma(-x, y, z); }
    static double sqrt(double x) noexcept { return __builtin_sqrt(x); }
};

template <>
struct Native<float> : ScalarNative<float, std::uint32_t> {
    static float fma(float x, float y, float z) noexcept { return __builtin_fmaf(x, y, z); }
    static float fnma(float x, float y, float z) noexcept { return __builtin_fmaf(-x, y, z); }
    static float sqrt(float x) noexcept { return __builtin_sqrtf(x); }
    static double low_half(float x) noexcept { return static_cast<double>(x); }
    static double high_half(float) noexcept { return 0.0; }
    static float narrow(double low, double) noexcept { return static_cast<float>(low); }
};
