"""The estimator."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import balmer
from balmer import _core

RNG = np.random.default_rng(11)
X = RNG.normal(size=(60, 3))
Y = 2.5 * X[:, 0] - X[:, 1] ** 2 + 0.5

# The planted law is exact, so a search that finds it stops there.
SMALL = {"niterations": 60, "populations": 8, "random_state": 0, "verbosity": 0}


def small(**params):
    return balmer.SymbolicRegressor(**{**SMALL, **params})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(X, Y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@parametrize_with_checks([small(niterations=2, populations=4)])
def test_scikit_learn(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"no check may be left out: {reason}")


def test_finds_a_planted_law(fitted):
    assert fitted.fronts_[0][-1].loss < 1e-20
    np.testing.assert_allclose(fitted.predict(X), Y, atol=1e-8)
    assert fitted.score(X, Y) > 1 - 1e-12
    x0, x1 = sympy.symbols("x0 x1")
    difference = sympy.expand(fitted.sympy() - (2.5 * x0 - x1**2 + 0.5))
    assert all(abs(c) < 1e-6 for c in difference.as_coefficients_dict().values())


def test_the_front_is_a_front(fitted):
    frame = fitted.equations_
    assert frame is fitted.fronts_[0].frame  # its columns: test_selection.py
    assert frame.complexity.is_monotonic_increasing
    assert frame.complexity.is_unique
    assert (np.diff(frame.loss) < 0).all()
    assert frame.complexity.max() <= 30


def test_every_row_has_the_loss_that_it_claims(fitted):
    for i, row in fitted.equations_.iterrows():
        assert np.mean((row.lambda_format(X) - Y) ** 2) == pytest.approx(row.loss, rel=1e-9, abs=1e-25)
        np.testing.assert_array_equal(fitted.predict(X, index=i), row.lambda_format(X))
        assert balmer.parse(row.equation, fitted.variable_names_) == row.lambda_format
        assert row.lambda_format.complexity == row.complexity


def test_selection(fitted):
    best = fitted.get_best()
    assert best.equation == str(fitted.expression())
    accurate = clone(fitted).set_params(model_selection="accuracy")
    accurate.fronts_, accurate.n_outputs_ = fitted.fronts_, 1
    assert accurate.get_best().loss == fitted.equations_.loss.min()
    assert fitted.get_best(0).complexity == 1


def test_printing(fitted):
    lines = str(fitted).splitlines()
    chosen = fitted.fronts_[0].select("best")
    assert lines[1 + chosen].startswith(">>>>")
    assert len(lines) == 1 + len(fitted.equations_)
    assert repr(fitted).startswith("SymbolicRegressor(")
    assert str(small()) == repr(small())
    assert "x_{1}" in fitted.latex()
    assert r"\toprule" in fitted.latex_table()


def test_pickles(fitted):
    copied = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copied.predict(X), fitted.predict(X))
    assert str(copied) == str(fitted)


def test_the_same_seed_gives_the_same_front(fitted):
    assert [str(r.expression) for r in small().fit(X, Y).fronts_[0]] == [
        str(r.expression) for r in fitted.fronts_[0]
    ]


def test_no_seed_draws_one(monkeypatch):
    seeds = {small(random_state=None, niterations=0).fit(X, Y).seed_ for _ in range(3)}
    assert len(seeds) == 3
    state = small(random_state=np.random.RandomState(4), niterations=0)
    assert state.fit(X, Y).seed_ == np.random.RandomState(4).randint(2**31 - 1)


def test_the_order_of_rows_and_their_repetition_do_not_matter(fitted):
    order = RNG.permutation(len(X))
    again = small().fit(X[order], Y[order])
    assert again.equations_.equation.tolist() == fitted.equations_.equation.tolist()
    weights = RNG.integers(0, 3, len(X))
    weighted = small().fit(X, Y, sample_weight=weights)
    repeated = small().fit(X.repeat(weights, axis=0), Y.repeat(weights))
    assert weighted.equations_.equation.tolist() == repeated.equations_.equation.tolist()


def test_weights_choose_between_two_laws():
    x = np.linspace(0, 1, 40)[:, None]
    y = np.where(np.arange(40) % 2, 2 * x[:, 0], 5 - x[:, 0])
    for odd, value in ((1.0, 2 * 0.5), (0.0, 5 - 0.5)):
        weights = np.where(np.arange(40) % 2, odd, 1 - odd)
        model = small(maxsize=7).fit(x, y, sample_weight=weights)
        assert model.predict([[0.5]])[0] == pytest.approx(value, abs=1e-6)


def test_names_of_a_frame_are_kept():
    frame = pd.DataFrame(X, columns=["beta", "x y", "N"])
    model = small(maxsize=9).fit(frame, Y)
    assert model.variable_names_ == ["beta", "x y", "N"]
    symbols = {s.name for s in model.sympy(index=-1).free_symbols}
    assert symbols <= {"beta", "x y", "N"}
    assert symbols
    np.testing.assert_array_equal(model.predict(frame), model.expression()(X))


def test_names_may_be_given():
    model = small(maxsize=9).fit(X, Y, variable_names=["mass", "speed", "z"])
    assert "mass" in model.equations_.equation.iloc[-1]


def test_more_than_one_target():
    model = small().fit(X, np.column_stack([X[:, 0] * X[:, 1], X[:, 2] + 3]))
    assert model.n_outputs_ == 2
    assert len(model.equations_) == 2
    assert model.predict(X).shape == (60, 2)
    np.testing.assert_allclose(model.predict(X)[:, 0], X[:, 0] * X[:, 1], atol=1e-7)
    np.testing.assert_array_equal(
        model.predict(X, index=[0, 0])[:, 0], model.equations_[0].lambda_format[0](X)
    )
    assert len(model.get_best()) == len(model.sympy()) == len(model.latex()) == 2
    assert str(model).count(">>>>") == 2
    assert model.latex_table().count("tabular") == 4


def test_a_column_of_targets_is_one_target():
    model = small(niterations=1).fit(X, Y[:, None])
    assert model.n_outputs_ == 1
    assert model.predict(X).shape == (60,)


def test_operators_of_the_user():
    y = np.cos(X[:, 0]) * (X[:, 0] + X[:, 1]) * 1.5
    model = small(binary_operators=["*", "special(x, y) = cos(x) * (x + y)"]).fit(X, y)
    last = model.get_best(-1)
    assert last.loss < 1e-20
    assert "special" in last.equation
    assert last.sympy_format.has(sympy.cos)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(X, -1), model.predict(X, -1))


def test_only_the_chosen_operators_are_used():
    model = small(binary_operators=["+", "*"], unary_operators=["sin"]).fit(X, Y)
    used = {name for row in model.fronts_[0] for name, arity, _ in row.expression._formula.nodes if arity}
    assert used <= {"add", "mul", "sin"}


def test_limits_are_kept():
    model = small(
        maxsize=12,
        maxdepth=4,
        unary_operators=["sin", "exp"],
        constraints={"sin": 3},
        nested_constraints={"sin": {"sin": 0}, "exp": {"exp": 0, "sin": 0}},
        complexity_of_operators={"exp": 2},
    ).fit(X, np.sin(X[:, 0]) + np.exp(X[:, 1]))
    for row in model.fronts_[0]:
        assert row.complexity <= 12
        assert row.expression.depth <= 4
        for call in row.expression.sympy().atoms(sympy.sin):
            assert not call.args[0].has(sympy.sin)


def test_guesses_are_fitted_and_kept():
    y = 3.7 * np.sin(2.2 * X[:, 0]) + 0.1
    model = small(niterations=0, unary_operators=["sin"], guesses=["3.5 * sin(2.1 * x0) + 0.2"]).fit(X, y)
    assert model.fronts_[0][-1].loss < 1e-20


def test_stops():
    assert small(early_stop_condition=1e-3).fit(X, Y).stop_reason_ in ("early_stop", "exact")
    by_text = small(early_stop_condition="stop_if(loss, complexity) = loss < 1e-3 && complexity < 20")
    assert by_text.fit(X, Y).stop_reason_ in ("early_stop", "exact")
    seen = []
    by_function = small(
        early_stop_condition=lambda loss, complexity: bool(seen.append((loss, complexity)) or loss < 1e9)
    )
    assert by_function.fit(X, Y + RNG.normal(size=60)).stop_reason_ == "early_stop"
    assert seen
    noisy = Y + RNG.normal(size=60)
    assert small(niterations=0).fit(X, noisy).predict(X)[0] == pytest.approx(noisy.mean())
    assert small(niterations=10**6, timeout_in_seconds=0.3).fit(X, noisy).stop_reason_ == "timeout"
    assert small(niterations=10**6, max_evals=2000).fit(X, noisy).stop_reason_ == "max_evals"


def test_an_error_in_a_callback_leaves_no_thread_behind():
    class BoomError(Exception):
        pass

    def stop(loss, complexity):
        raise BoomError(f"{loss}")

    before = threading.active_count(), _os_threads()
    for _ in range(3):
        with pytest.raises(BoomError):
            small(early_stop_condition=stop, n_jobs=2, seeding=False).fit(X, Y)
    assert threading.active_count() == before[0]
    # OpenMP keeps a pool of threads for the next region: it may not grow with the number of searches.
    assert _os_threads() <= before[1] + 2


def _os_threads() -> int:
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    except FileNotFoundError:
        return 1


def test_fits_from_several_threads():
    alone = small().fit(X, Y).equations_.equation.tolist()
    fronts: list[list[str]] = [[], [], []]

    def work(k: int) -> None:
        fronts[k] = [str(row.expression) for row in small(n_jobs=1).fit(X, Y).fronts_[0]]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert fronts == [alone] * 3


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_the_lock_is_free_while_a_search_runs(monkeypatch):
    """Another thread runs, and may end a search whose iterations are too long for a callback between them."""
    ticks = []
    searching, finished = threading.Event(), threading.Event()

    def tick() -> None:
        searching.wait()
        while len(ticks) < 20:
            if finished.wait(0.01):
                return
            ticks.append(1)
        os.kill(os.getpid(), signal.SIGINT)

    class Search(_core.Search):
        def run(self, *args):
            searching.set()
            return super().run(*args)

    monkeypatch.setattr(_core, "Search", Search)
    thread = threading.Thread(target=tick)
    thread.start()
    noisy = Y + RNG.normal(size=60)
    model = small(
        seeding=False, niterations=10**7, ncycles_per_iteration=10**6, timeout_in_seconds=60, n_jobs=1
    )
    try:
        with pytest.warns(RuntimeWarning, match="interrupted"):
            model.fit(X, noisy)
    finally:
        finished.set()
        thread.join()
    assert len(ticks) == 20


@pytest.mark.slow
def test_pipelines_and_grids():
    pipeline = make_pipeline(StandardScaler(), small(niterations=2, populations=4))
    scores = cross_val_score(pipeline, X, Y, cv=3)
    assert (scores > 0.5).all()
    grid = GridSearchCV(small(populations=4), {"maxsize": [3, 15]}, cv=2).fit(X, Y)
    assert grid.best_params_["maxsize"] == 15


def test_parameters_are_stored_as_given():
    params = {"operators": {2: ["+"]}, "guesses": ["x0"], "n_jobs": None}
    model = balmer.SymbolicRegressor("accuracy", **params)
    assert model.model_selection == "accuracy"
    for name, value in params.items():
        assert getattr(model, name) is value
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert "maxsize" in balmer.SymbolicRegressor._get_param_names()


def test_large_and_small_numbers():
    x = X[:, :1] * 1e12
    model = small(maxsize=7).fit(x, 4e-20 * x[:, 0])
    np.testing.assert_allclose(model.predict(x), 4e-20 * x[:, 0], rtol=1e-9)
