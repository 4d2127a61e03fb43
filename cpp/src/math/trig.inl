// Trigonometric functions and their inverses. Included by functions.inl.

/// What remains of an argument after `turns` quarter turns: r + low, |r| at most pi / 4 (and a little more).
template <class T>
struct TrigReduced {
    Vec<T> r, low;
    Bits<T> turns;  ///< modulo 4 at least
};

/// Up to here the turns times the first part of pi / 2, taken from the argument, leave an exact number.
template <class T>
inline constexpr T kTrigLimit = T(1e13);
template <>
inline constexpr float kTrigLimit<float> = 4e4F;

__extension__ typedef unsigned __int128 Wide;

/// x / pi modulo 4 for finite x > 1, times 2^126. Payne and Hanek's method: of the bits of 1 / pi only those that
/// matter, in integers, so it is the same everywhere.
inline Wide times_inverse_pi(double x) noexcept {
    const std::uint64_t word = __builtin_bit_cast(std::uint64_t, x);
    const std::uint64_t mantissa = (word & 0xfffffffffffffU) | 0x10000000000000U;
    const int exponent = static_cast<int>(word >> 52) - 1075;  // x = mantissa 2^exponent
    const int first = exponent - 2;                            // the bits before this one add multiples of 4
    std::uint64_t window[4];
    for (int k = 0; k < 4; ++k) {
        const int at = first + 64 * k, index = at >> 6, shift = at & 63;  // `at` may be negative: the shift rounds down
        const std::uint64_t upper = index < 0 ? 0 : kInversePiBits[index];
        const std::uint64_t lower = index + 1 < 0 ? 0 : kInversePiBits[index + 1];
        window[k] = shift == 0 ? upper : (upper << shift) | (lower >> (64 - shift));
    }
    const Wide p3 = Wide(mantissa) * window[3];
    const Wide p2 = Wide(mantissa) * window[2] + static_cast<std::uint64_t>(p3 >> 64);
    const Wide p1 = Wide(mantissa) * window[1] + static_cast<std::uint64_t>(p2 >> 64);
    const std::uint64_t p0 = mantissa * window[0] + static_cast<std::uint64_t>(p1 >> 64);
    return (Wide(p0) << 64) | static_cast<std::uint64_t>(p1);
}

/// The reduction of one finite number of any size > 1.
struct TrigScalar {
    double r, low;
    std::uint64_t turns;
};

inline TrigScalar reduce_huge(double x) noexcept {
    Wide turn = times_inverse_pi(x < 0 ? -x : x) << 1;  // quarter turns, times 2^126
    if (x < 0) turn = -turn;
    const Wide whole = (turn + (Wide(1) << 125)) >> 126;
    Wide rest = turn - (whole << 126);
    const bool negative = (rest >> 127) != 0;
    if (negative) rest = -rest;
    const std::uint64_t top = static_cast<std::uint64_t>(rest >> 64);
    const int zeros = top != 0 ? __builtin_clzll(top) : 64 + __builtin_clzll(static_cast<std::uint64_t>(rest) | 1U);
    rest <<= zeros;
    const auto scale = [](int exponent) noexcept {
        return __builtin_bit_cast(double, std::uint64_t(1023 + exponent) << 52);
    };
    const double high = static_cast<double>(static_cast<std::int64_t>(rest >> 75)) * scale(-51 - zeros);
    const double low =
        static_cast<double>(static_cast<std::int64_t>(rest >> 22) & 0x1fffffffffffff) * scale(-104 - zeros);
    const double r = high * kHalfPi0<double>;
    const double tail = __builtin_fma(high, kHalfPi0<double>, -r) + (high * kHalfPi1<double> + low * kHalfPi0<double>);
    return {negative ? -r : r, negative ? -tail : tail, static_cast<std::uint64_t>(whole)};
}

/// Of floats the bits of a register are enough: the turns come to 2^-61, and no float is closer than 2^-31 to a whole one.
inline TrigScalar reduce_huge(float x) noexcept {
    const std::uint32_t word = __builtin_bit_cast(std::uint32_t, x);
    const std::uint64_t mantissa = (word & 0x7fffffU) | 0x800000U;
    const int exponent = static_cast<int>(word >> 23 & 0xffU) - 150;  // |x| = mantissa 2^exponent
    const int first = exponent - 1;                                   // the bits before this one add multiples of 4
    const int index = first >> 6, shift = first & 63;
    const std::uint64_t bits[] = {index < 0 ? 0 : kInversePiBits[index], kInversePiBits[index + 1],
                                  kInversePiBits[index + 2]};
    const auto at = [&](int k) noexcept {
        return shift == 0 ? bits[k] : (bits[k] << shift) | (bits[k + 1] >> (64 - shift));
    };
    std::uint64_t turn = mantissa * at(0) + ((mantissa * (at(1) >> 32)) >> 32);  // quarter turns, times 2^62
    if (x < 0) turn = -turn;
    const double rest = static_cast<double>(static_cast<std::int64_t>(turn << 2));
    return {rest * (0x1p-64 * kHalfPi0<double>), 0, (turn + (std::uint64_t(1) << 61)) >> 62};
}

/// Redoes the lanes whose bit is set in `which`; infinity gives NaN as it did. Apart and never inlined: it is rare.
template <class T>
[[gnu::noinline]] void repair_trig(unsigned which, Vec<T> a, TrigReduced<T>& reduced) noexcept {
    T argument[Vec<T>::kSize], r[Vec<T>::kSize], low[Vec<T>::kSize], turns[Vec<T>::kSize];
    a.store(argument);
    reduced.r.store(r);
    reduced.low.store(low);
    real(reduced.turns).store(turns);
    for (; which != 0; which &= which - 1) {
        const int i = __builtin_ctz(which);
        if (argument[i] - argument[i] != 0) continue;
        const TrigScalar scalar = reduce_huge(argument[i]);
        r[i] = static_cast<T>(scalar.r);
        low[i] = static_cast<T>((scalar.r - static_cast<double>(r[i])) + scalar.low);
        turns[i] = __builtin_bit_cast(T, static_cast<typename Format<T>::Word>(scalar.turns));
    }
    reduced = {Vec<T>::load(r), Vec<T>::load(low), bits(Vec<T>::load(turns))};
}

template <class T>
BALMER_INLINE TrigReduced<T> reduce_trig(Vec<T> a) noexcept {
    const Vec<T> magic = Vec<T>::broadcast(Format<T>::kMagic), p1 = Vec<T>::broadcast(kHalfPi1<T>);
    const Vec<T> shifted = fma(a, Vec<T>(0.63661977236758134), magic), turns = shifted - magic;
    const Vec<T> first = fnma(turns, Vec<T>::broadcast(kHalfPi0<T>), a);  // exact
    const Vec<T> r = fnma(turns, p1, first);
    // What the rounding of r took. Close to a multiple of pi / 2 the difference is itself rounded: `rest` is its error.
    const Vec<T> difference = first - r, rest = (first - difference) - r;
    const Vec<T> low = fnma(turns, Vec<T>::broadcast(kHalfPi2<T>), fnma(turns, p1, difference) + rest);
    TrigReduced<T> reduced{r, low, bits(shifted)};
    const Mask<T> huge = abs(a) > Vec<T>::broadcast(kTrigLimit<T>);
    if (any_of(huge)) repair_trig(lanes(huge), a, reduced);
    return reduced;
}

/// Sine and cosine of r + low; the sums of each pair of parts are not yet rounded.
template <class T>
struct SineCosine {
    Sum<T> sine, cosine;
};

template <class T>
BALMER_INLINE SineCosine<T> sine_cosine(Vec<T> r, Vec<T> low) noexcept {
    const Vec<T> s = r * r, half = 0.5 * s, c = 1 - half;
    return {{r, fma(r * s, polynomial(kSin<T>, s), low)},
            {c, fma(s * s, polynomial(kCos<T>, s), fnma(r, low, (1 - c) - half))}};
}

/// sin(r + low + turns pi / 2)
template <class T>
BALMER_INLINE Vec<T> sine_of(Vec<T> r, Vec<T> low, Bits<T> turns) noexcept {
    const auto [sine, cosine] = sine_cosine(r, low);
    constexpr int kToTop = Format<T>::kWordBits - 1;
    const Vec<T> y = where(highest(turns << kToTop), cosine.high + cosine.low, sine.high + sine.low);
    return flip_sign(y, (turns << (kToTop - 1)) & Bits<T>::sign());
}

/// The sine of large arguments, `quarters` quarter turns on; `y` for the others. Apart and never inlined: it is rare.
template <class T>
[[gnu::noinline]] Vec<T> repair_sine(Vec<T> a, unsigned quarters, Vec<T> y) noexcept {
    const auto [r, low, turns] = reduce_trig(a);
    const Mask<T> huge = abs(a) > Vec<T>::broadcast(kTrigLimit<T>);
    return where(huge, sine_of(r, low, turns + Bits<T>::all(quarters)), y);
}

/// sin(r) for |r| at most half of pi (and a little more), `shifted` half turns on, its sign flipped by that of `a`.
/// `near` is r but for what is seen only where the sine is its argument.
template <class T>
BALMER_INLINE Vec<T> half_turn_sine(Vec<T> near, Vec<T> r, Vec<T> shifted, Bits<T> a) noexcept {
    const Vec<T> s = near * near, p = polynomial(kHalfTurnSin<T>, s);
    const Bits<T> odd = bits(shifted) << (Format<T>::kWordBits - 1);
    if constexpr (sizeof(T) == 4) {  // no float gives more than 1
        return flip_sign(fma(near * s, p, r), odd ^ (a & Bits<T>::sign()));
    }
    const Vec<T> y = lesser(Vec<T>(1), fma(abs(near) * s, p, abs(r)));
    return flip_sign(y, (odd ^ a ^ bits(r)) & Bits<T>::sign());
}

/// The sine of numbers up to kTrigLimit, from half turns, so that one polynomial does for all. The turns times the first
/// part of pi, taken from the argument, leave an exact number; what else is rounded is seen only where the sine hardly
/// changes.
template <class T>
BALMER_INLINE Vec<T> ordinary_sin(Vec<T> a) noexcept {
    const Vec<T> magic = Vec<T>::broadcast(Format<T>::kMagic), x = abs(a);
    const Vec<T> shifted = fma(x, Vec<T>(0.31830988618379067), magic), turns = shifted - magic;
    const Vec<T> near = fnma(turns, Vec<T>::broadcast(kPi1<T>), fnma(turns, Vec<T>::broadcast(kPi0<T>), x));
    return half_turn_sine(near, fnma(turns, Vec<T>::broadcast(kPi2<T>), near), shifted, bits(a));
}

/// cos x = sin(h pi - x) for h half turns, h a whole number and a half.
template <class T>
BALMER_INLINE Vec<T> ordinary_cos(Vec<T> a) noexcept {
    const Vec<T> magic = Vec<T>::broadcast(Format<T>::kMagic), x = real(bits(a) | Bits<T>::sign());
    const Vec<T> shifted = fma(x, Vec<T>(-0.31830988618379067), Vec<T>(-0.5)) + magic, h = (shifted - magic) + 0.5;
    const Vec<T> near = fma(h, Vec<T>::broadcast(kPi1<T>), fma(h, Vec<T>::broadcast(kPi0<T>), x));
    const Vec<T> y = half_turn_sine(near, fma(h, Vec<T>::broadcast(kPi2<T>), near), shifted, Bits<T>::all(0));
    return where(x > (sizeof(T) == 8 ? -0x1p-27 : -0x1p-12), 1, y);  // where it is 1 to the last bit
}

/// Whether the two above are right for all lanes: none is large or infinite. (NaN they hand on.)
template <class T>
BALMER_INLINE bool has_ordinary_turns(Vec<T> a) noexcept {
    return !any_of(abs(a) > Vec<T>::broadcast(kTrigLimit<T>));
}

template <class T>
BALMER_INLINE Vec<T> sin(Vec<T> a) noexcept {
    const Vec<T> y = ordinary_sin(a);
    return has_ordinary_turns(a) ? y : repair_sine(a, 0, y);
}

template <class T>
BALMER_INLINE Vec<T> cos(Vec<T> a) noexcept {
    const Vec<T> y = ordinary_cos(a);
    return has_ordinary_turns(a) ? y : repair_sine(a, 1, y);
}

/// Sine over cosine, or the negative inverse of that after an odd number of quarter turns.
template <class T>
BALMER_INLINE Vec<T> tan(Vec<T> a) noexcept {
    const auto [r, low, turns] = reduce_trig(a);
    const auto [s, c] = sine_cosine(r, low);
    const Sum<T> sine = fast_two_sum(s.high, s.low), cosine = fast_two_sum(c.high, c.low);
    const Mask<T> odd = highest(turns << (Format<T>::kWordBits - 1));
    const Sum<T> y = divide(Sum<T>{where(odd, -cosine.high, sine.high), where(odd, -cosine.low, sine.low)},
                            Sum<T>{where(odd, sine.high, cosine.high), where(odd, sine.low, cosine.low)});
    return where(abs(a) < kTiny<T>, a, y.high);
}

/// Above 1/2 through asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)).
template <class T>
BALMER_INLINE Vec<T> asin(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Mask<T> large = a > 0.5;
    const Vec<T> z = where(large, fma(a, Vec<T>(-0.5), Vec<T>(0.5)), a * a);
    const Vec<T> s = where(large, sqrt(z), a);
    const Vec<T> tail = s * z * polynomial(kAsin<T>, z);
    const Vec<T> p0 = Vec<T>::broadcast(kHalfPi0<T>), p1 = Vec<T>::broadcast(kHalfPi1<T>);
    const Sum<T> turned = fast_two_sum(p0, -2 * s);
    const Vec<T> y = where(large, turned.high - (fma(Vec<T>(2), tail, -p1) - turned.low), s + tail);
    return flip_sign(y, sign_of(x));
}

template <class T>
BALMER_INLINE Vec<T> acos(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Mask<T> large = a > 0.5;
    const Vec<T> z = where(large, fma(a, Vec<T>(-0.5), Vec<T>(0.5)), a * a);
    const Vec<T> s = where(large, sqrt(z), x);
    const Vec<T> tail = s * z * polynomial(kAsin<T>, z);
    const Vec<T> middle = Vec<T>::broadcast(kHalfPi0<T>) - (x + (tail - Vec<T>::broadcast(kHalfPi1<T>)));
    const Vec<T> twice = 2 * (s + tail);
    const Vec<T> left = Vec<T>::broadcast(kPi0<T>) - (twice - Vec<T>::broadcast(kPi1<T>));
    return where(large, where(x < 0, left, twice), middle);
}

/// atan(t) for 0 <= t <= 1.
template <class T>
BALMER_INLINE Vec<T> atan_of(Vec<T> t) noexcept {
    const Vec<T> z = t * t;
    return fma(t * z, polynomial(kAtan<T>, z), t);
}

template <class T>
BALMER_INLINE Vec<T> atan(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Mask<T> large = a > 1;
    const Vec<T> y = atan_of(where(large, 1 / a, a));
    const Vec<T> turned = Vec<T>::broadcast(kHalfPi0<T>) - (y - Vec<T>::broadcast(kHalfPi1<T>));
    return flip_sign(where(large, turned, y), sign_of(x));
}

template <class T>
BALMER_INLINE Vec<T> atan2(Vec<T> y, Vec<T> x) noexcept {
    const Vec<T> ay = abs(y), ax = abs(x);
    const Vec<T> small = min(ay, ax), large = max(ay, ax);
    const Vec<T> ratio = where(small == Vec<T>::broadcast(kInfinity<T>), 1, where(large == 0, 0, small / large));
    const Vec<T> first = atan_of(ratio);
    const Vec<T> steep = Vec<T>::broadcast(kHalfPi0<T>) - (first - Vec<T>::broadcast(kHalfPi1<T>));
    const Vec<T> right = where(ay > ax, steep, first);
    const Vec<T> left = Vec<T>::broadcast(kPi0<T>) - (right - Vec<T>::broadcast(kPi1<T>));
    return flip_sign(where(with_sign(Vec<T>(1), x) < 0, left, right), sign_of(y));
}
