// Hyperbolic functions and their inverses. Included by functions.inl.

/// The parts of which sinh and cosh are made: with a = n ln 2 + r, sums and differences of 2^n and 2^-n, a quarter of
/// each (so that n may be the largest exponent and 2), and sinh r, cosh r - 1.
template <class T>
struct HyperbolicParts {
    Vec<T> sum, difference, sinh, cosh1;
};

template <class T>
BALMER_INLINE HyperbolicParts<T> hyperbolic_parts(Vec<T> x) noexcept {
    const Vec<T> end = sizeof(T) == 8 ? 710.8 : 89.7;  // beyond both, and n still within reach
    const Vec<T> a = where(abs(x) > end, end, abs(x));
    const auto [shifted, n, r] = reduce_exp(a);
    const Vec<T> up = power_of_two(shifted - 2);
    const Vec<T> down = where(a > 40, 0, power_of_two((Vec<T>::broadcast(Format<T>::kMagic) - n) - 2));
    const Vec<T> s = r * r;
    return {up + down, up - down, fma(r * s, polynomial(kSinh<T>, s), r), s * polynomial(kCosh<T>, s)};
}

template <class T>
BALMER_INLINE Vec<T> sinh(Vec<T> x) noexcept {
    const auto [sum, difference, sinh_r, cosh_r1] = hyperbolic_parts(x);
    const Vec<T> y = 2 * (difference + fma(sum, sinh_r, difference * cosh_r1));
    return where(abs(x) < kTiny<T>, x, with_sign(y, x));
}

template <class T>
BALMER_INLINE Vec<T> cosh(Vec<T> x) noexcept {
    const auto [sum, difference, sinh_r, cosh_r1] = hyperbolic_parts(x);
    return 2 * (sum + fma(sum, cosh_r1, difference * sinh_r));
}

/// (1 - e) / (1 + e) with e = e^-2|x| = p + p m, p a power of two and m = e^r - 1. Either sum is rounded on its own.
template <class T>
BALMER_INLINE Vec<T> tanh(Vec<T> x) noexcept {
    const Vec<T> end = sizeof(T) == 8 ? 20 : 10;  // where it has become 1
    const Vec<T> a = -2 * lesser(end, abs(x));
    auto [shifted, n, r] = reduce_exp(a);
    if constexpr (sizeof(T) == 4) r = fnma(n, Vec<T>(0.69314718055994531), a);  // more bits are lost in 1 + e
    const Vec<T> p = power_of_two(shifted), m = fma(r * r, polynomial(kExp<T>, r), r);
    return with_sign(fnma(p, m, 1 - p) / fma(p, m, 1 + p), x);
}

/// log1p(a + a^2 / (1 + sqrt(1 + a^2))); log(a) + log(2) where the square could overflow.
template <class T>
BALMER_INLINE Vec<T> asinh(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Mask<T> large = a > 0x1p30;
    const Vec<T> square = where(large, 0, a * a);
    const Sum<T> f = fast_two_sum(a, where(large, -1, square / (1 + sqrt(1 + square))));
    const Vec<T> y = log1p(f) + where(large, Vec<T>(0.69314718055994531), 0);
    return with_sign(where(a < Vec<T>::broadcast(kInfinity<T>), where(a == 0, a, y), a), x);
}

/// log1p(t + sqrt(t (t + 2))) with t = x - 1, the root carried to more bits than a number's.
template <class T>
BALMER_INLINE Vec<T> acosh(Vec<T> x) noexcept {
    const Mask<T> large = x > 0x1p30;
    const Vec<T> t = x - 1;
    const Sum<T> t2 = fast_two_sum(Vec<T>(2), t);
    const Sum<T> square = multiply(Sum<T>{where(large, 0, t), 0}, t2);
    const Vec<T> root = sqrt(square.high);
    const Vec<T> rest = where(root > 0, (fnma(root, root, square.high) + square.low) * (0.5 / root), 0);
    const Sum<T> f = two_sum(t, root);
    const Vec<T> y = log1p(Sum<T>{f.high, f.low + rest}) + where(large, Vec<T>(0.69314718055994531), 0);
    return where(x < Vec<T>::broadcast(kInfinity<T>), where(x < 1, Vec<T>(kNan), y), x);
}

/// Half the logarithm of q = (1 + a) / (1 - a) = 2^e (1 + s) / (1 - s), s being a itself where e is 0.
template <class T>
BALMER_INLINE Vec<T> atanh(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Vec<T> above = 1 + a, below = 1 - a;
    const Vec<T> q = where(a < 1, above / below, 1);
    const auto [f, e] = reduce_log(q);
    const Vec<T> power = real(bits(q) - bits(f + 1) + bits(Vec<T>(1)));  // 2^e
    const Mask<T> near = e == 0;
    const Vec<T> rest = fnma(power, (1 - below) - a, a - (above - 1));  // what rounding took from `above` and `below`
    const Sum<T> numerator = fast_two_sum(fnma(power, below, above), rest);
    const Sum<T> turned = divide(numerator, two_sum(above, power * below));
    const Vec<T> s = where(near, a, turned.high), z = s * s;
    const Vec<T> tail = fma(s * z, polynomial(kLogOdd<T>, z), e * Vec<T>::broadcast(kLn21<T>));
    const Sum<T> first = fast_two_sum(e * Vec<T>::broadcast(T(0.5) * kLn20<T>), s);
    const Vec<T> y = first.high + fma(Vec<T>(0.5), tail, first.low + where(near, 0, turned.low));
    const Vec<T> infinity = Vec<T>::broadcast(kInfinity<T>);
    return with_sign(where(a < 1, y, where(a == 1, infinity, a * Vec<T>(kNan))), x);
}
