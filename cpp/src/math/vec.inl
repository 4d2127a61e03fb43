// Vec<T>, Mask<T>, Bits<T>: the value types of the vector math, over the registers of one instruction set (vec_*.inl,
// included before). Included inside an anonymous namespace. Every operation is one of IEEE's, lane by lane, so that all
// sets give the same bits.

// Sums of two registers travel in memory when a call stays a call, and that costs more than most functions.
#define BALMER_INLINE [[gnu::always_inline]] inline

template <class T>
struct Vec;

/// A truth value for each lane.
template <class T>
struct Mask {
    using N = Native<T>;
    typename N::Truth m;

    friend Mask operator&(Mask x, Mask y) noexcept { return {N::both(x.m, y.m)}; }
    friend Mask operator|(Mask x, Mask y) noexcept { return {N::either(x.m, y.m)}; }
    friend Mask operator!(Mask x) noexcept { return {N::negate(x.m)}; }
    friend bool any(Mask x) noexcept { return N::any(x.m); }
    /// Bit i is lane i.
    friend unsigned lanes(Mask x) noexcept { return N::lanes(x.m); }
    /// x where true, y where false.
    friend Vec<T> where(Mask which, Vec<T> x, Vec<T> y) noexcept { return Vec<T>::of(N::select(which.m, x.v, y.v)); }
};

/// What differs between the two number formats.
template <class T>
struct Format;
template <>
struct Format<double> {
    using Word = std::uint64_t;
    static constexpr int kWordBits = 64, kFractionBits = 52, kBias = 1023;
    static constexpr double kMin = 0x1p-1022, kMax = 0x1.fffffffffffffp1023;
    static constexpr double kIntegers = 0x1p52;  ///< from here on all numbers are integers
    static constexpr double kMagic = 0x1.8p52;   ///< x + kMagic holds the integer nearest to x in its lowest bits
};
template <>
struct Format<float> {
    using Word = std::uint32_t;
    static constexpr int kWordBits = 32, kFractionBits = 23, kBias = 127;
    static constexpr float kMin = 0x1p-126F, kMax = 0x1.fffffep127F;
    static constexpr float kIntegers = 0x1p23F;
    static constexpr float kMagic = 0x1.8p23F;
};

/// The lanes as unsigned integers of the same width. Arithmetic wraps.
template <class T>
struct Bits {
    using N = Native<T>;
    using Word = typename Format<T>::Word;
    typename N::Integer b;

    static Bits all(Word word) noexcept { return {typename N::Integer{} + word}; }
    static Bits sign() noexcept { return all(Word(1) << (Format<T>::kWordBits - 1)); }

    friend Bits operator&(Bits x, Bits y) noexcept { return {x.b & y.b}; }
    friend Bits operator|(Bits x, Bits y) noexcept { return {x.b | y.b}; }
    friend Bits operator^(Bits x, Bits y) noexcept { return {x.b ^ y.b}; }
    friend Bits operator+(Bits x, Bits y) noexcept { return {x.b + y.b}; }
    friend Bits operator-(Bits x, Bits y) noexcept { return {x.b - y.b}; }
    friend Bits operator~(Bits x) noexcept { return {~x.b}; }
    friend Bits operator<<(Bits x, int count) noexcept { return {x.b << count}; }
    friend Bits operator>>(Bits x, int count) noexcept { return {x.b >> count}; }
};

/// One register of numbers. Literals convert, so formulas read as over plain numbers.
template <class T>
struct Vec {
    using N = Native<T>;
    static constexpr std::size_t kSize = N::kSize;
    typename N::Real v;

    Vec() = default;
    Vec(double x) noexcept : v(N::broadcast(static_cast<T>(x))) {}
    static Vec of(typename N::Real v) noexcept {
        Vec result;
        result.v = v;
        return result;
    }
    static Vec load(const T* p) noexcept { return of(N::load(p)); }
    static Vec broadcast(T x) noexcept { return of(N::broadcast(x)); }
    void store(T* p) const noexcept { N::store(p, v); }
    /// Past the caches where the instruction set can; `p` is aligned to the register.
    void stream(T* p) const noexcept { N::stream(p, v); }

    friend Vec operator+(Vec x, Vec y) noexcept { return of(x.v + y.v); }
    friend Vec operator-(Vec x, Vec y) noexcept { return of(x.v - y.v); }
    friend Vec operator*(Vec x, Vec y) noexcept { return of(x.v * y.v); }
    friend Vec operator/(Vec x, Vec y) noexcept { return of(x.v / y.v); }
    friend Vec operator-(Vec x) noexcept { return of(-x.v); }
    friend Mask<T> operator<(Vec x, Vec y) noexcept { return {N::less(x.v, y.v)}; }
    friend Mask<T> operator>(Vec x, Vec y) noexcept { return {N::less(y.v, x.v)}; }
    friend Mask<T> operator<=(Vec x, Vec y) noexcept { return {N::less_equal(x.v, y.v)}; }
    friend Mask<T> operator>=(Vec x, Vec y) noexcept { return {N::less_equal(y.v, x.v)}; }
    friend Mask<T> operator==(Vec x, Vec y) noexcept { return {N::equal(x.v, y.v)}; }
    friend Mask<T> operator!=(Vec x, Vec y) noexcept { return {N::negate(N::equal(x.v, y.v))}; }

    /// x y + z with one rounding; fnma: z - x y.
    friend Vec fma(Vec x, Vec y, Vec z) noexcept { return of(N::fma(x.v, y.v, z.v)); }
    friend Vec fnma(Vec x, Vec y, Vec z) noexcept { return of(N::fnma(x.v, y.v, z.v)); }
    /// The smaller, `y` if one is NaN.
    friend Vec lesser(Vec x, Vec y) noexcept { return of(N::lesser(x.v, y.v)); }
    friend Vec sqrt(Vec x) noexcept { return of(N::sqrt(x.v)); }
    friend Vec round(Vec x) noexcept { return of(N::round(x.v)); }
    friend Vec floor(Vec x) noexcept { return of(N::floor(x.v)); }
    friend Vec ceil(Vec x) noexcept { return of(N::ceil(x.v)); }
    friend Bits<T> bits(Vec x) noexcept { return {N::to_bits(x.v)}; }
};

template <class T>
BALMER_INLINE Vec<T> real(Bits<T> x) noexcept {
    return Vec<T>::of(Native<T>::from_bits(x.b));
}

template <class T>
inline constexpr T kInfinity = __builtin_huge_val();
template <>
inline constexpr float kInfinity<float> = __builtin_huge_valf();
inline constexpr double kNan = __builtin_nan("");

// ---- what every set does with the operations above ----

/// `x`, of which the compiler knows nothing. Clang makes where(m, g, 0 * g) of g * where(m, 1, 0), on the sets whose choice
/// it sees through: a subnormal g would stay there, and be flushed to zero on the others.
template <class T>
BALMER_INLINE Vec<T> opaque(Vec<T> x) noexcept {
#if defined(__clang__) && defined(__x86_64__)
    asm("" : "+x"(x.v));
#endif
    return x;
}

template <class T>
BALMER_INLINE Bits<T> sign_of(Vec<T> x) noexcept {
    return bits(x) & Bits<T>::sign();
}

template <class T>
BALMER_INLINE Vec<T> abs(Vec<T> x) noexcept {
    return real(bits(x) & ~Bits<T>::sign());
}

/// x with its sign flipped where `sign` is negative.
template <class T>
BALMER_INLINE Vec<T> flip_sign(Vec<T> x, Bits<T> sign) noexcept {
    return real(bits(x) ^ sign);
}

/// The size of `x >= 0` with the sign of `y`.
template <class T>
BALMER_INLINE Vec<T> with_sign(Vec<T> x, Vec<T> y) noexcept {
    return real(bits(abs(x)) | sign_of(y));
}

/// 1, -1, or x itself if that is 0 or NaN.
template <class T>
BALMER_INLINE Vec<T> sign(Vec<T> x) noexcept {
    return where((x < 0) | (x > 0), with_sign(Vec<T>(1), x), x);
}

/// NaN if either is; of equal ones (0 and -0) the first.
template <class T>
BALMER_INLINE Vec<T> min(Vec<T> x, Vec<T> y) noexcept {
    return where((x <= y) | (x != x), x, y);
}

template <class T>
BALMER_INLINE Vec<T> max(Vec<T> x, Vec<T> y) noexcept {
    return where((x >= y) | (x != x), x, y);
}

/// True where the highest bit is set.
template <class T>
BALMER_INLINE Mask<T> highest(Bits<T> x) noexcept {
    return {Native<T>::highest_bit(x.b)};
}

template <class T>
BALMER_INLINE bool any_of(Mask<T> m) noexcept {
    return __builtin_expect(any(m), 0);
}

/// c[0] x^(n-1) + ... + c[n-1]. The last steps, which set the error, are Horner's; before them even and odd powers
/// go apart, for half the waiting.
template <class T, std::size_t n>
BALMER_INLINE Vec<T> polynomial(const T (&c)[n], Vec<T> x) noexcept {
    Vec<T> sum = Vec<T>::broadcast(c[0]);
    std::size_t done = 1;
    if constexpr (n >= 6) {
        constexpr std::size_t kLast = n >= 16 ? 5 : 2;
        const Vec<T> square = x * x;
        Vec<T> last = sum, before = Vec<T>::broadcast(c[1]);
#pragma GCC unroll 32
        for (std::size_t i = 2; i < n - kLast; ++i) {
            const Vec<T> next = fma(last, square, Vec<T>::broadcast(c[i]));
            last = before;
            before = next;
        }
        sum = fma(last, x, before);
        done = n - kLast;
    }
#pragma GCC unroll 32
    for (std::size_t i = done; i < n; ++i) sum = fma(sum, x, Vec<T>::broadcast(c[i]));
    return sum;
}

/// 2^n, where `shifted` is n + kMagic and n lies between the smallest and the largest exponent.
template <class T>
BALMER_INLINE Vec<T> power_of_two(Vec<T> shifted) noexcept {
    return real((bits(shifted) + Bits<T>::all(Format<T>::kBias)) << Format<T>::kFractionBits);
}

/// high + low, |low| at most half a unit of high.
template <class T>
struct Sum {
    Vec<T> high, low;
};

/// x + y exactly.
template <class T>
BALMER_INLINE Sum<T> two_sum(Vec<T> x, Vec<T> y) noexcept {
    const Vec<T> high = x + y, rest = high - x;
    return {high, (x - (high - rest)) + (y - rest)};
}

/// x + y exactly, if |x| >= |y| or x is 0.
template <class T>
BALMER_INLINE Sum<T> fast_two_sum(Vec<T> x, Vec<T> y) noexcept {
    const Vec<T> high = x + y;
    return {high, y - (high - x)};
}

/// x y exactly.
template <class T>
BALMER_INLINE Sum<T> two_product(Vec<T> x, Vec<T> y) noexcept {
    const Vec<T> high = x * y;
    return {high, fma(x, y, -high)};
}

/// Sums of two numbers each, to nearly twice the bits of one.
template <class T>
BALMER_INLINE Sum<T> add(Sum<T> x, Sum<T> y) noexcept {
    const Sum<T> high = two_sum(x.high, y.high);
    return fast_two_sum(high.high, high.low + (x.low + y.low));
}

template <class T>
BALMER_INLINE Sum<T> multiply(Sum<T> x, Sum<T> y) noexcept {
    const Sum<T> high = two_product(x.high, y.high);
    return fast_two_sum(high.high, fma(x.high, y.low, fma(x.low, y.high, high.low)));
}

/// x / y with one division; the low part is right to a few bits less than a number's.
template <class T>
BALMER_INLINE Sum<T> divide(Sum<T> x, Sum<T> y) noexcept {
    const Vec<T> inverse = 1 / y.high, quotient = x.high * inverse;
    const Vec<T> rest = fnma(quotient, y.high, x.high) + fnma(quotient, y.low, x.low);
    return fast_two_sum(quotient, rest * inverse);
}

/// x / y rounded to one number, with one division; nearly as if y had not been rounded.
template <class T>
BALMER_INLINE Vec<T> quotient(Vec<T> x, Sum<T> y) noexcept {
    const Vec<T> inverse = 1 / y.high, first = x * inverse;
    return fma(fnma(first, y.low, fnma(first, y.high, x)), inverse, first);
}
