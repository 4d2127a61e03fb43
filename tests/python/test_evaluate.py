"""Values and derivatives against NumPy, mpmath and central differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import balmer
import oracle
from strategies import expressions, matrices

pytestmark = pytest.mark.core

EPS = np.finfo(np.float64).eps
OPERATORS = balmer.operators()


def operands(info: balmer.OperatorInfo, rng: np.random.Generator, n: int = 60) -> np.ndarray:
    """Points of all magnitudes where the operator is real, and its borders."""
    low, high = info.low, info.high
    wide = rng.uniform(-1, 1, n) * 10.0 ** rng.uniform(-8, 3, n)
    near = rng.uniform(-3, 3, n)
    a = np.concatenate([wide, near, [0.5, 1.0, 2.0, -0.5, -1.0, 3.0]])
    if np.isfinite(low) or np.isfinite(high):
        a = np.where((a < low) | (a > high), np.clip(np.abs(a), low, high), a)
    columns = [a, *(rng.permutation(np.concatenate([near, wide, a[-6:]])) for _ in range(info.arity - 1))]
    return np.column_stack(columns)


@pytest.mark.parametrize("info", OPERATORS, ids=lambda info: info.name)
def test_kernel_is_the_function_that_sympy_reads(info):
    X = operands(info, np.random.default_rng(5))
    truth = oracle.true_values(info, X)
    value = oracle.parsed(info)(X)
    finite = np.isfinite(truth) & (np.abs(truth) < 1e300)
    assert finite.sum() > len(X) / 3
    limit = oracle.ULP_HARD if info.name in oracle.HARD else oracle.ULP
    error = oracle.ulps(value[finite], truth[finite])
    worst = np.argmax(error)
    assert error[worst] <= limit, (
        f"{info.name}{tuple(X[finite][worst])}: {error[worst]:.1f} units in the last place"
    )


@pytest.mark.parametrize("info", [i for i in OPERATORS if i.arity == 1], ids=lambda info: info.name)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e308, -1e308])
def test_special_values(info, value):
    result = oracle.parsed(info)([[value]])[0]
    if np.isnan(value) or not info.low <= value <= info.high:
        assert np.isnan(result)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("log(-1)", np.nan),
        ("1 / 0", np.inf),
        ("-1 / 0", -np.inf),
        ("0 / 0", np.nan),
        ("sqrt(-4)", np.nan),
        ("exp(800)", np.inf),
        ("cond(0, 1 / 0)", 0.0),
        ("min(2, 3) + max(2, 3)", 5.0),
        ("(-8) ^ 2", 64.0),
        ("cbrt(-8)", -2.0),
        ("-7 % 3", 2.0),
        ("2 > 1 ? 5 : 6", 5.0),
    ],
)
def test_known_values(text, value):
    result = balmer.parse(f"{text} + 0 * x0")([[1.0]])[0]
    assert result == pytest.approx(value, nan_ok=True)


@given(expressions(), matrices())
def test_float32_is_float64_with_less_precision(e, X):
    # A constant that single precision does not hold is another number there: mod(-1e-92, 2) is 2, and 0.
    assume(all(c == 0 or 1e-30 < abs(c) < 1e30 for c in e.constants))
    double = balmer.evaluate([e], X)[0]
    single = balmer.evaluate([e], X, dtype="float32")
    assert single.dtype == np.float32
    assert single.shape == (1, len(X))
    moved = balmer.evaluate([e], X * (1 + 1e-6))[0]
    nearby = np.where(e.constants == 0, 1e-6, e.constants * (1 + 1e-6))
    nudged = balmer.evaluate([e.with_constants(nearby)], X)[0]
    with np.errstate(all="ignore"):
        # Only where the formula is well-conditioned: there single precision must agree to a few of its own
        # units.
        stable = np.isfinite(double) & (np.abs(double) < 1e30) & (np.abs(double) > 1e-30)
        for other in (moved, nudged):
            stable &= np.abs(other - double) <= 1e-5 * np.abs(double)
        close = np.abs(single[0][stable] - double[stable]) <= 1e-2 * np.abs(double[stable])
    assert close.mean() >= 0.5 if stable.any() else True


@given(st.lists(expressions(), max_size=5), matrices(), st.integers(1, 4))
def test_many_at_once_are_the_same_as_one_by_one(many, X, n_threads):
    values = balmer.evaluate(many, X, n_threads=n_threads)
    assert values.shape == (len(many), len(X))
    for e, row in zip(many, values, strict=True):
        np.testing.assert_array_equal(row, e(X))


@given(expressions(), matrices(max_rows=300))
def test_rows_do_not_know_each_other(e, X):
    together = e(X)
    for i in (0, len(X) // 2, len(X) - 1):
        np.testing.assert_array_equal(e(X[i : i + 1]), together[i : i + 1])


@pytest.mark.parametrize("n_rows", [1, 2, 15, 16, 17, 255, 256, 257, 1000, 5001])
def test_every_number_of_rows(n_rows):
    X = np.random.default_rng(0).normal(size=(n_rows, 2))
    expected = X[:, 0] * 2 + X[:, 1] ** 2 - np.abs(X[:, 0])
    np.testing.assert_allclose(balmer.parse("x0 * 2 + square(x1) - abs(x0)")(X), expected, atol=4 * EPS * 20)


def test_layouts_and_types():
    X = np.random.default_rng(0).normal(size=(50, 3))
    e = balmer.parse("x0 - x1 * x2")
    expected = e(X)
    wide = np.zeros((100, 6))
    wide[::2, ::2] = X
    for same in (np.asfortranarray(X), wide[::2, ::2], X[::-1][::-1], X.astype(">f8"), X.tolist()):
        np.testing.assert_array_equal(e(same), expected)
    integers = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(e(integers), integers[:, 0] - integers[:, 1] * integers[:, 2])
    np.testing.assert_array_equal(e(integers > 4), [0, 0, 0, 0])


def test_the_input_is_left_alone():
    X = np.asfortranarray(np.random.default_rng(0).normal(size=(64, 2)))
    before = X.copy()
    X.flags.writeable = False
    balmer.evaluate([balmer.parse("x0 * x1")], X)
    np.testing.assert_array_equal(X, before)


def test_nothing_to_evaluate():
    assert balmer.evaluate([], np.zeros((5, 2))).shape == (0, 5)
    assert balmer.parse("x0 + 1")(np.zeros((0, 1))).shape == (0,)


@pytest.mark.parametrize(
    ("kwargs", "message"), [({"dtype": "float16"}, "float16"), ({"n_threads": 0}, "n_threads is 0")]
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        balmer.evaluate([balmer.parse("x0")], np.zeros((2, 1)), **kwargs)


def check_derivative(exact: np.ndarray, function, at: np.ndarray) -> None:
    """Compare where two steps agree: elsewhere central differences may not judge."""
    coarse, _ = oracle.differences(function, at, 1e-5)
    fine, doubt = oracle.differences(function, at, 5e-6)
    with np.errstate(all="ignore"):
        scale = np.abs(fine) + 1e-3
        sure = np.isfinite(fine) & (np.abs(coarse - fine) <= 1e-6 * scale) & (doubt <= 1e-2 * scale)
        sure &= (np.abs(fine) < 1e8) & np.isfinite(function(at))[:, None]
        wrong = np.abs(exact - fine) > 1e-4 * scale
    assert not wrong[sure].any()


@given(expressions(smooth=True, constants=st.floats(0.1, 4.0)), matrices(low=0.2, high=3.0))
def test_jacobian_against_central_differences(e, X):
    jacobian = e.jacobian(X)
    assert jacobian.shape == (len(X), len(e.constants))
    if e.constants.size:
        check_derivative(jacobian, lambda c: e.with_constants(c)(X), e.constants)


@given(expressions(smooth=True, constants=st.floats(0.1, 4.0)), matrices(low=0.2, high=3.0, max_rows=8))
def test_gradient_against_central_differences(e, X):
    gradient = e.gradient(X)
    assert gradient.shape == X.shape
    for row, slopes in zip(X, gradient, strict=True):
        check_derivative(slopes[None], lambda x: e(x[None]), row)


def test_the_table_of_operators():
    names = [info.name for info in OPERATORS]
    assert len(names) == len(set(names))
    assert all(info.arity in (1, 2, 3) and info.complexity >= 1 for info in OPERATORS)
    assert balmer.operators() is OPERATORS


def test_isa_is_one_of_those_there_are():
    assert balmer.isa() in balmer.available_isas()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_out_is_written_and_returned(dtype):
    formulas = [balmer.parse(text) for text in ("x0 + 2 * x1", "exp(x0) / x1", "3.0", "x1")]
    X = np.asfortranarray(np.random.default_rng(3).uniform(0.5, 2, (137, 2)), dtype=dtype)
    expected = balmer.evaluate(formulas, X, dtype=dtype)
    whole = np.full((6, 137), -7.0, dtype=dtype)
    out = whole[1:5]
    assert balmer.evaluate(formulas, X, dtype=dtype, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert (whole[[0, 5]] == -7).all()
    empty = np.empty((4, 0), dtype=dtype)
    assert balmer.evaluate(formulas, X[:0], dtype=dtype, out=empty) is empty


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([[0.0] * 5], TypeError, "list"),
        (np.empty((1, 5), dtype=np.float32), ValueError, "float32"),
        (np.empty((5, 1)), ValueError, r"\(5, 1\)"),
        (np.empty((1, 10))[:, ::2], ValueError, "row order"),
    ],
)
def test_an_out_that_does_not_fit_is_refused(out, error, message):
    with pytest.raises(error, match=message):
        balmer.evaluate([balmer.parse("x0")], np.ones((5, 1)), out=out)


def test_an_out_that_is_read_only_or_holds_the_features_is_refused():
    X = np.ones((5, 1), order="F")
    with pytest.raises(ValueError, match="shares memory"):
        balmer.evaluate([balmer.parse("x0")], X, out=X.T)
    out = np.empty((1, 5))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        balmer.evaluate([balmer.parse("x0")], X, out=out)
