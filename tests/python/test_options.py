"""Parameters of the estimator become options of the core."""

from __future__ import annotations

import math

import pytest

import balmer
from balmer import _core
from balmer.operators import choose_operators
from balmer.options import n_threads, search_options


def options(**params):
    model = balmer.SymbolicRegressor(**params)
    p = model.get_params(deep=False)
    chosen = choose_operators(p["binary_operators"], p["unary_operators"], p["operators"])
    return search_options(p, chosen, ["x0", "x1"], p["guesses"] or (), 5)


# Parameters that are options of the core under the same name and mean the same there.
SAME = sorted(
    set(_core.named_options())
    & set(balmer.SymbolicRegressor().get_params())
    - {"cv_folds", "precision"}  # the one by `model_selection`, the other as some core has it
)


def test_defaults_are_those_of_the_core():
    assert len(SAME) > 45
    ours, core = options(), _core.SearchOptions()
    for name in (*SAME, "batching", "early_stop_loss", "precision"):
        assert getattr(ours, name) == getattr(core, name), name
    assert ours.complexity_of_variables == core.complexity_of_variables
    assert ours.complexity_of_operators == core.complexity_of_operators


@pytest.mark.parametrize("name", SAME)
def test_every_parameter_arrives(name):
    value = getattr(_core.SearchOptions(), name)
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, int):
        other = value + 3
    else:
        other = 7.5 if math.isinf(value) else value + 0.25
    assert getattr(options(**{name: other}), name) == other


@pytest.mark.parametrize(("given", "core"), [(16, 32), (32, 32), (64, 64)])
def test_precision(given, core):
    assert options(precision=given).precision == core


@pytest.mark.parametrize(
    ("name", "value"), [("maxsize", "big"), ("maxsize", 7.5), ("alpha", "x"), ("populations", None)]
)
def test_a_value_of_the_wrong_kind_is_named(name, value):
    with pytest.raises(TypeError, match=f"{name} is {value!r}"):
        options(**{name: value})


def test_defaults_of_the_operators():
    names = [_core.OperatorSet().name(code) for code in options().operators]
    assert names == ["add", "sub", "mul", "div"]


def test_aliases_and_definitions():
    chosen = choose_operators(["+", "special(x, y) = cos(x) * (x + y)"], ["ln", "twice(x) = 2 * x"])
    assert [chosen.set.name(code) for code in chosen.codes] == ["log", "twice", "add", "special"]
    chosen = choose_operators(operators={1: ["sin"], 2: [">=", "=="], 3: ["ifelse"]})
    assert [chosen.set.name(code) for code in chosen.codes] == ["sin", "greater_equal", "equal", "ifelse"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["+"], ["sine"]), r"unary_operators: unknown operator 'sine': did you mean 'sin"),
        ((["+", "sin"], None), "binary_operators: 'sin' takes 1 operand, not 2: move it to unary_operators"),
        ((["+"], ["atan2"]), "'atan2' takes 2 operands, not 1: move it to binary_operators"),
        ((["+"], ["f(x, y) = x + y"]), "takes 2 operands, not 1"),
        ((["+"], "sin"), r"unary_operators is the text 'sin': give a list"),
        ((["+"], [3]), "unary_operators holds 3"),
        (([], []), "no operators are given"),
        ((["+"], None, {2: ["+"]}), "operators and binary_operators"),
        ((None, None, {40: ["f"]}), "arity 40"),
        ((None, None, ["+"]), "give a dict"),
    ],
)
def test_wrong_operators(arguments, message):
    with pytest.raises(ValueError, match=message):
        choose_operators(*arguments)


def test_a_definition_that_cannot_be_read():
    with pytest.raises(balmer.ParseError):
        choose_operators(["+"], ["f(x) = y + 1"])


def test_structure_of_the_space():
    o = options(
        binary_operators=["+", "^"],
        unary_operators=["sin", "exp"],
        constraints={"^": (-1, 3), "sin": 5},
        nested_constraints={"sin": {"sin": 0, "exp": 1}},
        complexity_of_operators={"exp": 3, "pow": 2.5},
        complexity_of_variables=[1, 2],
        complexity_of_constants=2,
        guesses=["sin(x0) + 1"],
    )
    assert o.complexity_of_variables == [1, 2]
    assert o.complexity_of_constants == 2
    known = _core.OperatorSet()
    assert o.complexity_of_operators[known.find("exp")] == 3
    assert o.complexity_of_operators[known.find("pow")] == 2.5
    assert math.isnan(o.complexity_of_operators[known.find("add")])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"constraints": {"+": 3}}, ValueError, "'\\+' takes 2 operands"),
        ({"constraints": {"sin": 3}}, ValueError, "constraints: 'sin' is not among the operators"),
        ({"nested_constraints": {"+": {"sine": 1}}}, ValueError, "unknown operator 'sine'"),
        ({"complexity_of_variables": [1, 2, 3]}, ValueError, "3 values, but X has 2 columns"),
        ({"batching": "sometimes"}, ValueError, "batching is 'sometimes'"),
        ({"early_stop_condition": []}, TypeError, "early_stop_condition is \\[\\]"),
        ({"early_stop_condition": "stop_if(loss) = loss < 1"}, ValueError, "\\(loss, complexity\\)"),
        ({"early_stop_condition": "stop_if(loss, complexity) = los < 1"}, balmer.ParseError, "loss"),
        ({"guesses": ["y + 1"]}, balmer.ParseError, "y"),
        ({"guesses": [3]}, TypeError, "guesses holds 3"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
        ({"n_jobs": 1.5}, ValueError, "n_jobs is 1.5"),
    ],
)
def test_wrong_options(params, error, message):
    with pytest.raises(error, match=message):
        options(**params)


@pytest.mark.parametrize(
    "text",
    [
        "1e-6",
        "stop_if(loss, complexity) = loss < 1e-6 && complexity < 10",
        "(loss, c) -> loss < 1",
        "f(l, c) = l < 1",
    ],
)
def test_stop_conditions_as_text(text):
    options(early_stop_condition=text)


def test_threads(monkeypatch):
    import joblib

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert n_threads(3) == 3
    assert n_threads(None) == n_threads(-1) == joblib.cpu_count()
    assert n_threads(-joblib.cpu_count() - 5) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert n_threads(None) == 7
    assert n_threads(-1) == joblib.cpu_count()


def test_whole_options_keep_every_digit() -> None:
    core = _core.SearchOptions()
    core.seed = 2**63 - 1
    assert core.seed == 2**63 - 1
    core.maxsize = 2**31 - 1
    assert core.maxsize == 2**31 - 1
    for name, value in (("seed", -1), ("maxsize", 2**31)):
        with pytest.raises(ValueError, match=rf"{name} is {value}; give a whole number from -?\d+ to \d+"):
            setattr(core, name, value)
    assert (core.seed, core.maxsize) == (2**63 - 1, 2**31 - 1)
