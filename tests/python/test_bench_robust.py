"""bench/robust.py: the cases are what their names say, and a run is judged by what came of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import robust  # noqa: E402
import robust_cases  # noqa: E402


def rows_of(name: str, seed: int = 0) -> robust_cases.Rows:
    return robust_cases.CASES[name].make(np.random.default_rng(seed))


def answer(**more: Any) -> dict[str, Any]:
    front = [{"equation": "1"}, {"equation": "x0"}]
    good = {"status": "ok", "front": front, "selected": 1, "errors": [1.0, 1e-9], "features": [0]}
    return {**good, "predicts": True, "cpu_s": 1.0, "peak_mb": 200.0, **more}


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, "right"),
        ({"selected": 0}, "on front"),
        ({"errors": [1.0, 0.3]}, "graceful"),
        ({"errors": [1.0, float("nan")]}, "graceful"),
        ({"features": [0, 7]}, "fooled"),
        ({"cpu_s": 61.0}, "wasteful"),
        ({"peak_mb": 1001.0}, "wasteful"),
        ({"predicts": False}, "error"),
        ({"front": []}, "error"),
        ({"status": "crash"}, "crash"),
    ],
)
def test_a_run_is_judged_by_what_came_of_it(more: dict[str, Any], verdict: str) -> None:
    case = robust_cases.Case(lambda rng: None, relevant=3)
    assert robust.judged(case, answer(**more)) == verdict


def test_noise_may_be_a_constant_or_use_one_feature() -> None:
    case = robust_cases.CASES["noise alone"]
    assert case.seeds == 20
    assert robust.judged(case, answer(features=[])) == "right"
    assert robust.judged(case, answer(features=[3])) == "right"
    assert robust.judged(case, answer(features=[0, 1])) == "fooled"


def test_features_of_a_formula_are_told_by_whole_names() -> None:
    names = [f"x{j}" for j in range(23)]
    assert robust_cases.features_of("x1 * sin(x20) + 2", names) == [1, 20]


def test_the_cases_are_what_they_are_called() -> None:
    assert len(rows_of("8 rows").y) == 8
    assert len(rows_of("20 rows").y) == 20
    assert rows_of("500 features").X.shape == (1000, 500)
    whole = rows_of("whole numbers")
    assert np.array_equal(whole.X, np.round(whole.X))
    equal = rows_of("two equal columns")
    assert np.array_equal(equal.X[:, 0], equal.X[:, 1])
    assert 1e29 < np.median(rows_of("target of 1e30").y) < 1e31
    assert 1e-31 < np.median(rows_of("features of 1e-30").X) < 1e-29
    ties = rows_of("heavy ties")
    assert len(np.unique(ties.X, axis=0)) <= 27 < len(ties.X)
    weights = rows_of("weights of zero").weights
    assert weights is not None
    assert (weights == 0).sum() == 250
    outliers = rows_of("outliers, Huber")
    assert outliers.parameters["elementwise_loss"] == "HuberLoss(0.5)"
    plain = rows_of("outliers, least squares")
    spread = np.abs(plain.y - np.median(plain.y))
    assert spread.max() > 10 * np.median(spread)
    assert robust_cases.CASES["20 irrelevant features"].relevant == 3


def test_every_case_has_a_law_on_its_fresh_rows() -> None:
    # But for the largest, which only takes time.
    for name in robust_cases.CASES:
        if name == "1e6 rows":
            continue
        rows = rows_of(name)
        assert np.all(np.isfinite(rows.X)), name
        assert np.all(np.isfinite(rows.y)), name
        assert rows.X.shape == (len(rows.y), len(rows.names)), name
        assert rows.fresh.shape == (len(rows.truth), len(rows.names)), name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["8 rows", "only unary", "user operators", "weights of zero"])
def test_searches_on_awkward_data_end_right(name: str) -> None:
    record = robust.run_case(name, seed=0, budget=20, n_jobs=1)
    assert record["verdict"] == "right", robust.line(record)
