"""Worst errors of the vector math against mpmath; writes docs/accuracy.md.

    cmake --build build --target balmer_accuracy        (configured with -DBALMER_BENCH=ON)
    python3 bench/accuracy/accuracy.py build/balmer_accuracy docs/accuracy.md [--only sin,cos] [--points 4000]

Writes the page anew; with --only the lines of all other functions stay. Needs numpy and mpmath, and a quarter of an hour
of one processor. Arguments: a spread over each function's whole range in both
senses (evenly and by size), and close to the places where functions are hard: multiples of pi / 2, ones, poles, the ends
of the range. In single precision functions of one argument see every number there is: there the double kernels, which
mpmath has judged, stand for the truth.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import mpmath
import numpy as np
from mpmath import mp, mpf

mp.prec = 160
RNG = np.random.default_rng(20250101)
FORMATS = {"f64": (53, -1022, 1024, np.float64), "f32": (24, -126, 128, np.float32)}


def with_precision_for(x: float, f: Callable[[mpf], mpf]) -> mpf:
    """f with enough bits for the reduction of a huge argument."""
    with mp.workprec(160 + max(0, int(np.frexp(x)[1]))):
        return f(mpf(x))


def gamma(x: mpf) -> mpf:
    return mpf("nan") if x <= 0 and x == mpmath.floor(x) else mpmath.gamma(x)


# name: (function of a, b; range of a; range of b or None; hard places)
UNARY: dict[str, tuple[Callable[[mpf], mpf], tuple[float, float], list[float]]] = {
    "Sqrt": (mpmath.sqrt, (0, np.inf), []),
    "Cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), (-np.inf, np.inf), []),
    "Exp": (mpmath.exp, (-746, 710), [0]),
    "Expm1": (mpmath.expm1, (-60, 710), [0]),
    "Log": (mpmath.log, (0, np.inf), [1, 0.75]),
    "Log1p": (mpmath.log1p, (-1, np.inf), [0, -0.25, -1]),
    "Log2": (lambda x: mpmath.log(x) / mpmath.log(2), (0, np.inf), [1, 0.75]),
    "Log10": (lambda x: mpmath.log(x) / mpmath.log(10), (0, np.inf), [1, 0.75]),
    "Logistic": (lambda x: 1 / (1 + mpmath.exp(-x)), (-746, 60), [0]),
    "Sin": (mpmath.sin, (-np.inf, np.inf), [k * np.pi / 2 for k in range(-40, 41)]),
    "Cos": (mpmath.cos, (-np.inf, np.inf), [k * np.pi / 2 for k in range(-40, 41)]),
    "Tan": (mpmath.tan, (-np.inf, np.inf), [k * np.pi / 4 for k in range(-40, 41)]),
    "Asin": (mpmath.asin, (-1, 1), [0.5, -0.5, 1]),
    "Acos": (mpmath.acos, (-1, 1), [0.5, -0.5, 1]),
    "Atan": (mpmath.atan, (-np.inf, np.inf), [1, -1]),
    "Sinh": (mpmath.sinh, (-711, 711), [0, 0.34657]),
    "Cosh": (mpmath.cosh, (-711, 711), [0, 0.34657]),
    "Tanh": (mpmath.tanh, (-40, 40), [0, 0.1733]),
    "Asinh": (mpmath.asinh, (-np.inf, np.inf), [0, 2.0**30]),
    "Acosh": (mpmath.acosh, (1, np.inf), [1, 2.0**30]),
    "Atanh": (mpmath.atanh, (-1, 1), [0.2, -0.2, 1]),
    "Erf": (mpmath.erf, (-7, 7), [1, -1]),
    "Erfc": (mpmath.erfc, (-7, 28), [0, 1]),
    "Gamma": (gamma, (-180, 172), [0, 8, -1, -2, -3, -10.5]),
}
BINARY: dict[str, tuple[Callable[[mpf, mpf], mpf], tuple[float, float], tuple[float, float]]] = {
    "Div": (lambda a, b: a / b, (-np.inf, np.inf), (-np.inf, np.inf)),
    "Hypot": (mpmath.hypot, (-np.inf, np.inf), (-np.inf, np.inf)),
    "Atan2": (mpmath.atan2, (-np.inf, np.inf), (-np.inf, np.inf)),
    "Pow": (mpmath.power, (0, np.inf), (-30, 30)),
}


def by_size(low: float, high: float, count: int, kind: str) -> np.ndarray:
    """Numbers of every binary size within the range, of both signs if it has both."""
    _, smallest, largest, _ = FORMATS[kind]
    x = np.exp2(RNG.uniform(smallest + 1, largest - 1, count)) * (1 + RNG.random(count) * 0.5)
    x *= np.where(RNG.random(count) < 0.5, -1, 1)
    return x[(x > low) & (x < high)]


def arguments(low: float, high: float, hard: list[float], kind: str, points: int) -> np.ndarray:
    dtype = FORMATS[kind][3]
    parts = [by_size(low, high, points, kind)]
    limits = [limit for limit in (1, 4, 30, 1000) if low < limit]
    parts.extend(RNG.uniform(max(low, -limit), min(high, limit), points // 2) for limit in limits)
    for place in hard:
        near = place + np.exp2(-RNG.uniform(0, 50, max(20, points // 20))) * RNG.choice(
            [-1, 1], max(20, points // 20)
        )
        parts.append(near)
        parts.append(np.array([place]))
    with np.errstate(over="ignore"):
        x = np.concatenate(parts).astype(dtype).astype(np.float64)
    return x[(x > low) & (x < high) & (np.abs(x) >= 2.0 ** FORMATS[kind][1]) & np.isfinite(x)]


def run(program: str, isa: str, name: str, kind: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    done = subprocess.run(
        [program, isa, name, kind], input=np.column_stack([a, b]).tobytes(), capture_output=True, check=True
    )
    return np.frombuffer(done.stdout)


def ulps(got: float, expected: mpf, kind: str) -> float:
    """The error in units of the last place; the ends of the range count as in the tests."""
    bits, smallest, largest, _ = FORMATS[kind]
    size = abs(expected)
    if np.isnan(got) or mpmath.isnan(expected):
        return 0.0 if np.isnan(got) and mpmath.isnan(expected) else np.inf
    if np.isinf(got):
        return 0.0 if size >= mpf(2) ** largest * (1 - mpf(2) ** -bits) else np.inf
    if size < mpf(2) ** smallest:
        return 0.0 if abs(got) <= 2.0**smallest else np.inf
    if got == 0:
        return 1.0 if size <= mpf(2) ** smallest * (1 + mpf(2) ** (2 - bits)) else np.inf
    if size >= mpf(2) ** largest:
        return np.inf
    return float(abs(mpf(got) - expected) / mpf(2) ** (int(mpmath.frexp(expected)[1]) - bits))


def worst(program: str, isas: list[str], name: str, kind: str, points: int) -> tuple[float, float, int, bool]:
    """The worst error, where, of how many arguments, and whether all sets gave the same bits."""
    if name in UNARY:
        f, (low, high), hard = UNARY[name]
        a = arguments(low, high, hard, kind, points)
        b = np.ones_like(a)
        expected = [with_precision_for(x, f) for x in a]
    else:
        g, (low, high), (b_low, b_high) = BINARY[name]
        a, b = arguments(low, high, [1], kind, points), arguments(b_low, b_high, [1], kind, points)
        n = min(len(a), len(b))
        a, b = RNG.permutation(a)[:n], RNG.permutation(b)[:n]
        expected = [g(mpf(x), mpf(y)) for x, y in zip(a, b, strict=True)]
    results = [run(program, isa, name, kind, a, b) for isa in isas]
    same = all(np.array_equal(r, results[0], equal_nan=True) for r in results)
    errors = [ulps(y, e, kind) for y, e in zip(results[0], expected, strict=True)]
    at = int(np.argmax(errors))
    return errors[at], float(a[at]), len(a), same


def worst_of_all_floats(program: str, name: str) -> tuple[float, float, int]:
    """The worst error of a function of one argument in single precision over every argument."""
    done = subprocess.run([program, "exhaustive", name], capture_output=True, check=True, text=True)
    error, where, count = done.stdout.split()
    return float(error), float(where), int(count)


def line(program: str, isas: list[str], name: str, points: int) -> str:
    """The function's line of the table."""
    cells, all_same = [], True
    for kind in FORMATS:
        error, where, count, same = worst(program, isas, name, kind, points)
        tried = str(count)
        if kind == "f32" and name in UNARY:
            (error, where, _), tried = worst_of_all_floats(program, name), "all"
        cells.append(f"{error:.2f} ({where:.6g}; {tried})")
        all_same = all_same and same
    return f"| {name.lower()} | {cells[0]} | {cells[1]} | {'yes' if all_same else 'NO'} |"


def page(isas: list[str], lines: list[str]) -> str:
    return f"""# Accuracy of the vector math

Made by `bench/accuracy/accuracy.py`. Worst errors in units of the last place (0.5 is the best possible) against mpmath,
over the whole range of each function; in brackets the argument (of two, the first) and how many were tried (`all`: every
float there is). Subnormal numbers count as zero. All instruction sets run the same IEEE operations on each value, so that
their results are the same bits: checked here on the same arguments for {", ".join(isas)}.

Which NaN comes out is not promised, only that one does: of two NaN operands the compiler's order of them decides, and
what is invalid, such as log(-1), makes a NaN of either sign on different processors.

| function | float64 | float32 | same bits |
| --- | --- | --- | --- |
""" + "".join(f"{text}\n" for text in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program")
    parser.add_argument("page", type=Path)
    parser.add_argument("--only", default="", help="functions, as the table calls them, with commas between")
    parser.add_argument("--points", type=int, default=4000)
    options = parser.parse_args()
    isas = subprocess.run(
        [options.program, "sets"], capture_output=True, check=True, text=True
    ).stdout.split()
    known = {}
    if options.only:
        known = {
            found[1]: found[0]
            for found in re.finditer(r"^\| (\w+) \| [\d.].*$", options.page.read_text(), re.M)
        }
    wanted = set(options.only.split(",")) if options.only else {name.lower() for name in [*UNARY, *BINARY]}
    for name in sorted([*UNARY, *BINARY]):
        if name.lower() in wanted:
            known[name.lower()] = line(options.program, isas, name, options.points)
    options.page.write_text(page(isas, [known[name] for name in sorted(known)]))


if __name__ == "__main__":
    main()
