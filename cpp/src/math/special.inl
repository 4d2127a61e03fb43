// The error function, gamma and digamma. Included by functions.inl.

/// erfc(a) for a >= 0: e^(-a^2) (1 + 2 a)^-1 times a polynomial in (a - 4) / (a + 4) (after M. M. Shepherd and
/// J. G. Laframboise, Math. Comp. 36, 1981).
template <class T>
BALMER_INLINE Vec<T> erfc_of(Vec<T> argument) noexcept {
    const Vec<T> end = sizeof(T) == 8 ? 27.5 : 11;  // where it has fallen to 0
    const Vec<T> a = where(argument > end, end, argument);
    const Vec<T> inverse = 1 / (a + 4), start = (a - 4) * inverse;
    const Vec<T> q = fma(inverse, fnma(start, a, fnma(start + 1, Vec<T>(4), a)), start);
    const Sum<T> ratio = divide(Sum<T>{polynomial(kErfcx<T>, q), 0}, two_sum(Vec<T>(1), a + a));
    const Sum<T> square = two_product(a, a);
    const Vec<T> e = exp(Sum<T>{-square.high, -square.low});
    return fma(e, ratio.high, e * ratio.low);
}

template <class T>
BALMER_INLINE Vec<T> erfc(Vec<T> x) noexcept {
    const Vec<T> y = erfc_of(abs(x));
    return where(x < 0, 2 - y, y);
}

template <class T>
BALMER_INLINE Vec<T> erf(Vec<T> x) noexcept {
    const Vec<T> a = abs(x);
    const Vec<T> small = fma(a, polynomial(kErf<T>, a * a), a);
    return with_sign(where(a < 1, small, 1 - erfc_of(a)), x);
}

/// sin(pi x), exactly 0 at integers.
template <class T>
BALMER_INLINE Vec<T> sin_pi(Vec<T> x) noexcept {
    const Vec<T> half_turns = round(x), left = x - half_turns;  // exact, and so is what follows
    const Vec<T> quarter = round(left + left), part = fma(quarter, Vec<T>(-0.5), left);
    const Vec<T> r = part * Vec<T>::broadcast(kPi0<T>);
    const Vec<T> low = fma(part, Vec<T>::broadcast(kPi1<T>), fma(part, Vec<T>::broadcast(kPi0<T>), -r));
    const Vec<T> half = 0.5 * half_turns;
    const Vec<T> y = sine_of(r, low, bits(quarter + Vec<T>::broadcast(Format<T>::kMagic)));
    return where(floor(half) == half, y, -y);
}

/// Stirling's series from 8 on, gamma(x) = gamma(x + 8) / (x (x + 1) ... (x + 7)) below, and Euler's reflection for
/// negative x; sums of two numbers throughout, and the power of two kept apart to the end.
BALMER_INLINE Vec<double> gamma(Vec<double> x) noexcept {
    using V = Vec<double>;
    using S = Sum<double>;
    const Mask<double> reflected = x < 0;
    S start = two_sum(V(1), -x);
    start.high = where(reflected, start.high, x);
    start.low = where(reflected & (start.high < 190), start.low, 0);
    start.high = where(start.high > 190, 190, start.high);  // far beyond the overflow
    const Mask<double> shifted_up = start.high < 8;
    const S raised = two_sum(start.high, V(8));
    const V y = where(shifted_up, raised.high, start.high);
    const V y_low = where(shifted_up, raised.low, 0) + start.low;

    // x (x + 7) = w, and the product of all eight is w (w + 6) (w + 10) (w + 12)
    const S seven = two_sum(start.high, V(7));
    const S w = multiply(start, S{seven.high, seven.low + start.low});
    const auto plus = [&w](double c) { return add(w, S{V(c), V(0)}); };
    S product = multiply(multiply(w, plus(6)), multiply(plus(10), plus(12)));
    product.high = where(shifted_up, product.high, 1);
    product.low = where(shifted_up, product.low, 0);

    const V inverse = 1 / y;
    const S l = log_sum(y);
    const S power = multiply(S{y - 0.5, V(0)}, l);
    const S whole =
        add(add(power, S{-y, V(0)}), S{V(0x1.d67f1c864beb5p-1), V(-0x1.65b5a1b7ff5dfp-55)});  // log(2 pi) / 2
    const V tail =
        fma(polynomial(kStirling<double>, inverse * inverse), inverse, y_low * fma(inverse, V(-0.5), l.high));
    const auto [shifted, n, r] = reduce_exp(whole.high);
    const S one = fast_two_sum(V(1), r);
    const V rest = fma(r * r, polynomial(kExp<double>, r), one.low);
    const S power_of_e = fast_two_sum(one.high, rest);
    // The low part may be as large as the series at 8, 1 / 96: its exponential to the sixth order
    const V low = whole.low + tail;
    const V low_of_low =
        fma(low, fma(low, fma(low, fma(low, V(1.0 / 720), V(1.0 / 120)), V(1.0 / 24)), V(1.0 / 6)), V(0.5));
    const V low1 = fma(low * low, low_of_low, low);
    const S e = multiply(power_of_e, fast_two_sum(V(1), low1));

    const V sine = sin_pi(x);
    const S pi{V(kPi0<double>), V(kPi1<double>)};
    const S numerator = multiply(S{where(reflected, pi.high, e.high), where(reflected, pi.low, e.low)},
                                 S{where(reflected, product.high, 1), where(reflected, product.low, 0)});
    const S denominator = multiply(S{where(reflected, e.high, product.high), where(reflected, e.low, product.low)},
                                   S{where(reflected, sine, 1), V(0)});
    const S quotient = divide(numerator, denominator);
    const V magic = V::broadcast(Format<double>::kMagic);
    const V exponent = where(reflected, -n, n);
    const V first = fma(exponent, V(0.5), magic), second = (exponent - (first - magic)) + magic;
    const V z = (quotient.high * power_of_two(first)) * power_of_two(second);
    const V pole = where(abs(x) < kTiny<double>, 1 / x, where(reflected & (sine == 0), V(kNan), z));
    return where(x != x, x, pole);
}

/// The same to 36 bits, for |x| < 200.
BALMER_INLINE Vec<double> short_gamma(Vec<double> x) noexcept {
    using V = Vec<double>;
    const Mask<double> reflected = x < 0;
    const V start = where(reflected, 1 - x, x);
    const Mask<double> shifted_up = start < 8;
    const V y = where(shifted_up, start + 8, start);
    const V w = start * (start + 7);
    const V product = where(shifted_up, (w * (w + 6)) * ((w + 10) * (w + 12)), 1);
    const V inverse = 1 / y;
    const V series = fma(polynomial(kStirling<double>, inverse * inverse), inverse, V(0x1.d67f1c864beb5p-1));
    const V e = short_exp(fma(y - 0.5, short_log(y), series - y));
    return where(reflected, V(kPi0<double>) * product, e) / where(reflected, sin_pi(x) * e, product);
}

BALMER_INLINE Vec<float> gamma(Vec<float> x) noexcept {
    const Vec<float> clamped = where(x > 60, 60, where(x < -60, -60, x));  // beyond the overflow, and the underflow
    const Vec<float> y =
        through_double([](Vec<double> a, Vec<double>) noexcept { return short_gamma(a); }, clamped, clamped);
    const Vec<float> whole = floor(x), half = 0.5 * whole;
    const Vec<float> zero = where(floor(half) == half, 0, -0.0);
    const Vec<float> z = where((x < 0) & (whole == x), Vec<float>(kNan), where(x < -60, zero, y));
    return where(abs(x) < kTiny<float>, 1 / x, where(x != x, x, z));
}

/// The derivative of log gamma, by the same three steps. Good to about 1e-15 absolute or relative, the larger.
/// Zeros are therefore not exact in relative terms.
BALMER_INLINE Vec<double> digamma(Vec<double> x) noexcept {
    using V = Vec<double>;
    const Mask<double> reflected = x < 0;
    const V start = where(reflected, 1 - x, x);
    const Mask<double> shifted_up = start < 8;
    const V y = where(shifted_up, start + 8, start);
    const V inverse = 1 / y, square = inverse * inverse;
    const V series = log(y) - fma(square, polynomial(kDigamma<double>, square), 0.5 * inverse);
    const V w = start * (start + 7);
    const V first = fma(w, V(2), V(6)) / (w * (w + 6)), second = fma(w, V(2), V(22)) / ((w + 10) * (w + 12));
    const V y_up = where(shifted_up, fnma(fma(start, V(2), V(7)), first + second, series), series);
    const V part = x - round(x);
    const V cosine = sin_pi(0.5 - abs(part)), sine = with_sign(sin_pi(abs(part)), part);
    const V mirrored = fnma(V(kPi0<double>), cosine / sine, y_up);
    return where(reflected, where(part == 0, V(kNan), mirrored), y_up);
}

BALMER_INLINE Vec<float> digamma(Vec<float> x) noexcept {
    return through_double([](Vec<double> a, Vec<double>) noexcept { return digamma(a); }, x, x);
}
