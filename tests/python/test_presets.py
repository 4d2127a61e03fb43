"""Presets, rules of selection and the log of a search, through the estimator."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import balmer
from balmer import _core

SMALL = {"niterations": 3, "populations": 4, "random_state": 0, "verbosity": 0, "n_jobs": 1}


@pytest.fixture(scope="module")
def noisy():
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 3, (120, 2))
    return X, 2.5 * X[:, 0] ** 2 / X[:, 1] + 1.3 + 0.05 * rng.normal(size=120)


def options_of(monkeypatch, X, y, **params):
    """Options with which an estimator starts its search."""
    seen = []
    search = _core.Search

    def watched(X, y, weights, names, operators, options, *more):
        seen.append(options)
        return search(X, y, weights, names, operators, options, *more)

    monkeypatch.setattr(_core, "Search", watched)
    model = balmer.SymbolicRegressor(**{**SMALL, **params}).fit(X, y)
    return seen[0], model


def test_pysr_is_evolution_alone(monkeypatch, noisy):
    options, model = options_of(monkeypatch, *noisy, preset="pysr")
    assert not options.seeding
    assert options.finish == _core.Finish.none
    assert options.scaled_constants == 0
    stages = model.search_log_.stage
    assert stages.str.startswith("evolution ").all()
    assert model.stop_reason_ == "iterations"
    # PySR's own rule, unless another one is asked for.
    front = model.fronts_[0]
    assert model.get_best().equals(model.equations_.iloc[front.select("best")])
    model.set_params(model_selection="accuracy")
    assert model.get_best().equals(model.equations_.iloc[front.select("accuracy")])


def test_iterations(monkeypatch, noisy):
    def limits(**params):
        options, _ = options_of(monkeypatch, *noisy, max_evals=1, **params)
        return options.niterations, options.n_iter_no_change

    assert limits(niterations=None) == (400, 100)
    assert limits(niterations=7) == (7, 0)
    assert limits(niterations=None, preset="pysr") == (100, 0)
    assert limits(niterations=7, preset="pysr") == (7, 0)


def test_the_default_has_every_stage(monkeypatch, noisy):
    options, model = options_of(monkeypatch, *noisy)
    assert options.seeding
    assert options.finish == _core.Finish.simplify
    assert options.cv_folds == 0
    stages = model.search_log_.stage
    assert stages.iloc[0].startswith("seed: ")
    assert stages.str.startswith("evolution ").any()


def test_quotients_leave_out_many_features():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 40)), rng.normal(size=60)
    log = (
        balmer.SymbolicRegressor(unary_operators=["exp", "sin"], niterations=1, random_state=0)
        .fit(X, y)
        .search_log_
    )
    (step,) = log.index[log.stage == "seed: raw: quotients"][:1]
    assert log.work[step] == log.work[step - 1]  # 1,560 pairs: 500 features took minutes


def test_parameters_beside_a_preset_count(monkeypatch, noisy):
    options, _ = options_of(monkeypatch, *noisy, preset="pysr", seeding=True)
    assert options.seeding
    options, _ = options_of(monkeypatch, *noisy, seeding=False)
    assert options.finish == _core.Finish.fit


def test_pysr_has_the_defaults_that_pysr_has():
    """The constructor of PySR 2.7.2."""
    theirs = {
        "populations": 31,
        "population_size": 27,
        "ncycles_per_iteration": 380,
        "maxsize": 30,
        "parsimony": 0.0,
        "adaptive_parsimony_scaling": 1040.0,
        "weight_add_node": 2.47,
        "weight_insert_node": 0.0112,
        "weight_delete_node": 0.87,
        "weight_do_nothing": 0.273,
        "weight_mutate_constant": 0.0346,
        "weight_mutate_operator": 0.293,
        "weight_mutate_feature": 0.1,
        "weight_swap_operands": 0.198,
        "weight_rotate_tree": 4.26,
        "weight_randomize": 0.000502,
        "weight_simplify": 0.00209,
        "weight_optimize": 0.0,
        "crossover_probability": 0.2,
        "annealing": True,
        "alpha": 3.17,
        "perturbation_factor": 0.129,
        "probability_negate_constant": 0.00743,
        "skip_mutation_failures": True,
        "tournament_selection_n": 15,
        "tournament_selection_p": 0.982,
        "optimize_probability": 0.14,
        "optimizer_iterations": 8,
        "optimizer_nrestarts": 2,
        "fraction_replaced": 0.00036,
        "fraction_replaced_hof": 0.0614,
        "fraction_replaced_guesses": 0.001,
        "topn": 12,
        "batching": "auto",
    }
    params = balmer.SymbolicRegressor(preset="pysr").get_params()
    assert {name: params[name] for name in theirs} == theirs


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"preset": "psyr"}, "preset is 'psyr': choose among 'balmer', 'pysr'"),
        ({"cv_folds": 1}, "cv_folds is 1: give a whole number of parts, at least 2"),
        ({"cv_folds": 2.5}, "cv_folds is 2.5"),
        ({"cv_folds": True}, "cv_folds is True"),
    ],
)
def test_wrong_values(noisy, params, message):
    with pytest.raises(ValueError, match=message):
        balmer.SymbolicRegressor(**SMALL, **params).fit(*noisy)


def test_cross_validation(monkeypatch, noisy):
    options, model = options_of(monkeypatch, *noisy, model_selection="cv", cv_folds=7)
    assert options.cv_folds == 7
    frame = model.equations_
    # Rows that constants were not fitted to lie further off; without fitted constants they are as the others.
    fitted = frame.standard_errors.map(lambda errors: any(error > 0 for error in errors))
    assert (frame.cv > frame.loss)[fitted].all()
    np.testing.assert_allclose(frame.cv[~fitted], frame.loss[~fitted], rtol=1e-9)
    assert model.get_best().complexity == 9
    assert "cv loss" in str(model)
    model.set_params(model_selection="bic").get_best()
    _, other = options_of(monkeypatch, *noisy)
    with pytest.raises(ValueError, match="call fit with model_selection='cv'"):
        other.set_params(model_selection="cv").get_best()


def test_every_rule_by_another_loss(noisy):
    model = balmer.SymbolicRegressor("cv", elementwise_loss="L1DistLoss", **SMALL).fit(*noisy)
    assert np.isfinite(model.equations_[["cv", "bic", "dl"]]).all(axis=None)
    for rule in ("cv", "dl"):
        assert model.set_params(model_selection=rule).get_best().complexity == 9


@pytest.mark.parametrize("seed", [0, 1])
def test_a_robust_loss_finds_the_law_under_heavy_tails_and_outliers(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(1, 3, (300, 3))
    law = 3 * np.sin(X[:, 0]) * X[:, 1] + X[:, 2]
    scale = law.std()
    y = law + 0.05 * scale * rng.standard_t(2, 300)
    y[rng.choice(300, 15, replace=False)] += scale * rng.uniform(5, 20, 15)
    params = {**SMALL, "niterations": 10, "populations": 8, "unary_operators": ["sin", "exp"]}

    def explained(loss):
        model = balmer.SymbolicRegressor(elementwise_loss=loss, **params).fit(X, y)
        return 1 - np.mean((model.predict(X) - law) ** 2) / scale**2, model.get_best().complexity

    for loss in ("L1DistLoss", f"HuberLoss({0.1 * scale})"):
        r2, complexity = explained(loss)
        assert r2 > 0.999, loss
        assert complexity == 8, loss
    assert explained(None)[0] < 0.9  # squares follow the outliers


def test_equations_tell_how_sure_the_constants_are(noisy):
    X, y = noisy
    model = balmer.SymbolicRegressor(**SMALL).fit(X, y)
    best = model.get_best()
    # At the constants that there are: one that was rounded lies within its error of the optimum, not on it.
    J = model.expression().jacobian(X)
    noise = np.sum((y - model.predict(X)) ** 2) / (len(y) - J.shape[1])
    assert len(best.standard_errors) == len(model.expression().constants) > 0
    np.testing.assert_allclose(
        best.standard_errors, np.sqrt(noise * np.diag(np.linalg.inv(J.T @ J))), rtol=1e-6
    )
    assert best.r2 == pytest.approx(model.score(X, y))
    assert best.bic < model.equations_.bic[0]


def test_the_log_is_the_same_each_time_but_for_the_seconds(noisy):
    logs = [balmer.SymbolicRegressor(**{**SMALL, "n_jobs": n}).fit(*noisy).search_log_ for n in (1, 2)]
    assert list(logs[0].columns) == [
        "stage",
        "work",
        "evaluations",
        "cpu_seconds",
        "complexity",
        "loss",
        "equation",
    ]
    assert logs[0].drop(columns="cpu_seconds").equals(logs[1].drop(columns="cpu_seconds"))
    assert (logs[0].cpu_seconds >= 0).all()
    assert logs[0].work.is_monotonic_increasing


def test_the_log_of_more_targets(noisy):
    X, y = noisy
    model = balmer.SymbolicRegressor(**SMALL)
    with pytest.raises(AttributeError, match="has no search_log_ before fit"):
        model.search_log_  # noqa: B018
    with pytest.warns(UserWarning, match="constant"):
        model.fit(X, np.column_stack([y, np.ones(len(y))]))
    first, second = model.search_log_
    assert len(first) > 3
    assert len(second) == 0
    again = pickle.loads(pickle.dumps(model))
    assert again.search_log_[0].equals(first)
