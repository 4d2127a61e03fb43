// Powers, roots and remainders. Included by functions.inl.

/// log x for normal x > 0, to about 1.2 times the bits that its product with an exponent needs.
template <class T>
BALMER_INLINE Sum<T> log_sum(Vec<T> x) noexcept {
    const auto [f, e] = reduce_log(x);
    const Sum<T> s = divide(Sum<T>{f, 0}, fast_two_sum(Vec<T>(2), f));
    const Sum<T> square = two_product(s.high, s.high);
    const Sum<T> z{square.high, fma(s.high + s.high, s.low, square.low)};
    // log((1 + s) / (1 - s)) = s (2 + z (2/3 + z tail)), the last factor as a sum of two numbers
    const Vec<T> tail = polynomial(kLogTail<T>, z.high), third = Vec<T>::broadcast(kTwoThirds0<T>);
    const Vec<T> high = fma(z.high, tail, third);
    const Sum<T> factor{high, fma(z.high, tail, third - high) + Vec<T>::broadcast(kTwoThirds1<T>)};
    const Sum<T> cubic = multiply(s, multiply(z, factor));
    const Sum<T> first = fast_two_sum(e * Vec<T>::broadcast(kLn20<T>), s.high + s.high);
    const Sum<T> second = two_sum(first.high, cubic.high);
    const Vec<T> low = fma(e, Vec<T>::broadcast(kLn21<T>), fma(Vec<T>(2), s.low, cubic.low));
    return fast_two_sum(second.high, second.low + (first.low + low));
}

/// C99's special values of pow for those where |x|^y, `z`, is one or has a sign.
template <class T>
BALMER_INLINE Vec<T> pow_special(Vec<T> x, Vec<T> y, Vec<T> z) noexcept {
    const Vec<T> a = abs(x), infinity = Vec<T>::broadcast(kInfinity<T>);
    z = where(a == 0, where(y < 0, infinity, 0), z);
    z = where(a == infinity, where(y < 0, 0, infinity), z);
    z = where(a == 1, 1, z);
    // Of negative numbers: NaN unless y is an integer, negative if it is odd
    const Vec<T> half = 0.5 * y;
    const Mask<T> whole = floor(y) == y;
    z = where(whole & (floor(half) != half), flip_sign(z, sign_of(x)), z);
    z = where((x < 0) & (a < infinity) & !whole, Vec<T>(kNan), z);
    z = where((x != x) | (y != y), x + y, z);
    return where((y == 0) | (x == 1), 1, z);
}

BALMER_INLINE Vec<double> pow(Vec<double> x, Vec<double> y) noexcept {
    using V = Vec<double>;
    const Sum<double> l = log_sum(abs(x));
    const V high = y * l.high;
    const V low = fma(y, l.low, fma(y, l.high, -high));
    return pow_special(x, y, exp(Sum<double>{high, where(abs(high) < 1000, low, 0)}));
}

/// The two halves of a float register through a function of doubles: for the functions whose float form would need sums
/// of two numbers throughout.
template <class F>
BALMER_INLINE Vec<float> through_double(F f, Vec<float> a, Vec<float> b) noexcept {
    using N = Native<float>;
    const Vec<double> low = f(Vec<double>::of(N::low_half(a.v)), Vec<double>::of(N::low_half(b.v)));
    if constexpr (N::kSize == Native<double>::kSize) {
        return Vec<float>::of(N::narrow(low.v, low.v));
    } else {
        const Vec<double> high = f(Vec<double>::of(N::high_half(a.v)), Vec<double>::of(N::high_half(b.v)));
        return Vec<float>::of(N::narrow(low.v, high.v));
    }
}

/// log x to 40 bits, for normal x > 0 (anything else gives anything).
BALMER_INLINE Vec<double> short_log(Vec<double> x) noexcept {
    const auto [f, e] = reduce_log(x);
    const Vec<double> s = f / (f + 2), z = s * s;
    return fma(e, Vec<double>(0.69314718055994531), fma(s * z, polynomial(kShortLogOdd<double>, z), s + s));
}

/// e^a to 40 bits; beyond the floats it stops growing or falling.
BALMER_INLINE Vec<double> short_exp(Vec<double> a) noexcept {
    const Vec<double> above = where(a < -300, -300, a);
    const auto [shifted, n, r] = reduce_exp(where(above > 300, 300, above));
    return (fma(r * r, polynomial(kShortExp<double>, r), r) + 1) * power_of_two(shifted);
}

BALMER_INLINE Vec<float> pow(Vec<float> x, Vec<float> y) noexcept {
    const auto power = [](Vec<double> a, Vec<double> b) noexcept { return short_exp(b * short_log(a)); };
    return pow_special(x, y, through_double(power, abs(x), y));
}

/// From an estimate r of m^(-1/3): one step of third order, c = m r^2, and one step of Newton on c with an exact
/// residual.
template <class T>
BALMER_INLINE Vec<T> cbrt(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const auto [f, e] = reduce_log(a);
    const Vec<T> m1 = f + 1;
    const Vec<T> shifted = fma(e, Vec<T>(1.0 / 3), Vec<T>::broadcast(Format<T>::kMagic));
    const Vec<T> third = shifted - Vec<T>::broadcast(Format<T>::kMagic);
    const Vec<T> left = fnma(third, Vec<T>(3), e);  // -1, 0 or 1
    const Vec<T> m = m1 * where(left > 0, 2, where(left < 0, 0.5, 1));
    Vec<T> r = polynomial(kCbrt<T>, m1) * where(left > 0, 0.79370052598409974, where(left < 0, 1.2599210498948732, 1));
    const Vec<T> h = fnma(m * r, r * r, Vec<T>(1));
    r = fma(r * h, fma(h, Vec<T>(2.0 / 9), Vec<T>(1.0 / 3)), r);
    const Vec<T> r2 = r * r, c = m * r2;
    const Sum<T> square = two_product(c, c);
    const Vec<T> rest = fnma(square.low, c, fnma(square.high, c, m));
    const Vec<T> y = fma(rest, r2 * Vec<T>(1.0 / 3), c) * power_of_two(shifted);
    return where((a > 0) & (a < Vec<T>::broadcast(kInfinity<T>)), with_sign(y, x), x);
}

template <class T>
BALMER_INLINE Vec<T> hypot(Vec<T> x, Vec<T> y) noexcept {
    const Vec<T> ax = abs(x), ay = abs(y), infinity = Vec<T>::broadcast(kInfinity<T>);
    const Vec<T> large = max(ax, ay), small = min(ax, ay);
    // Where a square could overflow, or one that counts could underflow, both are scaled by a power of two.
    constexpr double kFar = sizeof(T) == 8 ? 0x1p450 : 0x1p50, kScale = sizeof(T) == 8 ? 0x1p600 : 0x1p80;
    const Vec<T> scale = where(large > kFar, 1 / kScale, where(large < 1 / kFar, kScale, 1));
    const Vec<T> back = where(large > kFar, kScale, where(large < 1 / kFar, 1 / kScale, 1));
    const Vec<T> a = large * scale, b = small * scale;
    const Vec<T> z = sqrt(fma(a, a, b * b)) * back;
    return where((ax == infinity) | (ay == infinity), infinity, z);
}

BALMER_INLINE double remainder_of(double a, double b) noexcept { return __builtin_fmod(a, b); }
BALMER_INLINE float remainder_of(float a, float b) noexcept { return __builtin_fmodf(a, b); }

/// The lanes whose quotient has more bits than a number, by the C library's fmod, which is exact.
template <class T>
[[gnu::noinline]] Vec<T> repair_mod(unsigned which, Vec<T> a, Vec<T> b, Vec<T> r) noexcept {
    T x[Vec<T>::kSize], y[Vec<T>::kSize], z[Vec<T>::kSize];
    a.store(x);
    b.store(y);
    r.store(z);
    for (; which != 0; which &= which - 1) {
        const int i = __builtin_ctz(which);
        z[i] = remainder_of(x[i], y[i]);
    }
    return Vec<T>::load(z);
}

/// a - b floor(a / b), as Python's %: the sign is the divisor's. The rounded quotient may reach the next integer, which
/// leaves a remainder of the other sign; the remainder itself is exact.
template <class T>
BALMER_INLINE Vec<T> mod(Vec<T> a, Vec<T> b) noexcept {
    const Vec<T> infinity = Vec<T>::broadcast(kInfinity<T>);
    const Vec<T> quotient = a / b;
    Vec<T> r = fnma(floor(quotient), b, a);
    const Mask<T> far = (abs(quotient) >= Vec<T>::broadcast(Format<T>::kIntegers / 2)) & (abs(a) < infinity) & (b != 0);
    if (any_of(far)) r = repair_mod(lanes(far), a, b, r);
    r = where((abs(b) == infinity) & (abs(a) < infinity), a, r);
    const Mask<T> other_side = ((r < 0) & (b > 0)) | ((r > 0) & (b < 0));
    r = where(other_side, r + b, r);
    return where(r == 0, with_sign(Vec<T>(0), b), r);
}
