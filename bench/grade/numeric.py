"""Formula and law on the same fresh rows."""

from __future__ import annotations

import math
import time

import numpy as np

from grade.formula import (
    FormulaError,
    evaluate,
    evaluate_digits,
    evaluate_float64,
    n_nodes,
    parse,
    variables_of,
)
from grade.rows import names_of, sample

TOLERANCE = 1e-6  # of the largest normalised error, when the training rows had no noise
TOLERANCE_NOISY = 1e-3
LEVELS = ("exact", "additive", "multiplicative")
FORM_FACTOR = 3.0  # a free constant of a law: within this factor of the known one, with its sign


def _scale(truth, normaliser):
    if normaliser == "unit":  # the target is a logarithm, say
        return np.ones_like(truth)
    if normaliser == "std":
        return np.full_like(truth, np.std(truth) or 1.0)
    return np.abs(truth) + 0.01 * np.median(np.abs(truth)) + 1e-300


def largest_errors(values, truth, normaliser):
    """Of the values as they are, after the best shift, and after the best factor."""
    if not np.all(np.isfinite(values)):
        return [math.inf] * 3
    scale = _scale(truth, normaliser)
    as_it_is = float(np.max(np.abs(values - truth) / scale))
    shifted = float(np.max(np.abs(values - np.median(values - truth) - truth) / scale))
    scaled = math.inf
    large = np.abs(values) > 1e-290
    if large.sum() > 0.5 * len(values) and np.ptp(values) > 0:
        with np.errstate(all="ignore"):
            factor = np.median(truth[large] / values[large])
        if np.isfinite(factor) and factor != 0:
            scaled = float(np.max(np.abs(values * factor - truth) / scale))
    return [as_it_is, shifted, scaled]


def _errors_with_digits(node, law, columns, truth, normaliser, deadline, n_points=80):
    """`largest_errors` on some of the rows with 50 digits; infinite when the time is up."""
    import mpmath

    rows = np.linspace(0, len(truth) - 1, min(n_points, len(truth))).astype(int)
    values, targets = np.empty(len(rows)), np.empty(len(rows))
    with mpmath.workdps(50):
        for k, row in enumerate(rows):
            if time.monotonic() > deadline:
                return [math.inf] * 3
            point = {name: mpmath.mpf(float(column[row])) for name, column in columns.items()}
            values[k] = evaluate_digits(node, point, mpmath)
            targets[k] = evaluate_digits(law, point, mpmath)
    kept = np.isfinite(targets)
    return largest_errors(values[kept], targets[kept], normaliser) if kept.sum() > 10 else [math.inf] * 3


def _least_squares(residuals, start, max_iterations=120):
    """Levenberg-Marquardt on parameters in units of their start values, with central differences."""
    unit = np.where(start != 0, np.abs(start), 1.0)

    def at(p):
        with np.errstate(all="ignore"):
            r = residuals(p * unit)
        return r, float(r @ r) if np.all(np.isfinite(r)) else math.inf

    p = start / unit
    r, loss = at(p)
    if not math.isfinite(loss):
        return start
    damping = 1e-3
    for _ in range(max_iterations):
        jacobian = np.empty((len(r), len(p)))
        for j in range(len(p)):
            step = np.zeros_like(p)
            step[j] = 1e-6 * max(abs(p[j]), 1e-3)
            jacobian[:, j] = (at(p + step)[0] - at(p - step)[0]) / (2 * step[j])
        if not np.all(np.isfinite(jacobian)):
            break
        normal, gradient = jacobian.T @ jacobian, jacobian.T @ r
        improved = False
        for _ in range(12):
            damped = normal + damping * (np.diag(np.diag(normal)) + 1e-12 * np.eye(len(p)))
            try:
                step = np.linalg.solve(damped, -gradient)
            except np.linalg.LinAlgError:
                damping *= 10
                continue
            r_new, loss_new = at(p + step)
            if loss_new < loss:
                improved = loss - loss_new > 1e-14 * loss or np.max(np.abs(step)) > 1e-13
                p, r, loss, damping = p + step, r_new, loss_new, max(damping / 5, 1e-12)
                break
            damping *= 5
        if not improved or loss < 1e-26:
            break
    return p * unit


def _distance_to_form(form, values, columns, truth, normaliser, rng, deadline, factor=None):
    """Largest error of the member of a family that is nearest to the values.

    `form` has a formula `expr`, its free constants `params` with known values, and `bounds` for some.
    Constants without bounds must stay within `factor`, which keeps out degenerate members, such as those of
    slope zero.
    Returns (error, constants, whether they are within bounds).
    """
    names = list(form["params"])
    node = parse(form["expr"], [*columns, *names])
    scale = _scale(truth, normaliser)

    def residuals(p):
        given = {**columns, **{name: np.float64(value) for name, value in zip(names, p, strict=True)}}
        return (np.asarray(evaluate_float64(node, given), float) * np.ones(len(values)) - values) / scale

    known = np.array([form["params"][name] for name in names], dtype=float)
    best_error, best = math.inf, known
    spreads = (0.1, 0.3, 0.3, 1, 1, 2, 2, 3)
    starts = [known, *(known * np.exp(rng.normal(0, spread, len(known))) for spread in spreads)]
    for start in starts:
        if time.monotonic() > deadline:
            break
        p = _least_squares(residuals, start)
        with np.errstate(all="ignore"):
            r = np.abs(residuals(p))
        error = float(np.max(r)) if np.all(np.isfinite(r)) else math.inf
        if error < best_error:
            best_error, best = error, p
        if error < 1e-9:
            break
    constants = dict(zip(names, map(float, best), strict=True))
    bounds = dict(form.get("bounds") or {})
    if factor:
        for name, value in form["params"].items():
            bounds.setdefault(name, sorted((value / factor, value * factor)))
    within = all(low <= constants[name] <= high for name, (low, high) in bounds.items())
    return best_error, constants, within


def _membership(rules, values, columns, truth, normaliser, tolerance, rng, deadline):
    """Is the formula a member of the law's family, or else of one of the wider ones?"""
    if not np.all(np.isfinite(values)):
        lost = 100 * np.mean(~np.isfinite(values))
        return {"match": False, "why": f"undefined on {lost:.1f}% of the rows"}
    found = None
    for form in rules["forms"]:
        error, constants, within = _distance_to_form(
            form, values, columns, truth, normaliser, rng, deadline, FORM_FACTOR
        )
        if found is None or error < found["error"]:
            found = {"match": error < tolerance and within, "error": error, "constants": constants}
        if error < tolerance and within:
            break
    if not found["match"]:
        for form in rules.get("almost") or ():
            error, _, within = _distance_to_form(form, values, columns, truth, normaliser, rng, deadline)
            if error < tolerance and within:
                found["almost"] = form["expr"]
                break
    return found


def compare(text, problem, noise=0.0, seed=0, n_inside=300, n_outside=300, seconds=20.0):
    """What the numbers say of a formula; raises FormulaError if it cannot be read."""
    deadline = time.monotonic() + 0.8 * seconds
    names = names_of(problem)
    node, law = parse(text, names), parse(problem["formula"], names)
    rules = problem.get("grade") or {}
    mode, normaliser = rules.get("mode", "standard"), rules.get("normaliser", "relative")
    tolerance = rules.get("tol") or (TOLERANCE_NOISY if noise else TOLERANCE)
    rng = np.random.default_rng([seed, 20240229])
    inner = sample(problem, n_inside, rng)
    outer = sample(problem, n_outside, rng, outside=True)
    columns = {name: np.concatenate([inner[name], outer[name]]) for name in inner}
    truth = evaluate(law, columns, deadline)
    kept = np.isfinite(truth)
    if kept[:n_inside].sum() < 0.2 * n_inside:
        raise FormulaError(f"{problem.get('id')}: the law is undefined on most of its own ranges")
    columns = {name: column[kept] for name, column in columns.items()}
    truth = truth[kept]
    values = evaluate(node, columns, deadline)

    used, needed = variables_of(node, names), variables_of(law, names)
    errors = largest_errors(values, truth, normaliser)
    level = next((name for name, error in zip(LEVELS, errors, strict=True) if error < tolerance), "no")
    if level == "no" and mode != "form" and np.all(np.isfinite(values)):
        # Cancellation, as in 1 - cos(1e-9), can spoil both sides: look again with 50 digits.
        precise = _errors_with_digits(node, law, columns, truth, normaliser, deadline)
        level = next((name for name, error in zip(LEVELS, precise, strict=True) if error < tolerance), "no")
        if level != "no":
            errors = [min(pair) for pair in zip(errors, precise, strict=True)]
    result = {
        "mode": mode,
        "nodes": n_nodes(node),
        "true_nodes": int(rules.get("true_nodes") or n_nodes(law)),
        "unused_variables": sorted(needed - used),
        "extra_variables": sorted(used - needed),
        "errors": dict(zip(LEVELS, errors, strict=True)),
        "numeric": level,
    }
    if mode == "form":
        result["form"] = _membership(rules, values, columns, truth, normaliser, tolerance, rng, deadline)
    return result
