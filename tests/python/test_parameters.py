"""Parameters of what a search looks at: complexities, precision, named constants; and wrong names."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import balmer

RNG = np.random.default_rng(21)
X = RNG.uniform(0.5, 2, size=(80, 2))
NOISE = RNG.normal(size=80)


def fitted(y, X=X, **params):
    names = params.pop("names", ["h", "t"])
    defaults = {"random_state": 0, "verbosity": 0, "niterations": 10, "populations": 6}
    return balmer.SymbolicRegressor(**{**defaults, **params}).fit(X, y, variable_names=names)


# ---- complexity_mapping -----------------------------------------------------------------------------------


def weighed(expression):
    """Constants count three times, and what is deep counts more."""
    return expression.size + 2 * len(expression.constants) + 5 * (expression.depth > 3)


@pytest.mark.parametrize("seeding", [True, False])
def test_a_function_says_how_complex_a_formula_is(seeding):
    model = fitted(X[:, 0] * X[:, 1] + 0.3 * NOISE, complexity_mapping=weighed, maxsize=16, seeding=seeding)
    assert len(model.equations_) > 2
    for row in model.fronts_[0]:
        assert row.complexity == weighed(row.expression) <= 16


def test_a_function_may_say_that_nothing_is_complex():
    model = fitted(X[:, 0], complexity_mapping=lambda e: 0.0)
    assert model.equations_.complexity.tolist() == [1]


def test_the_complexity_of_a_constant_target_goes_by_the_function():
    with pytest.warns(UserWarning, match="is constant"):
        model = fitted(np.full(80, 2.0), complexity_mapping=weighed)
    assert model.fronts_[0][0].complexity == 3


def fails(expression):
    raise RuntimeError("what a pity")


@pytest.mark.parametrize(
    ("mapping", "error", "message"),
    [
        (fails, RuntimeError, "what a pity"),
        (lambda e: "big", TypeError, "complexity_mapping returned something that is not a number"),
        ("size", TypeError, "complexity_mapping is 'size': give a function of an Expression"),
    ],
)
def test_an_error_of_the_function_ends_the_search(mapping, error, message):
    with pytest.raises(error, match=message):
        fitted(X[:, 0] + NOISE, complexity_mapping=mapping)


# ---- precision --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batching", [True, False])
@pytest.mark.parametrize("loss", [None, "L1DistLoss"])
def test_losses_are_those_of_double_precision(batching, loss):
    y = 2.5 * X[:, 0] ** 2 - X[:, 1] + 0.01 * NOISE
    params = {
        "seeding": False,
        "batching": batching,
        "batch_size": 40,
        "elementwise_loss": loss,
        "niterations": 30,
    }
    single, double = (fitted(y, **params, precision=bits) for bits in (32, 64))
    # Another path, to formulas that are as good.
    assert single.equations_.equation.tolist() != double.equations_.equation.tolist()
    assert single.equations_.loss.min() < 3 * double.equations_.loss.min()
    of_rows = balmer.Loss(loss or "L2DistLoss")
    for row in single.fronts_[0]:
        assert row.loss == pytest.approx(of_rows(row.expression(X), y), rel=1e-12)


def test_an_exact_law_is_exact_in_single_precision_too():
    y = 2.5 * X[:, 0] ** 2 - X[:, 1]
    model = fitted(y, seeding=False, precision=32, niterations=60)
    assert model.stop_reason_ == "exact"
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-13)


def test_single_precision_is_the_same_on_any_number_of_threads():
    y = np.sin(3 * X[:, 0]) + 0.1 * NOISE
    one, two = (fitted(y, seeding=False, precision=32, n_jobs=n).equations_ for n in (1, 2))
    assert one.equation.tolist() == two.equation.tolist()
    assert one.loss.tolist() == two.loss.tolist()


@pytest.mark.parametrize("scale", [1e25, 1e-25])
def test_what_single_precision_cannot_hold_is_done_in_double(scale):
    y = (X[:, 0] * X[:, 1] + 0.1 * NOISE) * scale
    single, double = (fitted(y, seeding=False, precision=bits).equations_ for bits in (32, 64))
    assert single.equation.tolist() == double.equation.tolist()


# ---- named constants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("h + g * t ^ 2", {"h", "t", "g"}),
        ("h * t / g", {"h", "t", "g"}),
        ("h - g * t", {"h", "t", "g"}),
        ("h * t + 2", {"h", "t"}),
    ],
)
@pytest.mark.parametrize("noise", [0, 0.01])
def test_a_named_constant_stands_in_the_law(text, symbols, noise):
    law = balmer.parse(text, ["h", "t", "g"])
    exact = law(np.column_stack([X, np.full(80, 9.81)]))
    model = fitted(exact + noise * exact.std() * NOISE, named_constants={"g": 9.81})
    assert {s.name for s in model.sympy().free_symbols} == symbols
    np.testing.assert_allclose(model.predict(X), exact, atol=3 * noise * exact.std() + 1e-9)
    number = model.sympy().subs(sympy.Symbol("g"), 9.81)
    np.testing.assert_allclose(float(number.subs({"h": 1, "t": 1})), model.predict([[1, 1]])[0])


def test_a_named_constant_that_costs_less_makes_the_law_simpler():
    y = X[:, 0] + 9.81 * X[:, 1]
    params = {"complexity_of_constants": 4}
    number = fitted(y, **params).fronts_[0][-1]
    name = fitted(y, **params, named_constants={"g": (9.81, 0)}).fronts_[0][-1]
    assert (number.complexity, name.complexity) == (8, 4)
    assert name.loss <= number.loss * (1 + 1e-9) + 1e-25


def test_a_number_that_only_resembles_a_named_constant_stays():
    y = X[:, 0] + 9.5 * X[:, 1] + 0.01 * NOISE
    model = fitted(y, named_constants={"g": 9.81})
    assert {s.name for s in model.sympy().free_symbols} == {"h", "t"}


def test_a_named_constant_for_other_losses():
    y = X[:, 0] + 9.81 * X[:, 1] + 0.01 * NOISE
    model = fitted(y, named_constants={"g": 9.81}, elementwise_loss="L1DistLoss")
    assert sympy.Symbol("g") in model.sympy().free_symbols


def test_a_fit_with_named_constants_goes_on():
    y = X[:, 0] + 9.81 * np.sqrt(X[:, 1]) + 0.1 * NOISE
    params = {"named_constants": {"g": 9.81}, "niterations": 4}
    model = fitted(y, **params, warm_start=True)
    model.set_params(niterations=3).fit(X, y, variable_names=["h", "t"])
    assert (np.diff(model.equations_.loss) < 0).all()


# ---- scales and rules -------------------------------------------------------------------------------------


def test_the_linear_scale_of_losses(tmp_path):
    y = X[:, 0] * X[:, 1] + 0.1 * NOISE
    model = fitted(y, loss_scale="linear", model_selection="score")
    frame = model.equations_
    falls = -np.diff(frame.loss) / np.diff(frame.complexity)
    np.testing.assert_allclose(frame.score[1:], falls)
    assert model.get_best().score == frame.score.max()
    assert model.set_params(model_selection="best").get_best().loss == frame.loss.min()
    model.save(tmp_path / "model.json")
    assert balmer.SymbolicRegressor.load(tmp_path / "model.json").get_best().loss == frame.loss.min()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss_scale": "sqrt"}, "loss_scale is 'sqrt': choose among 'log', 'linear'"),
        ({"precision": 128}, "precision is 128: choose among 16, 32, 64"),
        (
            {"model_selection": "cv", "loss_function": lambda p, y: np.abs(p - y).mean()},
            "loss_function is of all rows together, so that no rows can be left out: choose another rule",
        ),
    ],
)
def test_a_choice_that_there_is_not(params, message):
    with pytest.raises(ValueError, match=message):
        fitted(X[:, 0], **params)


# ---- results ----------------------------------------------------------------------------------------------


def test_latex_tables_of_more_than_one_target():
    model = fitted(np.column_stack([X[:, 0] + NOISE, X[:, 1] * X[:, 0]]), niterations=2)
    text = model.latex_table([[0, 1], [0]])
    assert text.splitlines()[0] == r"% \usepackage{booktabs}"
    assert text.count(r"\begin{table}") == 2
    for symbol in ("$y_{0,0} =", "$y_{0,1} =", "$y_{1,0} ="):
        assert symbol in text
    assert "y_{1,1}" not in text
    for indices in ([0], [0, 1], [[0]]):
        with pytest.raises(ValueError, match="a list of rows for each of the 2 targets"):
            model.latex_table(indices)


def test_a_latex_table_names_the_packages_that_it_needs():
    long = " + ".join(f"{k + 2.25} * sin({k + 1.5} * h)" for k in range(4))
    model = fitted(X[:, 0] + NOISE, guesses=[long], niterations=0, unary_operators=["sin"], maxsize=40)
    assert model.latex_table().splitlines()[:2] == [r"% \usepackage{booktabs}", r"% \usepackage{breqn}"]


@pytest.mark.parametrize("kind", ["text", "sympy", "expression"])
def test_guesses_of_every_kind(kind):
    h, t = sympy.symbols("h t")
    guess = {
        "text": "h * t + 2.5",
        "sympy": h * t + sympy.Float(2.5),
        "expression": balmer.parse("h * t + 2.5", ["h", "t"]),
    }[kind]
    model = fitted(X[:, 0] * X[:, 1] + 3.25, guesses=[guess], niterations=0)
    np.testing.assert_allclose(model.predict(X), X[:, 0] * X[:, 1] + 3.25)


def test_guesses_of_no_kind():
    with pytest.raises(TypeError, match="guesses holds 3: give formulas as text, or sympy expressions"):
        fitted(X[:, 0], guesses=[3])


# ---- wrong names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("npop", "no parameter 'npop': did you mean 'population_size'"),
        ("hofMigration", "did you mean 'hof_migration'"),
        ("max_size", "did you mean 'maxsize'"),
        ("procs", "no parameter 'procs', which PySR has: threads share the data"),
    ],
)
def test_names_of_parameters(name, message):
    with pytest.raises(TypeError, match=message):
        balmer.SymbolicRegressor(**{name: 1})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weights", r"SymbolicRegressor.fit has no parameter 'weights', .*: give sample_weight"),
        ("complexity_of_variables", "give it to the estimator"),
        ("sample_weigth", "did you mean 'sample_weight'"),
    ],
)
def test_names_of_arguments_of_fit(name, message):
    with pytest.raises(TypeError, match=message):
        balmer.SymbolicRegressor().fit(X, X[:, 0], **{name: None})


# ---- exponents --------------------------------------------------------------------------------------------


def bases_of_powers(expression):
    """Names of what stands in the base of each power."""
    core, stack, bases = expression._formula, [], []
    for name, arity, index in core.nodes:
        operands = [stack.pop() for _ in range(arity)][::-1]
        if name == "pow":
            bases.append(operands[0])
        stack.append({core.names[index] if name == "feature" else name}.union(*operands))
    return bases


@pytest.mark.parametrize("seeding", [True, False])
def test_only_the_chosen_exponents_are_used(seeding):
    y = X[:, 0] ** 1.5 + X[:, 1] ** 3 + 0.01 * NOISE
    model = fitted(y, binary_operators=["+", "*", "^"], exponents=range(-3, 4), seeding=seeding)
    for row in model.fronts_[0]:
        nodes = row.expression._formula.nodes
        for place, (name, _, _) in enumerate(nodes):
            if name == "pow":
                exponent, _, index = nodes[place - 1]
                assert exponent == "constant"
                assert row.expression.constants[index] in {-3, -2, -1, 2, 3}
        assert row.expression.complexity == row.complexity
        assert len(row.standard_errors) == len(row.expression.constants)
    text = str(model.equations_.equation.tolist())
    assert "^" in text
    assert "power" not in text


def test_a_law_with_whole_exponents_is_found_and_written_as_it_is_usual(tmp_path):
    y = 2.5 * X[:, 0] ** 3 / X[:, 1] ** 2
    model = fitted(y, binary_operators=["*", "^"], exponents=[-2, 3], niterations=40)
    np.testing.assert_allclose(model.predict(X), y)
    h, t = sympy.symbols("h t")
    assert sympy.simplify(model.sympy() / (h**3 / t**2)).is_number
    law = model.fronts_[0][-1]
    assert [
        e for c, e in zip(law.expression.constants, law.standard_errors, strict=True) if c in (-2, 3)
    ] == [0, 0]
    assert np.isfinite(model.predict(X, return_std=True)[1]).all()
    model.save(tmp_path / "model.json")
    assert balmer.SymbolicRegressor.load(tmp_path / "model.json").equations_.equation.tolist() == (
        model.equations_.equation.tolist()
    )


def test_what_is_said_of_powers_holds_for_each_exponent():
    model = fitted(
        X[:, 0] ** 2 * X[:, 1] ** 3 + NOISE,
        binary_operators=["+", "*", "^"],
        exponents=[2, 3],
        constraints={"^": (3, -1)},
        nested_constraints={"^": {"^": 0}},
        operator_variables={"^": ["t"]},
        complexity_of_operators={"^": 2},
        complexity_of_constants=3,
        seeding=False,
    )
    for row in model.fronts_[0]:
        for base in bases_of_powers(row.expression):
            assert not base & {"h", "pow"}, row
    raised = [row for row in model.fronts_[0] if str(row.expression) == "t ^ 3"]
    assert all(row.complexity == 1 + 2 + 3 for row in raised)


def test_guesses_and_warm_starts_may_have_powers():
    y = 1.5 * X[:, 0] ** 2 + X[:, 1]
    params = {"binary_operators": ["+", "*", "^"], "exponents": [2]}
    model = fitted(y, guesses=["2.5 * h ^ 2 + t"], niterations=0, warm_start=True, **params)
    np.testing.assert_allclose(model.predict(X, -1), y)
    model.set_params(maxsize=20, guesses=None).fit(X, y, variable_names=["h", "t"])  # from its front
    np.testing.assert_allclose(model.predict(X, -1), y)
    with pytest.raises(ValueError, match=r"a guess is .*x0 \^ 5.*add its operator pow"):
        fitted(y, guesses=["h ^ 5"], **params)


@pytest.mark.parametrize(
    ("exponents", "message"),
    [
        (["2"], r"exponents holds '2': give numbers, as in range\(-2, 4\)"),
        ("integer", "exponents holds 'integer'"),
        ([2, np.inf], "exponents holds inf"),
        ([0, 1], r"exponents is \[0, 1\]: give one at least that is neither 0 nor 1"),
    ],
)
def test_exponents_that_make_no_sense(exponents, message):
    with pytest.raises(ValueError, match=message):
        fitted(X[:, 0], binary_operators=["^"], exponents=exponents)


def test_exponents_without_the_operator():
    with pytest.raises(ValueError, match=r"exponents is \[2\], but '\^' is not among the operators: add it"):
        fitted(X[:, 0], exponents=[2])
