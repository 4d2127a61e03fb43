// Exponentials and logarithms. Included by functions.inl.

/// a = n ln 2 + r, |r| <= ln(2) / 2: `shifted` is n + kMagic.
template <class T>
struct ExpReduced {
    Vec<T> shifted, n, r;
};

template <class T>
BALMER_INLINE ExpReduced<T> reduce_exp(Vec<T> a) noexcept {
    const Vec<T> shifted = fma(a, Vec<T>(1.4426950408889634), Vec<T>::broadcast(Format<T>::kMagic));
    const Vec<T> n = shifted - Vec<T>::broadcast(Format<T>::kMagic);
    const Vec<T> r = fnma(n, Vec<T>::broadcast(kLn21<T>), fnma(n, Vec<T>::broadcast(kLn20<T>), a));
    return {shifted, n, r};
}

/// Where exp passes the largest number, and where it falls below the smallest normal one.
template <class T>
inline constexpr T kExpHigh = 0x1.62e42fefa39efp9;
template <>
inline constexpr float kExpHigh<float> = 0x1.62e42ep6F;
template <class T>
inline constexpr T kExpLow = -0x1.6232bdd7abcd2p9;
template <>
inline constexpr float kExpLow<float> = -0x1.5d589ep6F;

/// p 2^n for p in [0.7, 1.5], by adding n to the exponent: garbage beyond the range of exponents.
template <class T>
BALMER_INLINE Vec<T> add_exponent(Vec<T> p, Vec<T> shifted) noexcept {
    return real(bits(p) + (bits(shifted) << Format<T>::kFractionBits));
}

template <class T>
BALMER_INLINE Vec<T> exp(Vec<T> a) noexcept {
    using N = Native<T>;
    if constexpr (N::kSplits) {  // the same values: `scale` overflows and underflows where the comparisons below say
        const Vec<T> end = sizeof(T) == 8 ? 720 : 95;
        const auto [shifted, n, r] = reduce_exp(Vec<T>::of(N::clamp(a.v, (-end).v, end.v)));
        const Vec<T> p = fma(r * r, polynomial(kExp<T>, r), r) + 1;
        return Vec<T>::of(N::scale(p.v, n.v));
    }
    const auto [shifted, n, r] = reduce_exp(a);
    const Vec<T> p = fma(r * r, polynomial(kExp<T>, r), r) + 1;
    const Vec<T> y =
        where(a <= Vec<T>::broadcast(kExpHigh<T>), add_exponent(p, shifted), a + Vec<T>::broadcast(kInfinity<T>));
    return where(a < Vec<T>::broadcast(kExpLow<T>), 0, y);
}

/// e^(a.high + a.low) for a.high that is at most a little beyond the range of exp; |a.low| is tiny.
template <class T>
BALMER_INLINE Vec<T> exp(Sum<T> a) noexcept {
    const auto [shifted, n, r] = reduce_exp(a.high);
    const Vec<T> e = fma(r * r, polynomial(kExp<T>, r), r);
    const Vec<T> p = (e + fma(a.low, e, a.low)) + 1;
    const Vec<T> y = where(a.high <= Vec<T>::broadcast(kExpHigh<T>), add_exponent(p, shifted),
                           a.high + Vec<T>::broadcast(kInfinity<T>));
    return where(a.high < Vec<T>::broadcast(kExpLow<T>), 0, y);
}

/// Below this x, sin x = sinh x = expm1 x = x to the last bit.
template <class T>
inline constexpr double kTiny = sizeof(T) == 8 ? 0x1p-60 : 0x1p-30;

/// e^r - 1 times 2^n, plus 2^n - 1: nothing cancels, as n = 0 leaves the first alone. Twice the half of it, so that n
/// may be the largest exponent plus one.
template <class T>
BALMER_INLINE Vec<T> expm1(Vec<T> a) noexcept {
    const Vec<T> kLow = sizeof(T) == 8 ? -40 : -20;  // where the value has become -1
    const Vec<T> clamped = where(a < kLow, kLow, a);
    const auto [shifted, n, r] = reduce_exp(clamped);
    const Vec<T> p = fma(r * r, polynomial(kExp<T>, r), r);
    const Vec<T> half = power_of_two(shifted - 1);
    const Vec<T> y = 2 * fma(half, p, half - 0.5);
    const Vec<T> ranged = where(a <= Vec<T>::broadcast(kExpHigh<T>), y, a + Vec<T>::broadcast(kInfinity<T>));
    return where(abs(a) < kTiny<T>, a, ranged);  // half of it might be too small
}

/// 1 / (1 + e^-a) or e^a / (1 + e^a), whichever has the smaller power, the sum carried to more bits than a number's.
template <class T>
BALMER_INLINE Vec<T> logistic(Vec<T> a) noexcept {
    const Vec<T> e = exp(-abs(a));
    const Sum<T> sum = fast_two_sum(Vec<T>(1), e);
    return quotient(where(a < 0, e, 1), sum);
}

/// x = (1 + f) 2^e, f in [-0.25, 0.5), for normal x > 0. What follows for other x is left to log_special.
template <class T>
struct LogReduced {
    Vec<T> f, e;
};

template <class T>
BALMER_INLINE LogReduced<T> reduce_log(Vec<T> x) noexcept {
    using N = Native<T>;
    if constexpr (N::kSplits) {
        const auto m = N::mantissa(x.v);
        return {Vec<T>::of(m) - 1, Vec<T>::of(N::exponent(x.v) - N::exponent(m))};
    }
    using F = Format<T>;
    constexpr typename F::Word kOne = typename F::Word(F::kBias) << F::kFractionBits;
    constexpr typename F::Word kStart = kOne - (typename F::Word(1) << (F::kFractionBits - 1));  // of 0.75
    const Bits<T> exponent = (bits(x) - Bits<T>::all(kStart) + Bits<T>::all(kOne)) >> F::kFractionBits;
    const Vec<T> e =
        real(exponent | bits(Vec<T>::broadcast(F::kIntegers))) - Vec<T>::broadcast(F::kIntegers + F::kBias);
    const Vec<T> m = real(bits(x) - (exponent << F::kFractionBits) + Bits<T>::all(kOne));
    return {m - 1, e};
}

/// log(1 + f) + rest as a sum of two numbers: fdlibm's arrangement in double, where f - f^2 / 2 is the large part.
template <class T>
BALMER_INLINE Sum<T> log_parts(Vec<T> f, Vec<T> rest) noexcept {
    if constexpr (sizeof(T) == 8) {
        const Vec<T> s = f / (f + 2), z = s * s;
        const Vec<T> half = 0.5 * (f * f);
        return {f, fma(s, fma(z, polynomial(kLogOdd<T>, z), half), rest) - half};
    } else {
        const Vec<T> f2 = f * f;
        return {f, fma(Vec<T>(-0.5), f2, fma(f2 * f, polynomial(kLog<T>, f), rest))};
    }
}

/// log((1 + f) 2^e) + rest
template <class T>
BALMER_INLINE Vec<T> log_of(Vec<T> f, Vec<T> e, Vec<T> rest) noexcept {
    const auto [high, low] = log_parts(f, fma(e, Vec<T>::broadcast(kLn21<T>), rest));
    return fma(e, Vec<T>::broadcast(kLn20<T>), high + low);
}

/// The value of a logarithm for an argument that is 0, infinite, negative or NaN; `y` for the others.
template <class T>
BALMER_INLINE Vec<T> log_special(Vec<T> x, Vec<T> y) noexcept {
    if constexpr (Native<T>::kSplits) return y;  // exponents of -inf and inf, a mantissa of NaN: they go through
    const Vec<T> infinity = Vec<T>::broadcast(kInfinity<T>);
    const Vec<T> ordinary = where(x < infinity, y, x);  // inf and NaN pass
    return where(x > 0, ordinary, where(x == 0, -infinity, x * Vec<T>(kNan)));
}

template <class T>
BALMER_INLINE Vec<T> log(Vec<T> x) noexcept {
    const auto [f, e] = reduce_log(x);
    return log_special(x, log_of(f, e, Vec<T>(0)));
}

/// log x = e log 2 + high + low in another base: e `two` + (high + low) `rate`, both constants in two parts.
template <class T>
BALMER_INLINE Vec<T> log_in_base(Vec<T> x, T two0, T two1, T rate0, T rate1) noexcept {
    const auto [f, e] = reduce_log(x);
    const auto [high, low] = log_parts(f, Vec<T>(0));
    const Vec<T> r0 = Vec<T>::broadcast(rate0);
    const Vec<T> tail = two1 == 0 ? Vec<T>(0) : e * Vec<T>::broadcast(two1);  // e may be infinite
    const Vec<T> small = fma(low, r0, fma(high + low, Vec<T>::broadcast(rate1), tail));
    return log_special(x, fma(e, Vec<T>::broadcast(two0), fma(high, r0, small)));
}

template <class T>
BALMER_INLINE Vec<T> log2(Vec<T> x) noexcept {
    return log_in_base<T>(x, 1, 0, kLog2E0<T>, kLog2E1<T>);
}

template <class T>
BALMER_INLINE Vec<T> log10(Vec<T> x) noexcept {
    return log_in_base<T>(x, kLog10Two0<T>, kLog10Two1<T>, kLog10E0<T>, kLog10E1<T>);
}

/// log(1 + x.high + x.low) for a sum that is above -1 and finite.
template <class T>
BALMER_INLINE Vec<T> log1p(Sum<T> x) noexcept {
    const Sum<T> u = two_sum(Vec<T>(1), x.high);
    const auto [m1, e] = reduce_log(u.high);
    // 2^-e from the bits that the reduction moved. Beyond 2^60 the low parts cannot be seen, and 2^-e may not exist.
    const Vec<T> scale = real(bits(m1 + 1) - bits(u.high) + bits(Vec<T>(1)));
    const Mask<T> seen = u.high < 0x1p60;
    const Sum<T> f = two_sum(m1, where(seen, u.low * scale, 0));
    const Vec<T> rest = where(seen, fma(x.low, scale, f.low), 0);
    const Vec<T> slope = fma(f.high, fma(f.high, Vec<T>(0.67), Vec<T>(-1)), Vec<T>(1));  // 1 / (1 + f), to a tenth
    return log_of(f.high, e, rest * slope);
}

template <class T>
BALMER_INLINE Vec<T> log1p(Vec<T> x) noexcept {
    const Vec<T> y = log1p(Sum<T>{x, Vec<T>(0)});
    const Vec<T> infinity = Vec<T>::broadcast(kInfinity<T>);
    const Vec<T> u = 1 + x, ordinary = where(u < infinity, y, u);
    return where(x == 0, x, where(u > 0, ordinary, where(u == 0, -infinity, u * Vec<T>(kNan))));
}
