"""numpy, a tree at a time: what one writes without an engine."""

from types import SimpleNamespace

import numpy as np
import trees as tree_format


def info():
    return {"engine": "numpy", "version": np.__version__}


def dtypes():
    return ["float32", "float64"]


def prepare(trees, X, dtype="float64"):
    kind = np.dtype(dtype).type
    out = np.ones((len(trees), len(X)), dtype=kind)
    return SimpleNamespace(trees=trees, X=np.asfortranarray(X, dtype=kind), kind=kind, out=out)


def run(handle, threads):
    for row, tree in zip(handle.out, handle.trees, strict=True):
        row[:] = tree_format.evaluate(tree, handle.X, handle.kind)


def result(handle):
    return handle.out
