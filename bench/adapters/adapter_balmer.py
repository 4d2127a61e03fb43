"""balmer: `info`, `dtypes`, `prepare`, `run`, `result` for values, `Fits` for constants.

Only `run` is timed: programs are built inside it, from expressions that were parsed before.
"""

import time
from types import SimpleNamespace

import numpy as np
import trees as tree_format

import balmer


def info():
    return {"engine": "balmer", "version": balmer.__version__, "isa": balmer.isa()}


def dtypes():
    return ["float32", "float64"]


def prepare(trees, X, dtype="float64"):
    columns = np.asfortranarray(X, dtype=dtype)
    expressions = [balmer.parse(tree_format.to_text(tree)) for tree in trees]
    out = np.ones((len(trees), len(X)), dtype=dtype)  # as the peers have it: made before, and touched
    return SimpleNamespace(expressions=expressions, X=columns, dtype=dtype, out=out)


def run(handle, threads):
    balmer.evaluate(handle.expressions, handle.X, dtype=handle.dtype, n_threads=threads, out=handle.out)


def result(handle):
    return handle.out


class Fits:
    """Fits of `trees.fit_cases`: `fit_all` returns CPU seconds and fitted trees."""

    RESTARTS = 3

    def __init__(self, X, cases):
        self.X = np.asfortranarray(X)
        self.Y = np.asfortranarray(np.column_stack([y for *_, y in cases]))
        self.cases = cases
        self.starts = [
            balmer.parse(tree_format.to_text(tree_format.with_constants(tree, start)))
            for tree, _, start, _ in cases
        ]

    def fit_all(self, steps):
        """In one call, so the seconds of each are the mean."""
        begin = time.process_time()
        fits = balmer.fit_constants(self.starts, self.X, self.Y, max_iterations=steps, restarts=self.RESTARTS)
        seconds = np.full(len(fits), (time.process_time() - begin) / len(fits))
        fitted = [
            tree_format.with_constants(tree, fit.expression.constants)
            for (tree, *_), fit in zip(self.cases, fits, strict=True)
        ]
        return seconds, fitted
