"""Bad input to the estimator: every error names the value and the remedy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import balmer

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 3))
Y = X[:, 0] * 2 + 1


def model(**params):
    return balmer.SymbolicRegressor(
        **{
            "niterations": 1,
            "populations": 2,
            "population_size": 20,
            "random_state": 0,
            "verbosity": 0,
            **params,
        }
    )


def with_value(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


def frame(**columns):
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], **columns})


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (with_value(X, (4, 1), np.nan), Y, r"X contains NaN in row 4, column 'x1' \(1 such row\): remove"),
        (with_value(X, (2, 0), np.inf), Y, r"X contains infinite \(inf, inf\) in row 2, column 'x0'"),
        (with_value(X, (2, 0), -np.inf), Y, r"infinite \(-inf, inf\)"),
        (X, with_value(Y, 7, np.nan), "y contains NaN in row 7 .* remove"),
        (X, with_value(Y, 7, np.inf), "y contains infinite .* in row 7"),
        (np.zeros((0, 3)), np.zeros(0), "0 sample"),
        (np.zeros((30, 0)), Y, "0 feature"),
        (X[:1], Y[:1], "1 sample"),
        (X[:, 0], Y, "Reshape your data"),
        (np.zeros((30, 2, 2)), Y, "dim 3"),
        (X, Y[:29], "inconsistent numbers of samples"),
        (X, np.zeros((30, 2, 2)), "dim 3"),
        (frame(c=["iron"] * 30), Y, r"column 'c' of X holds text \('iron' in row 0\): leave the column out"),
        (X, ["iron"] * 30, "iron"),
        (X.astype(complex), Y, "Complex data not supported"),
        (X, Y.astype(complex), "Complex data not supported"),
        (pd.DataFrame(X, columns=["a", "b", "a"]), Y, "'a' stands for two columns, 0 and 2: rename"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_data(data, target, message):
    with pytest.raises(ValueError, match=message):
        model().fit(data, target)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (with_value(np.ones(30), 5, -2.0), r"negative in row 5 \(-2\)"),
        (np.zeros(30), "zero in every row"),
        (np.ones(29), "29 values, but X has 30 rows"),
        (with_value(np.ones(30), 5, np.nan), "sample_weight contains NaN in row 5"),
    ],
)
def test_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "2 names, but X has 3 columns"),
        (["a", "b", "a"], "'a' stands for two columns"),
        (["a", "b", ""], "the name of column 2 is empty"),
        ("abc", "is the text 'abc'"),
    ],
)
def test_names(names, message):
    with pytest.raises(ValueError, match=message):
        model().fit(X, Y, variable_names=names)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"unary_operators": ["sine"]}, "unknown operator 'sine': did you mean 'sin"),
        ({"unary_operators": ["+"]}, "'\\+' takes 2 operands, not 1"),
        ({"binary_operators": ["sin"]}, "'sin' takes 1 operand, not 2"),
        ({"maxsize": 0}, "maxsize"),
        ({"populations": 0}, "populations"),
        ({"population_size": 0}, "population_size"),
        ({"tournament_selection_n": 100}, "tournament_selection_n"),
        ({"tournament_selection_p": 1.5}, "tournament_selection_p"),
        ({"crossover_probability": -0.1}, "crossover_probability"),
        ({"weight_add_node": -1.0}, "add_node"),
        ({"timeout_in_seconds": -1.0}, "timeout_in_seconds"),
        ({"model_selection": "bes"}, "model_selection is 'bes': choose among 'dl', 'bic', 'cv'"),
        ({"guesses": "x0 + 1"}, "give a list"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        model(**params).fit(X, Y)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"constraints": {"*": (1, 2, 3)}}, ValueError, r"'\*' takes 2 operands, but \(1, 2, 3\) limits 3"),
        (
            {"constraints": {"sin": 3}},
            ValueError,
            "constraints: 'sin' is not among the operators of this search",
        ),
        ({"constraints": {"+": "a"}}, TypeError, r"constraints has 'a': give numbers, as in \{\"\^"),
        ({"constraints": [1]}, TypeError, r"constraints is \[1\]: give a dict, as in"),
        ({"nested_constraints": {"+": {"sin": 0}}}, ValueError, "nested_constraints: 'sin' is not among"),
        (
            {"nested_constraints": {"+": {"sine": 0}}},
            ValueError,
            "unknown operator 'sine': did you mean 'sin'",
        ),
        (
            {"nested_constraints": {"+": 3}},
            TypeError,
            r"nested_constraints has '\+': 3: give a dict of dicts",
        ),
        ({"complexity_of_operators": {"sin": 2}}, ValueError, "complexity_of_operators: 'sin' is not among"),
        ({"complexity_of_operators": {"+": "a"}}, TypeError, "complexity_of_operators has 'a': give numbers"),
        ({"complexity_of_variables": [1, 2]}, ValueError, "2 values, but X has 3 columns: give one for each"),
        ({"complexity_of_constants": -1}, ValueError, "complexity of constants is -1; give a finite number"),
        (
            {"elementwise_loss": "L1DistLoss", "loss_function": lambda p, y: 0.0},
            ValueError,
            "the loss is given twice; give either",
        ),
        (
            {"elementwise_loss": "loss(x) = x^2"},
            ValueError,
            "has 1 parameter: it takes prediction and target",
        ),
        ({"elementwise_loss": "L3DistLoss"}, ValueError, "no loss 'L3DistLoss': did you mean 'L2DistLoss'"),
        ({"elementwise_loss": 3}, TypeError, "the loss is 3: give its name or a formula"),
        (
            {"loss_function": "f(x)"},
            TypeError,
            "loss_function is 'f.x.': give a function .* elementwise_loss",
        ),
        (
            {"loss_function": lambda p: 0.0},
            TypeError,
            r"it must take \(y_pred, y\) or \(y_pred, y, weights\)",
        ),
        (
            {"loss_function": lambda p, y: "a"},
            TypeError,
            "loss_function returned something that is not a number",
        ),
        ({"guesses": ["x9 + 1"]}, ValueError, "unknown name 'x9' at position 0: did you mean 'x0'"),
        ({"guesses": ["sin(x0)"]}, ValueError, r"a guess is \"sin\(x0\)\"; add its operator sin"),
        ({"guesses": {"a": 1}}, ValueError, "guesses is {'a': 1}: give a list of formulas"),
        ({"select_k_features": 0}, ValueError, "select_k_features is 0: give a number from 1 to 3"),
        ({"select_k_features": 2.5}, ValueError, "select_k_features is 2.5: give a number from 1 to 3"),
        ({"unary_operators": ["f(x) = "]}, ValueError, "the formula ends where an operand is expected"),
        ({"unary_operators": ["f(x) = g(x)"]}, ValueError, "unknown name 'g' at position 7"),
        ({"early_stop_condition": [1]}, TypeError, r"early_stop_condition is \[1\]: give a loss, a text"),
        ({"early_stop_condition": "f(l) = l < 1"}, ValueError, "takes .loss, complexity., not 1 parameters"),
        ({"batch_size": -1}, ValueError, "batch_size is -1; give at least 0"),
        ({"warmup_maxsize_by": 2.0}, ValueError, "warmup_maxsize_by is 2; give a number from 0 to 1"),
        ({"topn": 0}, ValueError, "topn is 0; give at least 1"),
        ({"random_state": "a"}, ValueError, "'a' cannot be used to seed"),
        ({"binary_operators": "+"}, ValueError, r"binary_operators is the text '\+': give a list"),
    ],
)
def test_what_users_of_pysr_get_wrong(params, error, message):
    with pytest.raises(error, match=message):
        model(**params).fit(X, Y)


@pytest.mark.parametrize(
    ("rows", "weights", "denoise", "message"),
    [
        (X, None, False, "Xresampled is given, but denoise is False"),
        (X[:, :2], None, True, r"Xresampled has the shape \(30, 2\): give at least 2 rows of 3 columns"),
        (X, np.ones(30), True, "Xresampled and sample_weight are given: .* Leave one out"),
    ],
)
def test_other_rows(rows, weights, denoise, message):
    with pytest.raises(ValueError, match=message):
        model(denoise=denoise).fit(X, Y, Xresampled=rows, sample_weight=weights)


def test_an_unknown_parameter_is_given_the_nearest_names():
    with pytest.raises(TypeError, match="no parameter 'max_size': did you mean 'maxsize'"):
        balmer.SymbolicRegressor(max_size=20)
    with pytest.raises(TypeError, match=r"no parameter 'zzz'$"):
        balmer.SymbolicRegressor(zzz=20)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_target_whose_losses_no_double_holds(scale):
    with pytest.raises(ValueError, match=r"between .*e[+-]?\d+ and .*: the loss .* scale the target"):
        model().fit(X, Y * scale)


def test_constant_target_gives_that_constant():
    with pytest.warns(UserWarning, match=r"y is constant \(3\.25 in every row\)"):
        fitted = model().fit(X, np.full(30, 3.25))
    assert fitted.stop_reason_ == "constant_target"
    np.testing.assert_array_equal(fitted.predict(X), np.full(30, 3.25))
    assert fitted.equations_.equation.tolist() == ["3.25"]


def test_constant_column_is_named():
    with pytest.warns(
        UserWarning, match=r"column 'x1' of X is constant \(4 in every row\).* Leave the column out"
    ):
        model().fit(with_value(X, (slice(None), 1), 4.0), Y)


@pytest.fixture(scope="module")
def fitted():
    return model().fit(frame(), Y)


@pytest.mark.parametrize("method", ["predict", "get_best", "sympy", "latex", "latex_table", "expression"])
def test_before_fit(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(model(), method)(*([X] if method == "predict" else []))


def test_no_front_before_fit():
    with pytest.raises(AttributeError, match="before fit"):
        _ = model().equations_


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (frame()[["b", "a"]], "same order"),
        (frame().rename(columns={"b": "c"}), "unseen at fit time"),
        (frame()[["a"]], "missing"),
        (frame(c=1.0), "unseen at fit time"),
        (with_value(frame().to_numpy(), (3, 1), np.nan), "NaN in row 3, column 'b'"),
        (frame(b="text"), "column 'b' of X holds text"),
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_predict_with_other_columns(fitted, data, message):
    with pytest.raises(ValueError, match=message):
        fitted.predict(data)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_predict_with_another_number_of_columns(fitted):
    with pytest.raises(ValueError, match="expecting 2 features"):
        fitted.predict(X)


@pytest.mark.parametrize(
    ("index", "error", "message"), [(99, IndexError, "index is 99"), ([0], TypeError, "give one row")]
)
def test_a_row_that_does_not_exist(fitted, index, error, message):
    with pytest.raises(error, match=message):
        fitted.predict(frame(), index=index)


def test_rows_for_more_than_one_target():
    both = model().fit(X, np.column_stack([Y, -Y]))
    for index in (0, [0], [0, 0, 0]):
        with pytest.raises(ValueError, match="list of 2 rows"):
            both.predict(X, index=index)


def test_guesses_for_more_than_one_target():
    with pytest.raises(ValueError, match="a list of formulas for each"):
        model(guesses=["x0", "x1"]).fit(X, np.column_stack([Y, -Y]))


def test_nothing_finite():
    never = model(binary_operators=["f(x, y) = log(-1 - x * x - y * y)"], weight_mutate_constant=0.0)
    fitted = never.fit(X, Y)  # constants and features are formulas too
    assert np.isfinite(fitted.fronts_[0][0].loss)
