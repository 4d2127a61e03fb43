"""Formulas of a given structure: what is found, what is shown, and what goes on working."""

from __future__ import annotations

import ctypes
import pickle
import re

import numpy as np
import pytest
import sympy
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import balmer
from balmer import SymbolicRegressor, TemplateExpressionSpec
from balmer.export import numpy_function, source
from compiling import shared_library

RNG = np.random.default_rng(11)
X = RNG.uniform(0.5, 2, size=(120, 3))
TWO_PARTS = TemplateExpressionSpec(
    "sin(f(x1, x2)) + g(x3)^2", expressions=["f", "g"], variable_names=["x1", "x2", "x3"]
)
TWO_PARTS_LAW = np.sin(X[:, 0] * X[:, 1]) + (X[:, 2] + 1.5) ** 2

CLASSES = np.column_stack([X[:, 0], np.arange(120) % 3 + 1])
BY_CLASS = TemplateExpressionSpec(
    combine="p[class] * f(x) + q[1]",
    expressions=["f"],
    variable_names=["x", "class"],
    parameters={"p": 3, "q": 1},
)
P = np.array([1.5, -2.0, 0.75])
BY_CLASS_LAW = P[CLASSES[:, 1].astype(int) - 1] * np.sin(1.3 * CLASSES[:, 0]) + 0.25


def model(spec, **params):
    defaults = {
        "binary_operators": ["+", "-", "*"],
        "unary_operators": ["sin", "exp"],
        "niterations": 30,
        "populations": 4,
        "ncycles_per_iteration": 100,
        "maxsize": 14,
        "random_state": 0,
        "verbosity": 0,
    }
    return SymbolicRegressor(expression_spec=spec, **{**defaults, **params})


@pytest.fixture(scope="module")
def two_parts():
    return model(TWO_PARTS).fit(X, TWO_PARTS_LAW)


@pytest.fixture(scope="module")
def by_class():
    return model(BY_CLASS, maxsize=8).fit(CLASSES, BY_CLASS_LAW)


def front_of(fitted):
    return [(row.complexity, row.loss, str(row.expression), str(row.parts)) for row in fitted.fronts_[0]]


# ---- laws -------------------------------------------------------------------------------------------------


def test_the_parts_of_a_law_are_found(two_parts):
    x1, x2, x3 = sympy.symbols("x1 x2 x3")
    assert sympy.expand(two_parts.sympy() - sympy.sin(x1 * x2) - (x3 + sympy.Rational(3, 2)) ** 2) == 0
    best = two_parts.get_best()
    assert best.complexity == 6
    assert set(best.parts.split("; ")) <= {"f = #1 * #2", "f = #2 * #1", *(f"g = {g}" for g in _squares())}
    np.testing.assert_allclose(two_parts.predict(X), TWO_PARTS_LAW, rtol=1e-12)


def _squares():
    return ["#1 + 1.5", "1.5 + #1", "-1.5 - #1", "#1 - -1.5"]


def test_a_constant_of_a_part_that_is_called_twice_is_one_unknown():
    spec = TemplateExpressionSpec("f(a) - f(b)", expressions=["f"], variable_names=["a", "b"])
    y = np.exp(0.7 * X[:, 0]) - np.exp(0.7 * X[:, 1]) + 1e-3 * RNG.normal(size=len(X))
    found = model(spec, niterations=5, guesses=[{"f": "exp(#1 * 0.6)"}]).fit(X[:, :2], y)
    place = next(i for i, row in enumerate(found.fronts_[0]) if row.complexity == 4)
    row = found.fronts_[0][place]
    assert row.expression.constants[0] == row.expression.constants[1] != 0.6
    assert row.standard_errors[0] == row.standard_errors[1]
    # As one unknown of ordinary least squares.
    slope = row.expression.jacobian(X[:, :2]).sum(axis=1)
    residuals = y - found.predict(X[:, :2], index=place)
    error = np.sqrt(residuals @ residuals / (len(X) - 1) / (slope @ slope))
    assert row.standard_errors[0] == pytest.approx(error, rel=1e-6)
    _, std = found.predict(X[:, :2], index=place, return_std=True)
    noise = residuals @ residuals / (len(X) - 1)
    np.testing.assert_allclose(std, np.sqrt(noise + (slope * error) ** 2), rtol=1e-6)


def test_parameters_of_categories_are_found(by_class):
    parts = by_class.fronts_[0][by_class.fronts_[0].select("dl")].parts
    np.testing.assert_allclose(np.abs(parts["p"]), np.abs(P), rtol=1e-8)
    np.testing.assert_allclose(parts["q"], [0.25], rtol=1e-8)
    assert by_class.categories_ == {1: 3}
    np.testing.assert_allclose(by_class.predict(CLASSES), BY_CLASS_LAW, rtol=1e-9)


def test_the_derivative_of_a_part():
    spec = TemplateExpressionSpec("df = D(f, 1); df(x) + f(x)", expressions=["f"], variable_names=["x"])
    x = X[:, :1]
    found = model(spec).fit(x, 3 * x[:, 0] ** 2 + x[:, 0] ** 3)
    assert sympy.expand(found.sympy()) == sympy.sympify("3*x**2 + x**3")
    assert sympy.expand(sympy.sympify(found.get_best().parts.removeprefix("f = ").replace("#1", "x"))) == (
        sympy.Symbol("x") ** 3
    )


def test_parameters_as_arguments_of_a_part():
    """What ParametricExpressionSpec of PySR 1 is for: numbers of a formula that depend on the category."""
    spec = TemplateExpressionSpec(
        "f(x, p1[class])", expressions=["f"], variable_names=["x", "class"], parameters={"p1": 3}
    )
    y = np.exp(P[CLASSES[:, 1].astype(int) - 1] * CLASSES[:, 0]) + CLASSES[:, 0]
    found = model(spec, maxsize=8).fit(CLASSES, y)
    np.testing.assert_allclose(found.predict(CLASSES), y, atol=1e-6)


# ---- what is shown ----------------------------------------------------------------------------------------


def test_the_front_has_parts_and_composed_formulas(two_parts):
    frame = two_parts.equations_
    row = frame.iloc[-1]
    assert row.equation.startswith("sin(")
    assert row.parts.startswith("f = ")
    assert "; g = " in row.parts
    assert row.parts in str(two_parts).replace("  ", " ") or "f = #" in str(two_parts)
    assert "x_{3}" in two_parts.latex()
    assert "\\sin" in two_parts.latex_table()
    assert "sin" in two_parts._repr_html_()


def test_parameters_are_shown(by_class):
    assert "p = [" in by_class.equations_.iloc[-1].parts
    assert "q = [" in str(by_class)


def test_exported_formulas_have_the_same_values(by_class):
    expected = by_class.predict(CLASSES)
    np.testing.assert_allclose(numpy_function(by_class.expression())(CLASSES), expected, rtol=1e-12)
    lambdified = sympy.lambdify(sympy.symbols("x class"), by_class.sympy(), "numpy")
    np.testing.assert_allclose(lambdified(*CLASSES.T), expected, rtol=1e-12)


def test_the_torch_module_has_the_same_values(by_class):
    torch = pytest.importorskip("torch")
    module = by_class.pytorch()
    values = module(torch.tensor(CLASSES, dtype=torch.float64)).detach().numpy()
    np.testing.assert_allclose(values, by_class.predict(CLASSES), rtol=1e-12)


def test_the_source_in_c_has_the_same_values(by_class, tmp_path):
    law = shared_library(tmp_path, source(by_class.expression(), "c", name="law")).law
    law.restype = ctypes.c_double
    values = [law(*map(ctypes.c_double, row)) for row in CLASSES[:20]]
    np.testing.assert_allclose(values, by_class.predict(CLASSES[:20]), rtol=1e-12)


# ---- what goes on working ---------------------------------------------------------------------------------


def test_the_front_is_the_same_with_any_number_of_threads():
    fronts = [
        front_of(model(BY_CLASS, niterations=2, n_jobs=n_jobs).fit(CLASSES, np.tanh(BY_CLASS_LAW)))
        for n_jobs in (1, 2, 3)
    ]
    assert fronts[0] == fronts[1] == fronts[2]


def test_models_are_saved_pickled_and_cloned(by_class, tmp_path):
    by_class.save(tmp_path / "model.json")
    for copy in (SymbolicRegressor.load(tmp_path / "model.json"), pickle.loads(pickle.dumps(by_class))):
        assert front_of(copy) == front_of(by_class)
        assert copy.expression_spec == BY_CLASS
        np.testing.assert_array_equal(copy.predict(CLASSES), by_class.predict(CLASSES))
    assert clone(by_class).expression_spec == BY_CLASS


def test_an_interrupted_fit_goes_on_to_the_same_front(tmp_path):
    y = np.tanh(TWO_PARTS_LAW)
    whole = model(TWO_PARTS, niterations=4).fit(X, y)
    model(TWO_PARTS, niterations=2, output_directory=tmp_path, run_id="a", checkpoint_interval=0).fit(X, y)
    loaded = SymbolicRegressor.load(tmp_path / "a", warm_start=True, output_directory=None, run_id=None)
    assert front_of(loaded.fit(X, y)) == front_of(whole)


def test_a_warm_start_with_other_data_begins_from_the_parts(two_parts):
    other = pickle.loads(pickle.dumps(two_parts)).set_params(warm_start=True, niterations=0)
    shifted = np.sin(X[:, 0] * X[:, 1]) + (X[:, 2] + 2.5) ** 2
    np.testing.assert_allclose(other.fit(X, shifted).predict(X), shifted, rtol=1e-9)


def test_constants_of_the_parts_are_fitted_to_other_data(by_class):
    copy = pickle.loads(pickle.dumps(by_class))
    other = (2 * P)[CLASSES[:, 1].astype(int) - 1] * np.sin(1.1 * CLASSES[:, 0]) - 4
    np.testing.assert_allclose(copy.refit(CLASSES, other).predict(CLASSES), other, rtol=1e-8)


def test_guesses_are_given_by_part():
    guess = {"f": "1 * #1 * #2", "g": "#1 + 1"}
    found = model(TWO_PARTS, niterations=0, guesses=[guess]).fit(X, TWO_PARTS_LAW)
    assert len(found.fronts_[0]) == 1
    np.testing.assert_allclose(found.predict(X), TWO_PARTS_LAW, rtol=1e-9)
    found = model(BY_CLASS, niterations=0, guesses=[{"f": "sin(#1)", "p": [1, -1, 1]}]).fit(
        CLASSES, P[CLASSES[:, 1].astype(int) - 1] * np.sin(CLASSES[:, 0])
    )
    np.testing.assert_allclose(found.fronts_[0][0].parts["p"], P, rtol=1e-9)


@pytest.mark.parametrize(
    "params",
    [
        {"elementwise_loss": "HuberLoss(0.5)"},
        {"loss_function": lambda y_pred, y: float(np.mean((y_pred - y) ** 2)), "niterations": 1},
        {"precision": 32},
        {"batching": True, "batch_size": 50},
        {"model_selection": "cv", "cv_folds": 3},
        {"preset": "pysr"},
        {"exponents": [2, 3], "binary_operators": ["+", "*", "^"]},
        {"named_constants": {"k": 9.81}, "niterations": 2},
        {"complexity_of_constants": 2, "maxdepth": 4, "constraints": {"sin": 3}},
    ],
    ids=lambda params: next(iter(params)),
)
def test_other_parameters_go_with_a_template(params):
    guess = {"f": "#1 * #2", "g": "#1 + 1"}
    found = model(TWO_PARTS, **{"niterations": 3, "guesses": [guess], **params}).fit(X, TWO_PARTS_LAW)
    np.testing.assert_allclose(found.predict(X), TWO_PARTS_LAW, atol=1e-3)


def test_weights_and_several_targets_go_with_a_template():
    weights = np.ones(len(X))
    weights[:10] = 0
    y = np.column_stack([TWO_PARTS_LAW, 2 * TWO_PARTS_LAW])
    y[:10] = 1e3
    found = model(TWO_PARTS).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(found.predict(X)[10:, 0], TWO_PARTS_LAW[10:], rtol=1e-9)
    assert len(found.equations_) == 2


def test_a_template_in_a_pipeline_and_over_a_frame():
    pd = pytest.importorskip("pandas")
    spec = TemplateExpressionSpec("f(mass) + g(speed)", expressions=["f", "g"])
    frame = pd.DataFrame(X[:, :2], columns=["mass", "speed"])
    y = X[:, 0] ** 2 + np.sin(X[:, 1])
    pipeline = make_pipeline(FunctionTransformer(), model(spec)).fit(frame, y)
    np.testing.assert_allclose(pipeline.predict(frame), y, rtol=1e-8)
    assert {str(s) for s in pipeline[-1].sympy().free_symbols} == {"mass", "speed"}


# ---- what is wrong ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (("f(a) + h(b)", ["f"]), "unknown name 'h' at position 7"),
        (("f(a, b) + f(b)", ["f"]), "takes 1 arguments here, but 2 before"),
        (("f(a) + z", ["f"]), "unknown name 'z'"),
        (("f(a) + ", ["f"]), "ends where an operand is expected"),
        (("f(a)", ["f", "g"]), "the part 'g' is not called"),
        (("f(a)", []), "has no parts"),
        (("f(a) + p[3]", ["f"], ["a", "b"], {"p": 2}), "'3' is no parameter of 'p'"),
        (("f(a)", ["f"], ["a"]), "has 1 names, but X has 2 columns"),
    ],
)
def test_templates_that_make_no_sense_are_refused(spec, text):
    combine, expressions, *rest = spec
    names = rest[0] if rest else ["a", "b"]
    template = TemplateExpressionSpec(combine, expressions, names, rest[1] if len(rest) > 1 else None)
    with pytest.raises(ValueError, match=re.escape(text)):
        model(template).fit(X[:, :2], X[:, 0], variable_names=["a", "b"])


def test_values_of_the_wrong_kind_are_refused():
    with pytest.raises(TypeError, match="combine is 3: give a formula as text"):
        TemplateExpressionSpec(3, ["f"])
    with pytest.raises(TypeError, match="expressions is 'f': give a list of names"):
        TemplateExpressionSpec("f(x)", "f")
    with pytest.raises(ValueError, match="parameters has 'p' = 0: give how many numbers"):
        TemplateExpressionSpec("f(x) + p[1]", ["f"], parameters={"p": 0})
    with pytest.raises(TypeError, match="expression_spec is 'f': give a TemplateExpressionSpec"):
        model("f").fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("guess", "kind", "text"),
    [
        ("#1", TypeError, "give a dict such as"),
        ({"f": "#1 * #2"}, ValueError, "lacks the part 'g'"),
        ({"f": "#1", "g": "#1", "h": "#1"}, ValueError, "has 'h', but the template consists of f, g"),
        ({"f": "#3", "g": "#1"}, ValueError, "unknown name '#3'"),
    ],
)
def test_guesses_that_do_not_fit_the_template_are_refused(guess, kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        model(TWO_PARTS, guesses=[guess]).fit(X, TWO_PARTS_LAW)


def test_names_in_another_order_are_refused():
    spec = TemplateExpressionSpec("f(a) + b", expressions=["f"], variable_names=["a", "b"])
    with pytest.raises(ValueError, match="is a, b, but the columns of X are b, a"):
        model(spec).fit(X[:, :2], X[:, 0], variable_names=["b", "a"])


def test_units_are_refused():
    with pytest.raises(ValueError, match="the parts of a template have no units yet"):
        model(TWO_PARTS).fit(X, TWO_PARTS_LAW, X_units=["m", "m", "m"])


def test_categories_without_parameters_are_refused(by_class):
    wrong = CLASSES.copy()
    wrong[3, 1] = 4
    with pytest.raises(ValueError, match="'class', by which the template looks up parameters, is 4 in a row"):
        model(BY_CLASS).fit(wrong, BY_CLASS_LAW)
    with pytest.raises(ValueError, match=r"column 'class' of X is 4 in a row.*categories 1 to 3"):
        by_class.predict(wrong)


def test_the_name_is_public():
    assert balmer.TemplateExpressionSpec is TemplateExpressionSpec
