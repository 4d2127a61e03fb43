"""Rows of a problem: drawn within its ranges, or a little outside them, or read from its table."""

from __future__ import annotations

import csv
import math
import re
import zlib

import numpy as np

from grade.formula import FormulaError, evaluate_float64, parse
from grade.suite import data_file, training_fraction

COMPARISONS = {
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "!=": np.not_equal,
}


def names_of(problem):
    return [variable["name"] for variable in problem["variables"]]


def target_values(problem, columns):
    """The noise-free target, in plain float64."""
    names = names_of(problem)
    with np.errstate(all="ignore"):
        values = evaluate_float64(parse(problem["formula"], names), columns)
    return np.asarray(values, float) * np.ones(len(columns[names[0]]))


def _holds(constraint, columns):
    parts = re.match(r"^(.*?)(<=|>=|!=|<|>)(.*)$", constraint)
    if not parts:
        raise FormulaError(f"constraint {constraint!r} does not compare two formulas, as a < b does")
    with np.errstate(all="ignore"):
        left, right = (evaluate_float64(parse(parts[side], columns), columns) for side in (1, 3))
    return COMPARISONS[parts[2]](left, right)


def draw(variable, n, rng, low, high):
    """`n` values of a variable by its distribution, between `low` and `high`."""
    kind = variable.get("dist", "uniform")
    if kind in ("uniform", "uniform_signed"):
        values = rng.uniform(low, high, n)
    elif kind == "normal":  # the range is three deviations to both sides
        values = rng.normal((low + high) / 2, (high - low) / 6, n)
    elif kind in ("loguniform", "loguniform_signed", "loguniform_negative"):
        values = np.exp(rng.uniform(math.log(low), math.log(high), n))
    elif kind == "integer":
        values = rng.integers(math.ceil(low), math.floor(high) + 1, n).astype(float)
    elif kind == "values":
        values = rng.choice(np.asarray(variable["values"], dtype=float), n)
    else:
        raise FormulaError(f"variable {variable.get('name')}: unknown distribution {kind!r}")
    if kind.endswith("_signed"):
        values = values * rng.choice([-1.0, 1.0], n)
    elif kind.endswith("_negative"):
        values = -values
    if variable.get("special"):
        chosen = rng.random(n) < 0.1
        values[chosen] = rng.choice(np.asarray(variable["special"], dtype=float), int(chosen.sum()))
    return values


def widened(variable):
    """A tenth of the range (a twentieth of a logarithmic one) more on both sides, never across zero."""
    low, high = map(float, variable["range"])
    kind = variable.get("dist", "uniform")
    if kind.startswith("loguniform"):
        factor = min(math.exp(0.05 * math.log(high / low)), 3.0) if high > low else 1.1
        wide_low, wide_high = low / factor, high * factor
    elif kind == "integer":
        more = max(1, round(0.1 * (high - low)))
        wide_low, wide_high = (low if low >= 0 else low - more), high + more
    else:
        more = 0.1 * (high - low) or 0.1 * abs(low)
        wide_low, wide_high = low - more, high + more
        if low >= 0:
            wide_low = max(wide_low, 0.5 * low)
        if high <= 0:
            wide_high = min(wide_high, 0.5 * high)
    if variable.get("domain"):
        wide_low = max(wide_low, float(variable["domain"][0]))
        wide_high = min(wide_high, float(variable["domain"][1]))
    return wide_low, wide_high


def _draw_outside(variable, n, rng, low, high, chosen):
    """Values of one variable where the `chosen` rows lie outside its range."""
    wide_low, wide_high = widened(variable)
    values = draw(variable, n, rng, wide_low, wide_high)
    below, above = wide_low < low, wide_high > high
    if not (below or above) or variable.get("dist") == "integer":
        return values
    to_the_left = rng.random(n) < (0.5 if below and above else float(below))
    left = draw(variable, n, rng, wide_low, low) if below else values
    right = draw(variable, n, rng, high, wide_high) if above else values
    return np.where(chosen, np.where(to_the_left, left, right), values)


def sample(problem, n, rng, outside=False):
    """`n` fresh rows, as columns by name; `outside`: one variable of each is a little out of its range."""
    variables = problem["variables"]
    columns = {variable["name"]: np.empty(0) for variable in variables}
    for _ in range(200):
        size = max(64, 2 * n)
        drawn = {}
        chosen = rng.integers(0, len(variables), size)
        for j, variable in enumerate(variables):
            low, high = map(
                float, variable.get("range") or (min(variable["values"]), max(variable["values"]))
            )
            if not outside or variable.get("dist") == "values":
                drawn[variable["name"]] = draw(variable, size, rng, low, high)
            else:
                drawn[variable["name"]] = _draw_outside(variable, size, rng, low, high, chosen == j)
        kept = np.ones(size, bool)
        for constraint in problem.get("constraints") or ():
            kept &= _holds(constraint, drawn)
        columns = {name: np.concatenate([columns[name], drawn[name][kept]]) for name in columns}
        if len(columns[variables[0]["name"]]) >= n:
            return {name: column[:n] for name, column in columns.items()}
    raise FormulaError(f"{problem.get('id')}: {n} rows within the constraints could not be drawn")


def _defined_rows(problem, n, rng, limit=None):
    """Rows on which the target is finite (and below `limit`; SRSD: and not zero)."""
    names = names_of(problem)
    columns, target = {name: np.empty(0) for name in names}, np.empty(0)
    for _ in range(1000):
        drawn = sample(problem, max(n, 64), rng)
        values = target_values(problem, drawn)
        kept = np.isfinite(values)
        if problem["id"].startswith("srsd/"):
            kept &= np.abs(values) > 0
        if limit:
            kept &= np.abs(values) < limit
        columns = {name: np.concatenate([columns[name], drawn[name][kept]]) for name in names}
        target = np.concatenate([target, values[kept]])
        if len(target) >= n:
            return {name: column[:n] for name, column in columns.items()}, target[:n]
    raise FormulaError(f"{problem['id']}: {n} rows with a finite target could not be drawn")


def _specified_rows(problem, specified, rng, limit):
    """Rows of a classical problem: uniform draws, or the product of its grids."""
    names = names_of(problem)
    if all(specified[name]["kind"] != "grid" for name in names):
        variables = [
            {**variable, "range": specified[variable["name"]]["range"], "dist": "uniform"}
            for variable in problem["variables"]
        ]
        n = max(specified[name]["rows"] for name in names)
        return _defined_rows({**problem, "variables": variables}, n, rng, limit)
    axes = []
    for name in names:
        low, high = specified[name]["range"]
        if specified[name]["kind"] == "grid":
            axes.append(np.linspace(low, high, specified[name]["points"]))
        else:
            axes.append(rng.uniform(low, high, specified[name]["rows"]))
    grids = np.meshgrid(*axes, indexing="ij")
    columns = {name: grid.ravel() for name, grid in zip(names, grids, strict=True)}
    target = target_values(problem, columns)
    kept = np.isfinite(target) & (np.abs(target) < limit)
    return {name: column[kept] for name, column in columns.items()}, target[kept]


def _trajectory_rows(problem, steps_between=50):
    """States at equal times along the solutions of the system, by the classical Runge-Kutta method."""
    given = problem["trajectories"]
    system = [parse(text, ["x", "y"]) for text in given["system"]]

    def slope(state):
        with np.errstate(all="ignore"):
            return np.array([float(evaluate_float64(f, {"x": state[0], "y": state[1]})) for f in system])

    states, h = [], given["dt"] / steps_between
    for initial in given["initial"]:
        state = np.array(initial, float)
        for _ in range(given["steps"]):
            states.append(state.copy())
            for _ in range(steps_between):
                k1 = slope(state)
                k2 = slope(state + h / 2 * k1)
                k3 = slope(state + h / 2 * k2)
                k4 = slope(state + h * k3)
                state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            if not np.all(np.isfinite(state)):
                break
    table = np.array(states)
    columns = {"x": table[:, 0], "y": table[:, 1]}
    target = target_values(problem, columns)
    kept = np.isfinite(target)
    return {name: column[kept] for name, column in columns.items()}, target[kept]


def _table_rows(suite, problem):
    with data_file(suite, problem).open() as file:
        header, *lines = list(csv.reader(file))
    table = np.array(lines, dtype=float)
    expected = names_of(problem)
    if len(header) != len(expected) + 1 or header[:-1] != expected:
        raise FormulaError(
            f"{problem['id']}: the columns of its table are {header}, not {expected} and the target"
        )
    return expected, (table[:, :-1], table[:, -1])


def make_rows(suite, problem, seed=0, rows=None, noise=0.0, dummies=False):
    """Training and test rows of a problem.

    The same suite, id, seed and arguments give the same rows. `rows` is the number of training rows, for
    problems that do not say it themselves. Noise goes to the training target alone: `noise` times the root
    mean square of the target, normal. `dummies` adds the irrelevant columns that a problem of SRSD names.

    Returns (names, (X, y), (X, y)), X of shape (n rows, n columns); a problem with a table has no test rows.
    """
    if "data" in problem:
        names, train = _table_rows(suite, problem)
        return names, train, (np.empty((0, len(names))), np.empty(0))
    protocol = suite.get("protocol") or {}
    rng = np.random.default_rng([seed, zlib.crc32(problem["id"].encode())])
    names = names_of(problem)
    if "train" in problem:
        limit = protocol.get("y_limit", 100)
        parts = [_specified_rows(problem, problem[part], rng, limit) for part in ("train", "test")]
    else:
        fraction = training_fraction(suite)
        if "trajectories" in problem:
            columns, target = _trajectory_rows(problem)
        else:
            n = round(rows / fraction) if rows else int(protocol.get("rows", 10000))
            columns, target = _defined_rows(problem, n, rng)
        order = rng.permutation(len(target))
        first = round(fraction * len(target))
        parts = [
            ({name: column[part] for name, column in columns.items()}, target[part])
            for part in (order[:first], order[first:])
        ]
    if dummies:
        for dummy in problem.get("dummies") or ():
            for columns, target in parts:
                columns[dummy["name"]] = draw(dummy, len(target), rng, *dummy["range"])
            names.insert(min(dummy["position"], len(names)), dummy["name"])
    (train_columns, y_train), (test_columns, y_test) = parts
    if noise:
        y_train = y_train + rng.normal(0, noise * np.sqrt(np.mean(y_train**2)), len(y_train))
    return (
        names,
        (np.column_stack([train_columns[name] for name in names]), y_train),
        (np.column_stack([test_columns[name] for name in names]), y_test),
    )
