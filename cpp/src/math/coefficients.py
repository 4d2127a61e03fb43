"""Derives the polynomials of the vector math and writes coefficients.inl.

    python3 coefficients.py > coefficients.inl        (needs mpmath)

Each polynomial is a Chebyshev interpolant at 60 digits, which is within a few percent of the minimax one, with the
fewest terms that keep its part of the function's relative error below 2^-4 ULP.
"""

# ruff: noqa: D103, D401, T201, E501
from __future__ import annotations

from collections.abc import Callable

from mpmath import (
    asin,
    atan,
    chebyfit,
    cos,
    cosh,
    digamma,
    erf,
    erfc,
    exp,
    floor,
    frexp,
    ldexp,
    linspace,
    log,
    log1p,
    loggamma,
    mp,
    mpf,
    pi,
    polyval,
    sin,
    sinh,
    sqrt,
)

mp.dps = 60
BITS = {"double": 53, "float": 24}


def rounded(x: mpf, bits: int) -> mpf:
    """The nearest number of that many bits."""
    if x == 0:
        return mpf(0)
    mantissa, exponent = frexp(x)
    return ldexp(mp.nint(ldexp(mantissa, bits)), int(exponent) - bits)


def truncated(x: mpf, bits: int) -> mpf:
    mantissa, exponent = frexp(x)
    return ldexp(floor(ldexp(mantissa, bits)), int(exponent) - bits)


def literal(x: mpf, kind: str) -> str:
    return float(rounded(x, 24)).hex() + "f" if kind == "float" else float(x).hex()


def near_zero(f: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """f, with its removable singularity at 0 filled in by the mean of two neighbours (right to 1e-30)."""
    tiny = mpf(10) ** -8

    def g(x: mpf) -> mpf:
        mp.dps = 100
        try:
            return (
                f(x)
                if abs(x) > tiny
                else (4 * (f(x + tiny) + f(x - tiny)) - (f(x + 2 * tiny) + f(x - 2 * tiny))) / 6
            )
        finally:
            mp.dps = 60

    return g


def emit(
    name: str,
    f: Callable[[mpf], mpf],
    low: mpf,
    high: mpf,
    weight: float,
    kinds: tuple[str, ...],
    why: str,
    *,
    at_end: mpf | None = None,
) -> None:
    """Writes kName<T>, highest power first. `weight`: the function's relative error for a polynomial wrong by 1.
    `at_end`: where it is to be exact, by the coefficient before the last."""
    for kind in kinds:
        bound = mpf(2) ** -(BITS[kind] + 4) / weight
        for terms in range(2, 40):
            coefficients = chebyfit(f, [low, high], terms)
            error = max(abs(polyval(coefficients, x) - f(x)) for x in linspace(low, high, 200))
            if error < bound:
                break
        if at_end is not None and kind == "double":  # the float one would give more than 1
            coefficients = [rounded(c, BITS[kind]) for c in coefficients]
            coefficients[-2] += (f(at_end) - polyval(coefficients, at_end)) / at_end
        values = ", ".join(literal(c, kind) for c in coefficients)
        print(f"// {why} on [{mp.nstr(low, 5)}, {mp.nstr(high, 5)}], off by {mp.nstr(error, 2)}")
        print(f"template <>\ninline constexpr {kind} {name}<{kind}>[] = {{{values}}};")


def polynomial(
    name: str,
    f: Callable[[mpf], mpf],
    low: object,
    high: object,
    weight: float,
    why: str,
    kinds: tuple[str, ...] = ("double", "float"),
    *,
    at_end: mpf | None = None,
) -> None:
    print(f"\ntemplate <class T>\ninline constexpr T {name}[] = {{0}};")
    emit(name, f, mpf(low), mpf(high), weight, kinds, why, at_end=at_end)


def parts(name: str, x: mpf, bits: dict[str, tuple[int, ...]]) -> None:
    """Writes x as a sum: the leading parts truncated to so many bits, the last one rounded."""
    for kind, widths in bits.items():
        rest = x
        for number, width in enumerate(widths):
            last = number + 1 == len(widths)
            part = rounded(rest, BITS[kind]) if last or width == BITS[kind] else truncated(rest, width)
            print(f"template <>\ninline constexpr {kind} {name}{number}<{kind}> = {literal(part, kind)};")
            rest -= part


def constant(name: str, x: mpf, count: int, bits: dict[str, tuple[int, ...]]) -> None:
    for number in range(count):
        print(f"\ntemplate <class T>\ninline constexpr T {name}{number} = 0;")
    parts(name, x, bits)


print("// Polynomials and split constants of the vector math, highest power first. Made by coefficients.py.")
half_ln2 = log(2) / 2 * mpf("1.001")
polynomial(
    "kExp", near_zero(lambda r: (exp(r) - 1 - r) / r**2), -half_ln2, half_ln2, 0.3, "(e^r - 1 - r) / r^2"
)
polynomial(
    "kSinh",
    near_zero(lambda s: ((sinh(sqrt(s)) / sqrt(s) - 1) / s).real),
    0,
    half_ln2**2,
    0.13,
    "(sinh r / r - 1) / r^2 in r^2",
)
polynomial(
    "kCosh",
    near_zero(lambda s: ((cosh(sqrt(s)) - 1) / s).real),
    0,
    half_ln2**2,
    0.26,
    "(cosh r - 1) / r^2 in r^2",
)


def log_ratio(z: mpf) -> mpf:
    s = sqrt(z)
    return ((log((1 + s) / (1 - s)) / s - 2) / z).real


polynomial(
    "kLogOdd", near_zero(log_ratio), 0, "0.0401", 0.03, "(log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2"
)
BITS["double"] = 36  # kShort...: for float functions that are worked out in double
polynomial("kShortLogOdd", near_zero(log_ratio), 0, "0.0401", 0.03, "the same to 40 bits", ("double",))
polynomial(
    "kShortExp",
    near_zero(lambda r: (exp(r) - 1 - r) / r**2),
    -half_ln2,
    half_ln2,
    0.3,
    "(e^r - 1 - r) / r^2 to 40 bits",
    ("double",),
)
BITS["double"] = 53
polynomial(
    "kLog",
    near_zero(lambda f: (log1p(f) - f + f * f / 2) / f**3),
    "-0.2501",
    "0.5001",
    0.5,
    "(log(1 + f) - f + f^2 / 2) / f^3",
    ("float",),
)


def log_tail(z: mpf) -> mpf:
    return (log_ratio(z) - mpf(2) / 3) / z


print("\ntemplate <class T>\ninline constexpr T kLogTail[] = {0};")
emit(
    "kLogTail",
    near_zero(log_tail),
    mpf(0),
    mpf("0.0401"),
    8.0,
    ("double",),
    "(log((1 + s) / (1 - s)) / s - 2 - 2 s^2 / 3) / s^4 in s^2, to 64 bits",
)
quarter = (pi / 4) ** 2 * mpf("1.004")
polynomial(
    "kSin",
    near_zero(lambda s: ((sin(sqrt(s)) / sqrt(s) - 1) / s).real),
    0,
    quarter,
    0.7,
    "(sin r / r - 1) / r^2 in r^2",
)
half = (pi / 2) ** 2 * mpf("1.004")
polynomial(
    "kHalfTurnSin",
    near_zero(lambda s: ((sin(sqrt(s)) / sqrt(s) - 1) / s).real),
    0,
    half,
    3.9,
    "(sin r / r - 1) / r^2 in r^2",
    at_end=(pi / 2) ** 2,
)
polynomial(
    "kCos",
    near_zero(lambda s: ((cos(sqrt(s)) - 1 + s / 2) / s**2).real),
    0,
    quarter,
    0.55,
    "(cos r - 1 + r^2 / 2) / r^4 in r^2",
)
polynomial(
    "kAsin",
    near_zero(lambda z: ((asin(sqrt(z)) / sqrt(z) - 1) / z).real),
    0,
    "0.2501",
    0.25,
    "(asin x / x - 1) / x^2 in x^2",
)
polynomial(
    "kAtan",
    near_zero(lambda z: ((atan(sqrt(z)) / sqrt(z) - 1) / z).real),
    0,
    "1.0001",
    1.0,
    "(atan x / x - 1) / x^2 in x^2",
)
polynomial(
    "kErf", near_zero(lambda z: (erf(sqrt(z)) / sqrt(z)).real - 1), 0, "1.0001", 1.2, "erf x / x - 1 in x^2"
)


def scaled_erfc(q: mpf) -> mpf:
    x = 4 * (1 + q) / (1 - q)
    return exp(x * x) * erfc(x) * (1 + 2 * x)


polynomial("kErfcx", scaled_erfc, -1, "0.7460", 1.0, "e^(x^2) erfc(x) (1 + 2 x) in q = (x - 4) / (x + 4)")


def stirling(v: mpf) -> mpf:
    y = 1 / sqrt(v)
    return ((loggamma(y) - ((y - mpf(1) / 2) * log(y) - y + log(2 * pi) / 2)) * y).real


def stirling_derivative(v: mpf) -> mpf:
    y = 1 / sqrt(v)
    return ((log(y) - 1 / (2 * y) - digamma(y)) / v).real


polynomial(
    "kStirling",
    near_zero(stirling),
    0,
    "0.01563",
    0.13,
    "log gamma's Stirling rest times y, in 1 / y^2",
    ("double",),
)
polynomial(
    "kDigamma",
    near_zero(stirling_derivative),
    0,
    "0.01563",
    0.1,
    "(log y - 1 / (2 y) - digamma y) y^2 in 1 / y^2",
    ("double",),
)
print("\ntemplate <class T>\ninline constexpr T kCbrt[] = {0};")
for kind, terms in (
    ("double", 6),
    ("float", 4),
):  # a start for Newton's iteration, so no term is owed to accuracy
    fit = chebyfit(lambda m: m ** (-mpf(1) / 3), [mpf("0.75"), mpf("1.5")], terms)
    print("// m^(-1/3) on [0.75, 1.5], to start from")
    print(
        f"template <>\ninline constexpr {kind} kCbrt<{kind}>[] = {{{', '.join(literal(c, kind) for c in fit)}}};"
    )

# ln 2: the first part short enough that its product with an exponent is exact. pi: full parts, as fma needs no less.
constant("kLn2", log(2), 2, {"double": (42, 53), "float": (16, 24)})
constant("kPi", pi, 3, {"double": (53, 53, 53), "float": (24, 24, 24)})
constant("kHalfPi", pi / 2, 3, {"double": (53, 53, 53), "float": (24, 24, 24)})
constant("kLog10Two", log(2) / log(10), 2, {"double": (42, 53), "float": (16, 24)})
constant("kLog10E", 1 / log(10), 2, {"double": (53, 53), "float": (24, 24)})
constant("kLog2E", 1 / log(2), 2, {"double": (53, 53), "float": (24, 24)})
constant("kTwoThirds", mpf(2) / 3, 2, {"double": (53, 53), "float": (24, 24)})
print("\n/// 1 / pi, the bits after the binary point, most significant word first.")
mp.prec = 1400
words = [int(floor(ldexp(1 / pi, 64 * (k + 1)))) & (2**64 - 1) for k in range(20)]
print("inline constexpr std::uint64_t kInversePiBits[] = {" + ", ".join(f"0x{w:016x}u" for w in words) + "};")
