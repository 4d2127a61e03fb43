"""Data that searches stumble over: each case makes its rows, and says what a good end is.

``python bench/robust_cases.py`` is the child of bench/robust.py: a task on standard input, the answer as the
last line of its output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import runs

USUAL = {
    "binary_operators": ["+", "-", "*", "/"],
    "unary_operators": ["sqrt", "square", "exp", "log", "sin", "cos"],
}
EXACT = 1e-6  # of the standard deviation of the true target, on fresh rows


@dataclass
class Rows:
    """What is fitted, and fresh rows with the true target."""

    X: Any
    y: Any
    fresh: Any
    truth: Any
    names: list[str]
    parameters: dict[str, Any] = field(default_factory=dict)
    weights: Any = None


@dataclass(frozen=True)
class Case:
    """Rows and what a good end is.

    `make` takes a random generator. `tolerance`: root mean square error, in standard deviations of the true
    target, that is right; None if there is no law. `relevant`: how many of the first features a formula may
    use. `cpu_s` and `memory_mb` are what a run may take and still count as well-behaved.
    """

    make: Any
    tolerance: float | None = EXACT
    relevant: int | None = None
    seeds: int = 1
    cpu_s: float = 60
    memory_mb: float = 1000


def _names(d):
    return [f"x{j}" for j in range(d)]


def _of_law(law, n, d=3, noise=0.0, low=1.0, high=4.0, **more):
    """Uniform features and a law of them; noise in units of the target's standard deviation."""

    def make(rng):
        X = rng.uniform(low, high, (n, d))
        fresh = rng.uniform(low, high, (500, d))
        y, truth = law(*X.T), law(*fresh.T)
        y = y + noise * np.std(y) * rng.normal(size=n)
        return Rows(X, y, fresh, truth, _names(d), {**USUAL, **more})

    return make


def _law(a, b, c, *_):
    return a * np.sqrt(b) / c + 0.7


def _one(a):
    return 1.5 * np.log(a) + a**2


def _integers(rng):
    X, fresh = (rng.integers(1, 12, (n, 3)).astype(float) for n in (400, 500))
    y, truth = (a * b - 3 * c for a, b, c in (X.T, fresh.T))
    return Rows(X, y, fresh, truth, _names(3), USUAL)


def _equal_columns(rng):
    X, fresh = rng.uniform(1, 4, (400, 3)), rng.uniform(1, 4, (500, 3))
    X[:, 1], fresh[:, 1] = X[:, 0], fresh[:, 0]
    return Rows(X, X[:, 0] * X[:, 2], fresh, fresh[:, 0] * fresh[:, 2], _names(3), USUAL)


def _outliers(loss=None):
    def make(rng):
        rows = _of_law(_law, 600)(rng)
        rows.y = rows.y + 0.1 * np.std(rows.y) * rng.standard_t(1.5, len(rows.y))
        rows.parameters = {**USUAL, "elementwise_loss": loss}
        return rows

    return make


def _scaled(x_scale, y_scale):
    def make(rng):
        X, fresh = rng.uniform(1, 4, (400, 2)), rng.uniform(1, 4, (500, 2))
        y, truth = X[:, 0] * X[:, 1], fresh[:, 0] * fresh[:, 1]
        # The law of the scaled columns has the scales in its one constant.
        return Rows(X * x_scale, y * y_scale, fresh * x_scale, truth * y_scale, _names(2), USUAL)

    return make


def _mixed_scales(rng):
    X, fresh = rng.uniform(1, 4, (400, 3)), rng.uniform(1, 4, (500, 3))
    scales = np.array([1e30, 1e-30, 1.0])
    y, truth = (a * b / c for a, b, c in (X.T, fresh.T))
    return Rows(X * scales, y, fresh * scales, truth, _names(3), USUAL)


def _ties(rng):
    X, fresh = (rng.integers(0, 3, (n, 3)).astype(float) for n in (600, 500))
    y, truth = (a + 2 * b * c for a, b, c in (X.T, fresh.T))
    return Rows(X, y, fresh, truth, _names(3), USUAL)


def _in_time(rng):
    steps = np.cumsum(rng.normal(size=(1100, 2)), axis=0) * 0.05 + 4
    X = np.column_stack([np.arange(1100) * 0.01, steps])
    y = X[:, 1] * np.cos(X[:, 0]) + X[:, 2]
    noisy = y[:600] + 0.02 * np.std(y) * rng.normal(size=600)
    return Rows(X[:600], noisy, X[600:], y[600:], ["t", "u", "v"], USUAL)


def _zero_weights(rng):
    rows = _of_law(_law, 500)(rng)
    rows.weights = np.ones(500)
    rows.weights[::2] = 0
    rows.y[::2] = 1e6  # rows that do not count may hold anything
    return rows


def _noise_only(rng):
    X, fresh = rng.normal(size=(300, 5)), rng.normal(size=(500, 5))
    return Rows(X, rng.normal(size=300), fresh, np.zeros(500), _names(5), USUAL)


USER = ["swing(x) = sin(x) + 0.5 * sin(2 * x)", "clip(x) = min(max(x, -1), 1)", "+", "*"]

CASES = {
    "8 rows": Case(_of_law(_one, 8, 1), 0.5),
    "20 rows": Case(_of_law(_law, 20), 0.5),
    "20 rows, noise": Case(_of_law(_law, 20, noise=0.1), 0.5),
    "1e6 rows": Case(_of_law(_law, 10**6, noise=0.01), 0.01, cpu_s=300, memory_mb=3000),
    "1 feature": Case(_of_law(_one, 1000, 1)),
    "10 features": Case(_of_law(_law, 1000, 10)),
    "50 features": Case(_of_law(_law, 1000, 50)),
    "500 features": Case(_of_law(_law, 1000, 500), 0.5, cpu_s=120, memory_mb=2000),
    "whole numbers": Case(_integers),
    "two equal columns": Case(_equal_columns),
    "outliers, least squares": Case(_outliers(), 0.5),
    "outliers, Huber": Case(_outliers("HuberLoss(0.5)"), 0.05),
    "outliers, absolute": Case(_outliers("L1DistLoss"), 0.05),
    "target of 1e30": Case(_scaled(1.0, 1e30)),
    "target of 1e-30": Case(_scaled(1.0, 1e-30)),
    "features of 1e30": Case(_scaled(1e30, 1.0)),
    "features of 1e-30": Case(_scaled(1e-30, 1.0)),
    "features of 1e30 and 1e-30": Case(_mixed_scales),
    "heavy ties": Case(_ties),
    "rows in time": Case(_in_time, 0.1),
    "only + and *": Case(
        _of_law(lambda a, b, c: a * b + 2 * c, 500, binary_operators=["+", "*"], unary_operators=[])
    ),
    "only unary": Case(
        _of_law(lambda a: np.sin(a * a), 500, 1, binary_operators=[], unary_operators=["sin", "square"])
    ),
    "user operators": Case(
        _of_law(
            lambda a, b: (np.sin(a) + 0.5 * np.sin(2 * a)) * b, 500, 2,
            operators={1: USER[:2], 2: USER[2:]}, binary_operators=None, unary_operators=None,
        )
    ),
    "weights of zero": Case(_zero_weights),
    "noise alone": Case(_noise_only, None, relevant=0, seeds=20),
    "20 irrelevant features": Case(_of_law(_law, 1000, 23), relevant=3, seeds=3),
    "20 irrelevant features, noise": Case(_of_law(_law, 1000, 23, noise=0.01), 0.01, relevant=3, seeds=3),
}  # fmt: skip


def features_of(formula, names):
    """Positions of the features that a formula uses."""
    import re

    words = set(re.findall(r"[A-Za-z_]\w*", formula))
    return [j for j, name in enumerate(names) if name in words]


def errors_on(model, X, truth):
    """Root mean square error of each formula of the front, in standard deviations of the truth."""
    unit = np.std(truth) or 1.0
    with np.errstate(all="ignore"):
        residuals = [(row.expression(X) - truth) / unit for row in model.fronts_[0]]
        return [float(np.sqrt(np.mean(residual**2))) for residual in residuals]


def run_case(task):
    case = CASES[task["case"]]
    rows = case.make(np.random.default_rng([task["seed"], len(task["case"])]))
    answer, model = runs.fit(
        np.asfortranarray(rows.X), rows.y, rows.names, budget=task["budget"], seed=task["seed"],
        parameters=rows.parameters, n_jobs=task["n_jobs"], weights=rows.weights, with_model=True,
    )  # fmt: skip
    chosen = answer["front"][answer["selected"]]["equation"]
    return {
        **answer,
        "errors": errors_on(model, np.asfortranarray(rows.fresh), rows.truth),
        "features": features_of(chosen, rows.names),
        "predicts": bool(np.all(np.isfinite(model.predict(rows.X)))),
    }


if __name__ == "__main__":
    print(json.dumps(run_case(json.load(sys.stdin))))
