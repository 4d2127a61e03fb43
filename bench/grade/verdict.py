"""The verdict on a formula, or on a front of them."""

from __future__ import annotations

import math

from grade import numeric, symbolic
from grade.child import in_child

CONSTANT_TOLERANCE = 1e-3  # relative, in the comparison by sympy, when the training rows had no noise
CONSTANT_TOLERANCE_NOISY = 1e-2
NODE_FACTOR, NODE_SLACK = (
    3.0,
    8,
)  # more nodes than factor * true + slack: too complex to count on numbers alone
SOLVED = ("exact", "form", "additive", "multiplicative")
ORDER = (*SOLVED, "almost", "overcomplex", "no", "error", "invalid")


def _noise_of(problem, noise):
    return float((problem.get("noise") or {}).get("level") or 0) if noise is None else noise


def _numbers(text, problem, noise, seed, timeout):
    status, value = in_child(numeric.compare, (text, problem, noise, seed, 300, 300, timeout), timeout)
    result = {"id": problem.get("id"), "expression": text, "noise": noise}
    if status == "ok":
        result |= value
        result["node_ratio"] = result["nodes"] / result["true_nodes"]
    else:
        result |= {
            "verdict": "invalid" if status == "invalid" else "error",
            "reason": f"numeric comparison: {value}" if status == "timeout" else value,
        }
    return result


def _is_heavy(result):
    return result["nodes"] > NODE_FACTOR * result["true_nodes"] + NODE_SLACK


def _judge_form(result):
    form = result["form"]
    if form["match"]:
        return "overcomplex" if _is_heavy(result) else "form"
    return "almost" if form.get("almost") else "no"


def _judge(result, problem, timeout):
    """Numbers and sympy together. Sets `symbolic`, and `reason` where the numbers alone do not count."""
    tolerance = CONSTANT_TOLERANCE_NOISY if result["noise"] else CONSTANT_TOLERANCE
    errors = result["errors"]
    level, by = "skipped", "the numbers are far apart"
    if min(errors.values()) < 30 * tolerance:
        arguments = (result["expression"], problem, tolerance, 0.9 * timeout)
        status, value = in_child(symbolic.compare, arguments, timeout)
        level, by = value if status == "ok" else (status, value)
    result["symbolic"] = {"result": level, "by": by}
    # A likeness of structure counts when the numbers do not contradict it.
    levels = [name for name in (level,) if name in errors and errors[name] < 30 * tolerance]
    if not levels and result["numeric"] != "no":
        invisible = (problem.get("grade") or {}).get("numeric_only") is False
        if _is_heavy(result):
            why = "overcomplex"
        elif result["unused_variables"] or invisible:
            why = "no"
        else:
            return result["numeric"]
        result["reason"] = "the numbers agree within the tolerance, which alone is not enough here"
        return why
    if result["numeric"] != "no":
        levels.append(result["numeric"])
    return min(levels, key=numeric.LEVELS.index, default="no")


def _finish(result, problem, timeout):
    if "verdict" not in result:
        if result["mode"] == "form":
            result["verdict"] = _judge_form(result)
        else:
            result["verdict"] = _judge(result, problem, timeout)
    result["solved"] = result["verdict"] in SOLVED
    return result


def grade(text, problem, noise=None, seed=0, timeout=20.0):
    """Judge one formula.

    Parameters
    ----------
    text : str
        Infix, in the notation of Python or balmer, over the names of the problem's variables.
    problem : dict
        An entry of a suite.
    noise : float, optional
        Of the training rows; by default that of the problem. With noise the tolerances are wider.
    timeout : float
        Seconds for each of the two comparisons.

    Returns
    -------
    result : dict
        `solved` and `verdict`: ``exact``, ``additive`` and ``multiplicative`` (equal but for one constant
        added or one factor) and ``form`` (a member of the law's family) are solved; ``almost`` (of a wider
        family), ``overcomplex`` (right in numbers only, and far too large), ``no``, ``invalid`` (no formula)
        and ``error`` (no answer in time) are not. `nodes`, `true_nodes` and `node_ratio` count the trees as
        written.
    """
    noise = _noise_of(problem, noise)
    return _finish(_numbers(text, problem, noise, seed, timeout), problem, timeout)


def grade_front(texts, problem, noise=None, seed=0, timeout=20.0):
    """Judge the formulas of a front: solved if one is.

    Those whose numbers are right are looked at first, the smallest first, and the first that is solved is the
    answer; without one, the best by verdict and then by error. `front_index` tells its place.
    """
    noise = _noise_of(problem, noise)
    results = [
        dict(_numbers(text, problem, noise, seed, timeout), front_index=k) for k, text in enumerate(texts)
    ]

    def error(result):
        return min(result.get("errors", {"none": math.inf}).values())

    def promise(result):
        right = result.get("numeric", "no") != "no" or result.get("form", {}).get("match", False)
        return (not right, result.get("nodes", 0) if right else error(result))

    for result in sorted(results, key=promise):
        if _finish(result, problem, timeout)["solved"]:
            return result
    nothing = {"verdict": "invalid", "reason": "no formula given", "solved": False}
    return min(results, key=lambda result: (ORDER.index(result["verdict"]), error(result)), default=nothing)
