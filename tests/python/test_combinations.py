"""Any sensible combination of parameters fits; none fails with an internal error."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import balmer

X = np.random.default_rng(0).uniform(0.5, 2, size=(24, 3))
Y = X[:, 0] * X[:, 1] + np.random.default_rng(1).normal(size=24) * 0.1

share = st.floats(0, 1)
weight = st.floats(0, 5)


@st.composite
def parameters(draw):
    population = draw(st.integers(3, 12))
    optional = {
        "model_selection": st.sampled_from([None, "dl", "bic", "cv", "best", "score", "accuracy"]),
        "preset": st.sampled_from(["balmer", "pysr"]),
        "unary_operators": st.lists(
            st.sampled_from(["sin", "exp", "log", "sqrt", "inv(x) = 1/x", "square", "gamma"]), unique=True
        ),
        "maxsize": st.integers(3, 40),
        "maxdepth": st.one_of(st.none(), st.integers(1, 10)),
        "elementwise_loss": st.sampled_from(
            [None, "L1DistLoss", "HuberLoss(1)", "loss(p, t) = (p - t)^4", "loss(p, t, w) = w * abs(p - t)"]
        ),
        "loss_scale": st.sampled_from(["log", "linear"]),
        "parsimony": st.floats(0, 1),
        "constraints": st.sampled_from([None, {"/": (-1, 3)}, {"*": (5, 5)}]),
        "nested_constraints": st.sampled_from([None, {"/": {"/": 0}}]),
        "operator_variables": st.sampled_from([None, {"/": ["x0", "x1"]}]),
        "named_constants": st.sampled_from([None, {"g": 9.81}, {"g": (9.81, 0), "k": 2}]),
        "complexity_of_operators": st.sampled_from([None, {"+": 2}, {"*": 0.5}]),
        "complexity_of_constants": st.one_of(st.none(), st.floats(0, 4)),
        "complexity_of_variables": st.sampled_from([None, 2, [1, 2, 3]]),
        "complexity_mapping": st.sampled_from([None, lambda e: 2 * e.size - 1, lambda e: e.depth]),
        "precision": st.sampled_from([16, 32, 64]),
        "warmup_maxsize_by": st.one_of(st.none(), share),
        "use_frequency": st.booleans(),
        "use_frequency_in_tournament": st.booleans(),
        "adaptive_parsimony_scaling": st.floats(0, 2000),
        "should_simplify": st.booleans(),
        "weight_add_node": weight,
        "weight_delete_node": weight,
        "weight_rotate_tree": weight,
        "weight_randomize": weight,
        "weight_optimize": weight,
        "weight_backsolve": weight,
        "adaptive_mutation_weights": st.booleans(),
        "crossover_probability": share,
        "annealing": st.booleans(),
        "alpha": st.floats(0, 10),
        "perturbation_factor": st.floats(0, 2),
        "probability_negate_constant": share,
        "skip_mutation_failures": st.booleans(),
        "tournament_selection_n": st.integers(1, population),
        "tournament_selection_p": share,
        "should_optimize_constants": st.booleans(),
        "optimize_probability": share,
        "optimizer_iterations": st.integers(1, 10),
        "optimizer_nrestarts": st.integers(0, 3),
        "migration": st.booleans(),
        "hof_migration": st.booleans(),
        "fraction_replaced": share,
        "fraction_replaced_hof": share,
        "fraction_replaced_guesses": share,
        "topn": st.integers(1, 20),
        "restarts": st.booleans(),
        "batching": st.sampled_from([True, False, "auto"]),
        "batch_size": st.one_of(st.none(), st.integers(1, 30)),
        "max_evals": st.one_of(st.none(), st.floats(1, 1e5)),
        "early_stop_condition": st.sampled_from(
            [
                None,
                0.5,
                "stop_if(loss, complexity) = loss < 0.1 && complexity < 9",
                lambda loss, c: loss < 0.2,
            ]
        ),
        "guesses": st.sampled_from([None, ["x0 * x1"], ["x0 + 2.5", "x1"]]),
        "select_k_features": st.sampled_from([None, 2, 3]),
        "warm_start": st.booleans(),
        "random_state": st.integers(0, 1000),
        "n_jobs": st.sampled_from([1, 2]),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), min_size=1, max_size=12, unique=True))
    given_params = {name: draw(optional[name]) for name in chosen}
    if given_params.get("select_k_features") == 2:  # guesses and lists are of columns that may be gone
        for name in ("guesses", "operator_variables"):
            given_params.pop(name, None)
    return {
        "niterations": draw(st.integers(0, 2)),
        "populations": draw(st.integers(1, 3)),
        "population_size": population,
        "ncycles_per_iteration": draw(st.integers(1, 20)),
        "seeding": draw(st.sampled_from([False, False, False, None])),
        "verbosity": 0,
        "tournament_selection_n": min(3, population),
        **given_params,
    }


@pytest.mark.slow
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(parameters())
def test_any_combination_fits(params):
    model = balmer.SymbolicRegressor(**params)
    weights = params.get("random_state", 0) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, Y, sample_weight=np.arange(1, 25) if weights else None)
    assert model.predict(X).shape == (24,)
    losses = model.equations_.loss
    assert np.isfinite(losses).all()
    assert (np.diff(losses) < 0).all()
    limit = params.get("maxsize", 30)
    assert (model.equations_.complexity <= max(limit, 1)).all()
    for row in model.fronts_[0]:
        if params.get("complexity_mapping"):
            assert row.complexity == params["complexity_mapping"](row.expression)
        if params.get("maxdepth"):
            assert row.expression.depth <= params["maxdepth"] or row.complexity == 1
