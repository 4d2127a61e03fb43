"""The tables that ship with the package."""

from __future__ import annotations

import numpy as np
import pytest

from balmer import datasets

LOADERS = [getattr(datasets, name) for name in datasets.__all__ if name.startswith("load_")]

# Each law with the constants of its docstring, and how far the rows may lie from it (the noise of the table).
LAWS = {
    "kepler": (lambda X: 365.25 * X[:, 0] ** 1.5, 0.011, "relative"),
    "hubble": (lambda X: 450 * X[:, 0], 600, "absolute"),
    "leavitt": (lambda X: -0.905 * np.log(X[:, 0]) + 15.65, 1.0, "absolute"),
    "bode": (lambda X: np.log(0.4 + 0.3 * np.exp(0.693 * X[:, 0])), 0.06, "absolute"),
    "newton": (lambda X: np.log(6.674e-11 * X[:, 1] * X[:, 2] / X[:, 0] ** 2), 0.5, "absolute"),
    "ideal_gas": (lambda X: np.log(8.314 * X[:, 0] * X[:, 1] / X[:, 2]), 0.5, "absolute"),
    "planck": (
        lambda X: (
            np.log(1.474e-50 * X[:, 0] ** 3)
            - 4.799e-11 * X[:, 0] / X[:, 1]
            - np.log(-np.expm1(-4.799e-11 * X[:, 0] / X[:, 1]))
        ),
        0.6,
        "absolute",
    ),
    "rydberg": (lambda X: -np.log(1.097e7 * (1 / X[:, 0] ** 2 - 1 / X[:, 1] ** 2)), 0.05, "absolute"),
    "schechter": (lambda X: -1.2 * np.log(X[:, 0]) - 4e-9 * X[:, 0] - 2.35, 0.8, "absolute"),
    "tully": (lambda X: 1e28 * X[:, 0] ** 2.5, 1.0, "relative"),
}


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_rows_follow_the_law(load):
    data = load()
    law, tolerance, kind = LAWS[data.name]
    error = law(data.X) - data.y
    if kind == "relative":
        error = error / data.y
    assert np.abs(error).max() < tolerance


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_tables_are_complete(load):
    data = load()
    assert np.isfinite(data.X).all()
    assert np.isfinite(data.y).all()
    assert data.X.shape == (len(data.y), len(data.feature_names))
    assert set(data.units) == {*data.feature_names, data.target_name}
    assert f"{len(data.y)} rows" in load.__doc__
    frame = data.frame
    assert list(frame.columns) == [*data.feature_names, data.target_name]
    np.testing.assert_array_equal(frame[data.target_name], data.y)


def test_each_call_gives_its_own_arrays():
    datasets.load_kepler().X[:] = 0
    assert datasets.load_kepler().X.min() > 0
