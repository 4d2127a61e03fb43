"""One front, byte for byte, with any number of threads and on every instruction set."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import balmer

_SEARCH = """
import sys
import numpy as np
import balmer

rng = np.random.default_rng(0)
n = 80 if sys.argv[2] == "small" else 3000
X = 2 * rng.normal(size=(n, 3))
y = 2.5 * np.cos(X[:, 2]) + X[:, 0] ** 2 / (1 + X[:, 1] ** 2) + 0.1 * rng.normal(size=n)
model = balmer.SymbolicRegressor(
    unary_operators=["cos", "exp", "log", "sqrt", "tanh"],
    binary_operators=["+", "-", "*", "/", "^"],
    niterations=3, populations=5, ncycles_per_iteration=100, random_state=3, n_jobs=int(sys.argv[1]),
    verbosity=0, batching=sys.argv[2] != "small",
)
model.fit(X, y, sample_weight=rng.uniform(0.5, 2, n))
print(balmer.isa(), model.n_evaluations_)
for row in model.fronts_[0]:
    constants = [c.hex() for c in row.expression.constants.tolist()]
    print(row.complexity, row.loss.hex(), row.expression, *constants)
"""


def search(n_jobs: int, isa: str, size: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _SEARCH, str(n_jobs), size],
        env={**os.environ, "BALMER_FORCE_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    first, front = done.stdout.split("\n", 1)
    used, evaluations = first.split()
    assert used == isa
    return evaluations, front


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "batches"])
def test_the_front_is_the_same_with_any_number_of_threads(size):
    isa = balmer.isa()
    fronts = [search(n_jobs, isa, size) for n_jobs in (1, 2, 3)]
    assert fronts[0][1].count("\n") > 2
    assert fronts[1] == fronts[0]
    assert fronts[2] == fronts[0]


@pytest.mark.slow
@pytest.mark.parametrize("size", ["small", "batches"])
def test_the_front_is_the_same_on_every_instruction_set(size):
    fronts = {isa: search(2, isa, size) for isa in balmer.available_isas()}
    assert len(set(fronts.values())) == 1, fronts


def test_an_unknown_instruction_set_is_named():
    done = subprocess.run(
        [sys.executable, "-c", "import balmer; print(balmer.isa())"],
        env={**os.environ, "BALMER_FORCE_ISA": "sse9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "sse9" in done.stderr
    assert "ValueError" in done.stderr
