"""Losses of whole arrays that a compiler made: the same results as from Python, called without it."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from scipy import LowLevelCallable
from sklearn.base import clone

import balmer
from compiling import shared_library

RNG = np.random.default_rng(31)
X = RNG.uniform(0.5, 2, size=(50, 2))
Y = X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=50)
WEIGHTS = RNG.integers(1, 4, size=50).astype(float)

SOURCE = r"""
#include <math.h>
#include <stddef.h>
double absolute(const double *p, const double *y, const double *w, size_t n) {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < n; ++i) {
        sum += (w ? w[i] : 1) * fabs(p[i] - y[i]);
        weight += w ? w[i] : 1;
    }
    return sum / weight;
}
double scaled(const double *p, const double *y, const double *w, size_t n, void *factor) {
    return *(double *)factor * absolute(p, y, w, n);
}
"""
ARRAYS = [ctypes.POINTER(ctypes.c_double)] * 3


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return shared_library(tmp_path_factory.mktemp("loss"), SOURCE)


def compiled(library, name, *more, user_data=None):
    function = getattr(library, name)
    function.restype, function.argtypes = ctypes.c_double, [*ARRAYS, ctypes.c_size_t, *more]
    return LowLevelCallable(function, user_data)


def absolute(prediction, y, weights):
    """The same, with sums in the same order."""
    w = np.ones(len(y)) if weights is None else weights
    return np.cumsum(w * np.abs(prediction - y))[-1] / np.cumsum(w)[-1]


def fitted(loss, weights=None, y=Y, **params):
    defaults = {"niterations": 2, "populations": 4, "ncycles_per_iteration": 40, "random_state": 0}
    model = balmer.SymbolicRegressor(loss_function=loss, verbosity=0, **{**defaults, **params})
    return model.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_compiled_loss_gives_what_the_same_in_python_gives(library, weights, n_jobs):
    ours = fitted(compiled(library, "absolute"), weights, n_jobs=n_jobs)
    python = fitted(absolute, weights)
    assert ours.equations_.equation.tolist() == python.equations_.equation.tolist()
    assert ours.equations_.loss.tolist() == python.equations_.loss.tolist()


def test_user_data_arrive(library):
    factor = ctypes.c_double(1000)
    pointer = ctypes.cast(ctypes.pointer(factor), ctypes.c_void_p)
    model = fitted(compiled(library, "scaled", ctypes.c_void_p, user_data=pointer))
    row = model.fronts_[0][-1]
    assert row.loss == pytest.approx(1000 * absolute(row.expression(X), Y, None))


def test_a_constant_target(library):
    with pytest.warns(UserWarning, match="is constant"):
        assert fitted(compiled(library, "absolute"), y=np.full(50, 2.0)).fronts_[0][0].loss == 0


def test_a_model_with_a_compiled_loss_is_cloned(library):
    loss = compiled(library, "absolute")
    model = fitted(loss)
    copied = clone(model)
    assert copied.loss_function is loss
    assert copied.get_params() == model.get_params()
    assert not hasattr(copied, "fronts_")
    model.refit(X, 2 * Y)
    np.testing.assert_allclose(model.fronts_[0][-1].loss, absolute(model.predict(X, -1), 2 * Y, None))


def test_another_signature_is_named(library):
    function = library.absolute
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    with pytest.raises(
        ValueError, match=r"with the signature 'double \(double\)': write it as 'double \(double"
    ):
        fitted(LowLevelCallable(function))
