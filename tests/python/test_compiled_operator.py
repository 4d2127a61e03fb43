"""Operators that a compiler made: what the same operators as text give, without Python."""

from __future__ import annotations

import copy
import ctypes
import importlib.util
import math
import pickle
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy import LowLevelCallable
from sklearn.base import clone

import balmer
from balmer import CompiledOperator, _core
from balmer.export import source
from balmer.expression import Expression
from compiling import shared_library

RNG = np.random.default_rng(5)
X = RNG.uniform(0.5, 2, size=(1000, 2))

SOURCE = r"""
#include <math.h>
#include <stddef.h>
void bell(double *out, const double *a, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = exp(-a[i] * a[i]);
}
void bell_slope(double *out, const double *a, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = -2 * a[i] * exp(-a[i] * a[i]);
}
void ratio(double *out, const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = a[i] / (a[i] + b[i]);
}
void ratio_by_a(double *out, const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = b[i] / ((a[i] + b[i]) * (a[i] + b[i]));
}
void ratio_by_b(double *out, const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = -a[i] / ((a[i] + b[i]) * (a[i] + b[i]));
}
void scaled(double *out, double *a, size_t n, void *factor) {
    for (size_t i = 0; i < n; ++i) out[i] = *(double *)factor * a[i];
}
void logarithm(double *out, double *a, size_t n) {
    for (size_t i = 0; i < n; ++i) out[i] = log(a[i]);
}
"""
AS_TEXT = {"bell": "bell(x) = exp(-(x * x))", "ratio": "ratio(x, y) = x / (x + y)"}
POINTER = ctypes.POINTER(ctypes.c_double)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return shared_library(tmp_path_factory.mktemp("operators"), SOURCE, "-ffp-contract=off")


def callable_of(library, name, n_arrays=2, *more, user_data=None):
    function = getattr(library, name)
    function.restype, function.argtypes = None, [*[POINTER] * n_arrays, ctypes.c_size_t, *more]
    return LowLevelCallable(function, user_data)


@pytest.fixture(scope="module")
def bell(library):
    return CompiledOperator("bell", callable_of(library, "bell"))


@pytest.fixture(scope="module")
def ratio(library):
    slopes = callable_of(library, "ratio_by_a", 3), callable_of(library, "ratio_by_b", 3)
    return CompiledOperator("ratio", callable_of(library, "ratio", 3), slopes)


def formula(text, *operators):
    """Read a formula with compiled operators, or with the same as text."""
    texts = [op for op in operators if isinstance(op, str)]
    compiled = [op.core for op in operators if not isinstance(op, str)]
    return Expression(_core.Expression.parse(text, ["x0", "x1"], _core.OperatorSet(texts, compiled)))


FORMULAS = ["bell(x0)", "2.5 * bell(x0 - x1) + ratio(x1, 3)", "ratio(bell(x0), x1 + ratio(x0, bell(2)))"]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-15), ("float32", 2e-6)])
def test_values_are_those_of_the_formula(bell, ratio, text, dtype, tolerance):
    ours, same = formula(text, bell, ratio), formula(text, *AS_TEXT.values())
    for rows in (X, X[:1], X[:17]):
        values = balmer.evaluate([ours], rows, dtype=dtype, n_threads=2)
        np.testing.assert_allclose(values, balmer.evaluate([same], rows, dtype=dtype), rtol=4 * tolerance)


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("own_slope", [True, False], ids=["derivative given", "by differences"])
def test_derivatives_are_those_of_the_formula(library, bell, ratio, text, own_slope):
    slope = (callable_of(library, "bell_slope"),)
    ours = formula(text, CompiledOperator("bell", bell.function, slope) if own_slope else bell, ratio)
    same = formula(text, *AS_TEXT.values())
    tolerance = 1e-13 if own_slope else 2e-8
    for derivatives in (Expression.gradient, Expression.jacobian):
        np.testing.assert_allclose(derivatives(ours, X), derivatives(same, X), rtol=tolerance, atol=tolerance)


def test_a_difference_does_not_leave_the_domain(library):
    at_the_edge = np.array([[1e-6], [2.0]])
    logarithm = CompiledOperator("logarithm", callable_of(library, "logarithm"))
    core = _core.Expression.parse("logarithm(x0)", ["x0"], _core.OperatorSet([], [logarithm.core]))
    slopes = Expression(core).gradient(at_the_edge)[:, 0]
    assert np.isfinite(slopes).all()
    assert slopes[1] == pytest.approx(0.5, rel=1e-9)


def test_a_text_operator_may_use_a_compiled_one(bell):
    ours = formula("twice(x0)", bell, "twice(x) = 2 * bell(x)")
    np.testing.assert_allclose(ours(X), 2 * np.exp(-(X[:, 0] ** 2)), rtol=1e-15)
    assert ours._formula.compiled == ["bell"]
    assert ours._formula.definitions == []


ROWS = RNG.uniform(-3, 3, size=(100, 2))
LAW = 3 * np.exp(-(ROWS[:, 0] ** 2)) + ROWS[:, 1]


def search(operators, **params):
    defaults = {"niterations": 20, "populations": 4, "random_state": 0}
    model = balmer.SymbolicRegressor(unary_operators=operators, verbosity=0, **{**defaults, **params})
    return model.fit(ROWS, LAW)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_finds_a_law_with_a_compiled_operator(bell, n_jobs):
    model = search([bell], n_jobs=n_jobs)
    assert "bell(x0)" in model.equations_.equation.iloc[-1]
    np.testing.assert_allclose(model.predict(ROWS, -1), LAW, atol=1e-9)
    again = clone(model).fit(ROWS, LAW)
    assert again.unary_operators == [bell]
    assert copy.deepcopy(model).equations_.equation.tolist() == model.equations_.equation.tolist()
    x0, x1 = sympy.symbols("x0 x1")
    law = model.sympy(-1)
    assert law.has(sympy.Function("bell")(x0))
    assert law.free_symbols == {x0, x1}


def test_exponents_and_compiled_operators_go_together(bell):
    model = search([bell], binary_operators=["+", "*", "^"], exponents=[2, 3])
    np.testing.assert_allclose(model.predict(ROWS, -1), LAW, atol=1e-9)


def test_user_data_arrive(library):
    factor = ctypes.c_double(1000)
    data = ctypes.cast(ctypes.pointer(factor), ctypes.c_void_p)
    scaled = CompiledOperator("scaled", callable_of(library, "scaled", 2, ctypes.c_void_p, user_data=data))
    np.testing.assert_array_equal(formula("scaled(x0)", scaled)(X), 1000 * X[:, 0])


def test_numba_functions_are_operators():
    numba = pytest.importorskip("numba")
    double = numba.types.CPointer(numba.types.double)

    @numba.cfunc(numba.types.void(double, double, numba.types.uintp))
    def bell(out, a, n):
        for i in range(n):
            out[i] = math.exp(-a[i] * a[i])

    ours = formula("bell(x0) + x1", CompiledOperator("bell", LowLevelCallable(bell.ctypes)))
    np.testing.assert_allclose(ours(X), np.exp(-(X[:, 0] ** 2)) + X[:, 1], rtol=1e-15)


CYTHON = """
# cython: language_level=3
from libc.math cimport exp

cdef api void bell(double *out, const double *a, size_t n) noexcept nogil:
    cdef size_t i
    for i in range(n):
        out[i] = exp(-a[i] * a[i])
"""


def test_cython_functions_are_operators(tmp_path):
    pytest.importorskip("Cython")
    if shutil.which("cc") is None or not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("needs a C compiler and Python.h")
    (tmp_path / "bells.pyx").write_text(CYTHON)
    subprocess.run([sys.executable, "-m", "cython", "bells.pyx"], cwd=tmp_path, check=True)
    target = tmp_path / f"bells{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_path("include")
    command = ["cc", "-O1", "-shared", "-fPIC", f"-I{include}", "bells.c", "-o", str(target), "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    spec = importlib.util.spec_from_file_location("bells", target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ours = formula("bell(x0) + x1", CompiledOperator("bell", LowLevelCallable.from_cython(module, "bell")))
    np.testing.assert_allclose(ours(X), np.exp(-(X[:, 0] ** 2)) + X[:, 1], rtol=1e-15)


def test_what_has_no_formula_says_so(bell, tmp_path):
    ours = formula("bell(x0)", bell)
    with pytest.raises(TypeError, match=r"'bell' is compiled code, which a file cannot hold"):
        pickle.dumps(ours)
    with pytest.raises(ValueError, match=r"'bell' is compiled code, which has no formula"):
        source(ours, "c")
    with pytest.raises(TypeError, match="'bell' is compiled code"):
        search([bell]).save(tmp_path / "model.json")
    pickle.dumps(formula("x0 + 1", bell))  # does not use it


def test_mistakes_are_named(library, bell, ratio):
    with pytest.raises(TypeError, match=r"wrap compiled code in a scipy.LowLevelCallable"):
        CompiledOperator("f", math.exp)
    with pytest.raises(ValueError, match=r"unary_operators: 'ratio' takes 2 operands, not 1"):
        search([ratio])
    with pytest.raises(ValueError, match="operator 'bell' is defined twice"):
        search([bell, AS_TEXT["bell"]])
    with pytest.raises(ValueError, match="1 derivatives: give one for each of its 2 operands, or none"):
        search([], binary_operators=[CompiledOperator("ratio", ratio.function, ratio.derivatives[:1])])
    with pytest.raises(ValueError, match="needs a name of letters"):
        search([CompiledOperator("2bell", bell.function)])
    function = library.bell_slope
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double]
    with pytest.raises(ValueError, match=r"signature 'double \(double\)': write it as 'void \(double \*out"):
        search([CompiledOperator("slope", LowLevelCallable(function))])
