"""Random trees, rows and fitting cases that every engine is measured on.

A tree is a list in postfix order, operands in reading order: ``["x0", "x1", "-", 1.5, "*", "sin"]`` is
sin(1.5 (x0 - x1)). The draws are those of the scripts that measured the other engines, so figures compare. A
file of trees has one on each line, as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

BINARY = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "pow": np.power}
UNARY = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "tan": np.tan,
    "abs": np.abs,
    "square": np.square,
}
SETS = {"arith": ("+", "-", "*", "/")}
SETS["full"] = (*SETS["arith"], "sin", "cos", "exp", "log", "sqrt", "tanh")

Tree = list


def _generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def random_tree(rng, size, operators, n_features):
    """Draw a tree of `size` nodes; of the next odd number where there are only binary operators."""
    unary = [name for name in operators if name in UNARY]
    binary = [name for name in operators if name in BINARY]

    def grow(size):
        if size == 1:
            if rng.random() < 0.3:
                return [float(np.float32(rng.standard_normal()))]
            return [f"x{rng.integers(n_features)}"]
        fitting = unary + (binary if size >= 3 else [])
        name = fitting[rng.integers(len(fitting))]
        if name in UNARY:
            return [*grow(size - 1), name]
        left = int(rng.integers(1, size - 1)) if unary else 2 * int(rng.integers(0, (size - 1) // 2)) + 1
        first = grow(left)
        return [*first, *grow(size - 1 - left), name]

    return grow(size + 1 if not unary and size % 2 == 0 else size)


def tree_set(name, count=1000, seed=1, n_features=10):
    """`count` trees of 5 to 50 nodes."""
    rng = _generator(seed)
    return [random_tree(rng, int(rng.integers(5, 51)), SETS[name], n_features) for _ in range(count)]


def load(path):
    """The trees of a file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]


def rows(seed, n_rows, n_features=10):
    """Features uniform in [0.1, 3], in column order."""
    return np.asfortranarray(_generator([seed, n_rows]).uniform(0.1, 3.0, (n_rows, n_features)))


def is_constant(token):
    return not isinstance(token, str)


def evaluate(tree, X, dtype=np.float64):
    """The values, one pass of numpy a node."""
    X = np.asarray(X, dtype=dtype)
    stack = []
    with np.errstate(all="ignore"):
        for token in tree:
            if is_constant(token):
                stack.append(dtype(token))
            elif token in BINARY:
                right = stack.pop()
                stack.append(BINARY[token](stack.pop(), right))
            elif token in UNARY:
                stack.append(UNARY[token](stack.pop()))
            else:
                stack.append(X[:, int(token[1:])])
    return np.broadcast_to(np.asarray(stack[-1], dtype=dtype), (len(X),))


def to_text(tree):
    """The formula in balmer's language, every operation in parentheses."""
    stack = []
    for token in tree:
        if is_constant(token):
            stack.append(repr(float(token)))
        elif token in BINARY:
            right = stack.pop()
            left = stack.pop()
            stack.append(f"pow({left}, {right})" if token == "pow" else f"({left} {token} {right})")
        elif token in UNARY:
            stack.append(f"{token}({stack.pop()})")
        else:
            stack.append(token)
    return stack[-1]


def with_constants(tree, constants):
    """The tree with other constants, in the order in which they stand."""
    values = iter(constants)
    return [float(next(values)) if is_constant(token) else token for token in tree]


def fit_cases(n_rows, count=200, seed=5):
    """Trees of 7 to 25 nodes with 2 to 6 constants that matter, their values, and starts nearby.

    Returns
    -------
    X : ndarray of shape (n_rows, 10)
    cases : list of (tree, true constants, start, y)
    """
    X = rows(seed, n_rows).astype(np.float32).astype(np.float64)
    rng = _generator(seed)
    cases = []
    while len(cases) < count:
        tree = random_tree(rng, int(rng.integers(7, 26)), SETS["full"], 10)
        constants = np.array([token for token in tree if is_constant(token)])
        if not 2 <= len(constants) <= 6:
            continue
        y = evaluate(tree, X)
        if not np.all(np.isfinite(y)) or np.abs(y).max() > 1e4 or y.std() < 1e-2:
            continue
        matter = True
        for k in range(len(constants)):
            changed = constants.copy()
            changed[k] *= 1.01
            z = evaluate(with_constants(tree, changed), X)
            matter &= bool(np.all(np.isfinite(z)) and np.abs(z - y).max() > 1e-5 * y.std())
        n = len(constants)
        start = constants * (1 + 0.3 * rng.standard_normal(n)) + 0.1 * rng.standard_normal(n)
        if matter and np.all(np.isfinite(evaluate(with_constants(tree, start), X))):
            cases.append((tree, constants, start, y))
    return X, cases
