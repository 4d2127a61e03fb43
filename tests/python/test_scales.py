"""The same laws whatever the units and the origin of the data, as far as doubles hold the information."""

from __future__ import annotations

import numpy as np
import pytest

import balmer

X = np.random.default_rng(3).uniform(1, 4, (200, 2))
x, z = X.T
LAWS = {
    "polynomial": 2.5 * x**2 - 1.3 * x * z + 0.7,
    "rational": (1.5 * x + z) / (x**2 + 2),
    "exponential": 3.1 * np.exp(-0.7 * x) * z,
    "wave": 1.7 * np.sin(1.9 * x + 0.4) + 0.5 * z,
    "power": 0.8 * x**1.5 / z**2,
}


def fitted(features, target):
    model = balmer.SymbolicRegressor(
        binary_operators=["+", "-", "*", "/", "^"],
        unary_operators=["exp", "sin", "square"],
        random_state=0,
        verbosity=0,
    )
    return model.fit(features, target)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_found_in_any_unit_of_the_target(law):
    best = fitted(X, LAWS[law]).get_best()
    for unit in (1e-25, 1e25):
        model = fitted(X, unit * LAWS[law])
        assert model.stop_reason_ == "exact"
        assert model.get_best().complexity <= best.complexity + 2  # a unit may be one constant more
        residual = (model.predict(X) / unit - LAWS[law]) / LAWS[law].std()
        assert np.mean(residual**2) < 1e-20


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_found_in_any_unit_of_the_features(law):
    for unit in (1e-12, 1e12):
        model = fitted(unit * X, LAWS[law])
        assert model.stop_reason_ == "exact"
        assert np.mean((model.predict(unit * X) - LAWS[law]) ** 2) < 1e-20 * LAWS[law].var()


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_found_far_from_the_origin(law):
    far = X + 1e5  # exact to 1.5e-11
    residual = (fitted(far, LAWS[law]).predict(far) - LAWS[law]) / LAWS[law].std()
    assert np.mean(residual**2) < 1e-16
