"""How a search grows with cores and with rows, as lines of JSON.

    python bench/scaling.py cores
    python bench/scaling.py rows --rounds 3

`cores`: evaluations in a second of evolution on two threads, in units of those on one, in turns. `rows`: CPU
seconds of ten iterations of evolution by the number of rows, and those of a whole fit with the stages around.
Rows of a law of five variables with noise, so that no search ends before its time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import time

import numpy as np
from runs import commit, processor

import balmer

ROWS = (1_000, 10_000, 100_000, 1_000_000)


def data(rows):
    rng = np.random.default_rng(1)
    X = rng.uniform(1, 3, size=(rows, 5))
    y = np.exp(-X[:, 0]) * X[:, 1] / X[:, 2] + np.sin(X[:, 3] * X[:, 4])
    return X, y + 0.1 * rng.normal(size=rows)


def fit(X, y, **parameters):
    """A fitted model, wall seconds and CPU seconds."""
    model = balmer.SymbolicRegressor(
        unary_operators=["sin", "exp", "log"], random_state=0, verbosity=0, **parameters
    )
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(X, y)
    return model, time.perf_counter() - wall, time.process_time() - cpu


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def cores(rounds):
    X, y = data(1000)
    rates = {1: [], 2: []}
    for _ in range(rounds):
        for n_jobs, list_of_rates in rates.items():
            model, wall, _ = fit(X, y, n_jobs=n_jobs, seeding=False, niterations=20)
            list_of_rates.append(model.n_evaluations_ / wall)
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    yield {"what": "cores", "rounds": rounds, "evaluations_per_s": spread(rates[1]), "ratio": spread(ratios)}


def rows(rounds):
    for n in ROWS:
        X, y = data(n)
        evolution = [fit(X, y, n_jobs=1, seeding=False, niterations=10)[2] for _ in range(rounds)]
        whole = [fit(X, y, n_jobs=1, niterations=10)[2] for _ in range(rounds)]
        yield {
            "what": "rows",
            "rows": n,
            "rounds": rounds,
            "evolution": spread(evolution),
            "whole": spread(whole),
        }


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("cores", "rows"))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args(argv)
    measure = {"cores": cores, "rows": rows}[arguments.what]
    common = {"date": datetime.date.today().isoformat(), "commit": commit(), "machine": processor()}
    for record in measure(arguments.rounds):
        print(json.dumps({**common, **record}), flush=True)


if __name__ == "__main__":
    main()
