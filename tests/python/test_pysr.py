"""What PySR's users look for: its parameters, and the examples of its documentation."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy

import balmer
from balmer._pysr import DIFFERENT, GROUPS, SAME

ROOT = Path(__file__).resolve().parents[2]
OURS = set(inspect.signature(balmer.SymbolicRegressor).parameters)
THEIRS = [name for names in GROUPS.values() for name in names.split()]


# ---- parameters -------------------------------------------------------------------------------------------


def test_the_table_has_every_parameter_once():
    assert len(THEIRS) == len(set(THEIRS)) == 108
    assert set(DIFFERENT) <= set(THEIRS)
    assert set(SAME) <= set(THEIRS) & OURS


@pytest.mark.parametrize("name", sorted(set(THEIRS) - set(DIFFERENT)))
def test_what_is_the_same_is_a_parameter(name):
    assert name in OURS


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_what_is_different_raises_an_error_that_says_what_to_do(name):
    if name in OURS:
        pytest.fail(f"{name} is a parameter now: take it out of balmer._pysr.DIFFERENT")
    kind, note = DIFFERENT[name]
    assert kind in ("better", "not needed", "missing")
    with pytest.raises(TypeError, match=f"has no parameter '{name}', which PySR has.*: ") as error:
        balmer.SymbolicRegressor(**{name: 1})
    assert note in str(error.value)


def test_the_page_is_that_of_the_table():
    command = [sys.executable, ROOT / "docs/make_pysr.py", "--print"]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert page == (ROOT / "docs/pysr.md").read_text(), "run python docs/make_pysr.py"


# ---- the examples of its documentation --------------------------------------------------------------------


def fitted(X, y, fit=None, **params):
    defaults = {"random_state": 0, "verbosity": 0, "timeout_in_seconds": 120}
    return balmer.SymbolicRegressor(**{**defaults, **params}).fit(X, y, **(fit or {}))


def check_law(model, X, y, atol=1e-6):
    np.testing.assert_allclose(model.predict(X), y, atol=atol)


def test_simple_search():
    X = 2 * np.random.default_rng(0).normal(size=(100, 5))
    y = 2 * np.cos(X[:, 3]) + X[:, 0] ** 2 - 2
    check_law(fitted(X, y, binary_operators=["+", "-", "*", "/"], unary_operators=["cos"]), X, y)


def test_custom_operator():
    X = 2 * np.random.default_rng(1).normal(size=(100, 5))
    y = 1 / X[:, 0]
    model = fitted(X, y, binary_operators=["+", "*"], unary_operators=["inv(x) = 1/x"])
    check_law(model, X, y)
    assert abs(sympy.simplify(model.sympy() * sympy.Symbol("x0")) - 1) < 1e-9


@pytest.mark.slow
def test_multiple_outputs():
    X = 2 * np.random.default_rng(2).normal(size=(100, 5))
    y = 1 / X[:, [0, 1, 2]]
    model = fitted(X, y, binary_operators=["+", "*"], unary_operators=["inv(x) = 1/x"])
    check_law(model, X, y)
    assert len(model.equations_) == 3


@pytest.mark.slow
def test_plotting_an_expression_as_latex():
    X = 2 * np.random.default_rng(3).normal(size=(100, 5))
    y = np.cos(X[:, 0]) * 2.5
    model = fitted(X, y, binary_operators=["+", "*"], unary_operators=["cos"])
    assert model.latex() in (r"2.5 \cdot \cos\left(x_{0}\right)", r"\cos\left(x_{0}\right) \cdot 2.5")
    assert r"\begin{tabular}" in model.latex_table()


@pytest.mark.slow
def test_feature_selection():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 30))
    y = X[:, 0] ** 2 + 2.0 * X[:, 5]
    model = fitted(X, y, select_k_features=5, binary_operators=["+", "-", "*", "/"])
    assert model.selection_mask_.sum() == 5
    assert model.selection_mask_[[0, 5]].all()
    check_law(model, X, y)
    assert {s.name for s in model.sympy().free_symbols} == {"x0", "x5"}


@pytest.mark.slow
def test_denoising():
    rng = np.random.default_rng(5)
    X = rng.uniform(-3, 3, size=(120, 2))
    clean = np.sin(X[:, 0]) + 0.5 * X[:, 1]
    y = clean + 0.2 * rng.normal(size=120)
    model = fitted(X, y, denoise=True, unary_operators=["sin"], maxsize=12, niterations=20)
    assert np.sqrt(np.mean((model.predict(X) - clean) ** 2)) < 0.08
    grid = rng.uniform(-3, 3, size=(300, 2))
    again = fitted(
        X, y, {"Xresampled": grid}, denoise=True, unary_operators=["sin"], maxsize=12, niterations=20
    )
    truth = np.sin(grid[:, 0]) + 0.5 * grid[:, 1]
    assert np.sqrt(np.mean((again.predict(grid) - truth) ** 2)) < 0.12


def test_julia_one_liners_and_dotted_numbers():
    X = np.random.default_rng(6).normal(size=(100, 2))
    y = np.cos(X[:, 0]) * (X[:, 0] + 1.5 * X[:, 1])
    model = fitted(X, y, binary_operators=["+", "*", "special(x, y) = cos(x) * (x + 1.5f0 * y)"])
    check_law(model, X, y)


@pytest.mark.slow
def test_custom_objective():
    """A loss of whole arrays: the correlation, which scale and offset do not change."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(80, 2))
    y = X[:, 0] * X[:, 1] + X[:, 0]

    def uncorrelated(y_pred, y):
        spread = np.std(y_pred)
        return 1.0 if spread < 1e-9 else 1 - np.corrcoef(y_pred, y)[0, 1] ** 2

    model = fitted(
        X,
        y,
        loss_function=uncorrelated,
        binary_operators=["+", "*"],
        populations=6,
        niterations=10,
        ncycles_per_iteration=60,
        early_stop_condition=1e-8,
        model_selection="accuracy",
    )
    assert np.corrcoef(model.predict(X), y)[0, 1] ** 2 > 1 - 1e-6


def test_a_rational_form():
    X = np.random.default_rng(8).normal(size=(100, 2))
    y = (X[:, 0] ** 2 + 1) / (X[:, 1] ** 2 + 2)
    check_law(fitted(X, y, binary_operators=["+", "-", "*", "/"]), X, y)


def test_an_operator_that_sees_one_variable():
    rng = np.random.default_rng(9)
    X = rng.uniform(0.5, 2, size=(100, 2))
    y = 2 * np.sin(X[:, 1]) + X[:, 0]
    model = fitted(
        X, y, {"variable_names": ["a", "t"]}, unary_operators=["sin"], operator_variables={"sin": ["t"]}
    )
    check_law(model, X, y)
    other = fitted(
        X,
        np.sin(X[:, 0]) + X[:, 1],
        {"variable_names": ["a", "t"]},
        unary_operators=["sin"],
        operator_variables={"sin": ["t"]},
        niterations=5,
    )
    for row in other.fronts_[0]:
        for call in row.expression.sympy().atoms(sympy.sin):
            assert not call.has(sympy.Symbol("a"))
    with pytest.raises(ValueError, match="operator_variables: 'sin' has 'b', but the variables are a, t"):
        fitted(
            X, y, {"variable_names": ["a", "t"]}, unary_operators=["sin"], operator_variables={"sin": ["b"]}
        )


def test_constants_with_names():
    rng = np.random.default_rng(10)
    X = rng.uniform(0.5, 2, size=(60, 2))
    y = X[:, 0] + 9.81 * X[:, 1] ** 2
    model = fitted(X, y, {"variable_names": ["h", "t"]}, named_constants={"g": (9.81, 1)})
    check_law(model, X, y)
    free = fitted(
        X, y, {"variable_names": ["h", "t"]}, named_constants={"g": (9.81, 0)}, complexity_of_constants=4
    )
    law = free.fronts_[0][-1]
    assert {s.name for s in law.expression.sympy().free_symbols} == {"h", "t", "g"}
    assert law.expression.named_constants == {"g": 9.81}
    assert law.complexity == 6  # h + g * t * t, g for nothing
    np.testing.assert_allclose(law.expression(X), y, rtol=1e-12)
    np.testing.assert_allclose(law.expression.numeric()(X), y, rtol=1e-12)
    for given, message in [
        ({"h": 1.0}, "a column of X has that name"),
        ({"g": "big"}, "give a number"),
        ({"g": np.inf}, "give a finite number"),
        ({"g": (9.81, -1)}, "at least 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            fitted(X, y, {"variable_names": ["h", "t"]}, named_constants=given)
