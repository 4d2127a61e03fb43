"""What operators must give, computed with 60 digits from the form that sympy reads."""

from __future__ import annotations

import functools
from collections.abc import Callable

import mpmath
import numpy as np
import sympy

import balmer

_NAMES = ("a", "b", "c")

# Worst error in units in the last place, as docs/accuracy.md promises.
ULP = 2
ULP_HARD = 4
HARD = frozenset({"pow", "gamma", "erf", "erfc"})


def parsed(info: balmer.OperatorInfo) -> balmer.Expression:
    """The operator over its operands."""
    return balmer.parse(f"{info.name}({', '.join(_NAMES[: info.arity])})", _NAMES[: info.arity])


@functools.cache
def exact(name: str) -> Callable[..., mpmath.mpf]:
    """The operator over mpmath's numbers."""
    info = next(info for info in balmer.operators() if info.name == name)
    symbols = sympy.symbols(_NAMES[: info.arity])
    return sympy.lambdify(symbols, parsed(info).sympy(), "mpmath")


def true_values(info: balmer.OperatorInfo, X: np.ndarray) -> np.ndarray:
    """Correctly rounded values; NaN where the result is complex or undefined."""
    values = np.empty(len(X))
    function = exact(info.name)
    with mpmath.workdps(60):
        for i, row in enumerate(X):
            try:
                value = function(*map(mpmath.mpf, row))
                values[i] = float(value) if mpmath.im(value) == 0 else np.nan
            except (ValueError, ZeroDivisionError, TypeError):  # noqa: PERF203
                values[i] = np.nan
            except OverflowError:
                values[i] = np.inf
    return values


def ulps(value: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance in units in the last place of the truth. Results below the normal numbers count as zero."""
    unit = np.spacing(np.maximum(np.abs(truth), np.finfo(np.float64).tiny))
    flushed = (np.abs(truth) < np.finfo(np.float64).tiny) & (value == 0)
    return np.where(flushed, 0, np.abs(value - truth) / unit)


def differences(
    function: Callable[[np.ndarray], np.ndarray], at: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Central differences with respect to each of `at`, one column each, and their uncertainty.

    The uncertainty is large where the slopes on both sides differ, as at a corner.
    """
    slopes, doubts = [], []
    here = function(at)
    for k, value in enumerate(at):
        h = step * max(1.0, abs(value))
        low, high = at.copy(), at.copy()
        low[k], high[k] = value - h, value + h
        with np.errstate(all="ignore"):
            before, after = (here - function(low)) / h, (function(high) - here) / h
            slopes.append((before + after) / 2)
            doubts.append(np.abs(after - before))
    return np.column_stack(slopes), np.column_stack(doubts)
