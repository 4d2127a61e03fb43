"""One fit in a process of its own: what the benches of whole searches are made of.

The parent writes a task as JSON to the standard input of ``python bench/runs.py`` and reads the answer from
the last line of its output. The child may use so many CPU seconds and so much memory, and ends whatever
happens.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPARE_CPU = 30.0  # seconds for imports, and for the last fit after the budget is spent
WALL_FACTOR = 20.0  # on a busy machine a CPU second may take this long

# Names of operators in suites that are none of an estimator's: numbers are free everywhere.
NO_OPERATORS = {"constants", "exp(-x)"}
ARITHMETIC = {"+", "-", "*", "/", "pow", "neg"}


def operators_of(problem, complete=False):
    """(binary, unary) operators for the estimator, from those that a problem names.

    `complete` adds the functions of the law that the problem does not name.
    """
    named = [name for name in problem.get("operators") or [] if name not in NO_OPERATORS]
    if not named:
        raise ValueError(f'{problem["id"]}: neither the problem nor its suite has "operators": add them')
    if complete:
        named += [name for name in problem.get("uses", []) if name not in ARITHMETIC and name not in named]
    binary = [name for name in named if name in ("+", "-", "*", "/", "pow", "max", "min", "atan2")]
    return binary, [name for name in named if name not in binary]


def processor():
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        return platform.processor()
    return found.group(1) if found else platform.processor()


def commit():
    """Of the working tree that this file is in; empty outside of one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=8"]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


class CpuBudget:
    """Stops a search when this process has used so many CPU seconds since the object was made.

    An early_stop_condition, for timeout_in_seconds counts seconds of the wall, of which a busy machine gives
    a search more or fewer. Looked at when the search reports its progress.
    """

    def __init__(self, seconds):
        self.end = time.process_time() + seconds

    def __call__(self, loss, complexity):
        return time.process_time() > self.end


def set_core_options(parameters):
    """Take ``core.NAME`` out of the parameters and set those options of the core in every search to come.

    For the switches that no estimator has: they are there to be measured, not to be chosen.
    """
    from balmer import _search

    chosen = {name[5:]: value for name, value in parameters.items() if name.startswith("core.")}
    original = _search.search_options

    def with_switches(*arguments):
        options = original(*arguments)
        for name, value in chosen.items():
            if not hasattr(options, name):
                raise AttributeError(
                    f"the core has no option {name!r}: see SearchOptions in balmer/_core.pyi"
                )
            kind = type(getattr(options, name))
            setattr(options, name, getattr(kind, value) if isinstance(value, str) else value)
        return options

    if chosen:
        _search.search_options = with_switches
    return {name: value for name, value in parameters.items() if not name.startswith("core.")}


def fit(X, y, names, *, budget, seed, parameters, n_jobs=1, weights=None, with_model=False):
    """Fit an estimator with default settings and `parameters`, and tell how it went, as a dictionary."""
    from balmer import SymbolicRegressor

    settings = {"n_jobs": n_jobs, "verbosity": 0, "progress": False, "random_state": seed}
    settings |= set_core_options(parameters)
    if settings.pop("bench.one_iteration", False):  # niterations=1 would make the stage before it shorter too
        settings["early_stop_condition"] = lambda loss, complexity: True
    begin, begin_cpu = time.perf_counter(), time.process_time()
    if budget is not None:
        settings.setdefault("early_stop_condition", CpuBudget(budget))
    model = SymbolicRegressor(**settings)
    model.fit(X, y, sample_weight=weights, variable_names=names)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    best = model.get_best()
    front = model.fronts_[0]
    answer = {
        "cpu_s": round(cpu_seconds, 3),
        "wall_s": round(seconds, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "stop_reason": model.stop_reason_,
        "iterations": model.n_iterations_,
        "evaluations": model.n_evaluations_,
        "front": [
            {"complexity": row.complexity, "loss": row.loss, "equation": str(row.expression)} for row in front
        ],
        "selected": [str(row.expression) for row in front].index(str(best["equation"])),
    }
    return (answer, model) if with_model else answer


def run_task(task):
    """In the child: the rows of a problem, and the fit."""
    sys.path.insert(0, str(HERE))
    from grade import find, load_suite, make_rows

    suite = load_suite(task["suite"])
    problem = find(suite, task["id"])
    names, (X, y), _ = make_rows(
        suite, problem, seed=task["seed"], rows=task["rows"], noise=task["noise"], dummies=task["dummies"]
    )
    binary, unary = operators_of(problem, task.get("operators") == "complete")
    parameters = {"binary_operators": binary, "unary_operators": unary, **task.get("parameters", {})}
    answer = fit(
        X, y, names, budget=task["budget"], seed=task["seed"], parameters=parameters, n_jobs=task["n_jobs"]
    )
    return {"n_rows": len(y), "n_features": X.shape[1], **answer}


def _limits(cpu_seconds, memory):
    def set_limits():
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_seconds), int(cpu_seconds) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    return set_limits


def in_process(program, task, *, cpu_seconds, memory=8 << 30, wall_seconds=None):
    """Run ``python program`` with `task` on its standard input, within limits.

    Returns its last line, read as JSON, with ``status`` "ok"; else ``status`` is "error" (it raised), "cpu"
    (the limit of CPU seconds), "wall", "memory" or "crash", with a ``reason``.
    """
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(program)],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            preexec_fn=_limits(cpu_seconds, memory),
            timeout=wall_seconds or WALL_FACTOR * cpu_seconds,
        )
    except subprocess.TimeoutExpired:
        return {
            "status": "wall",
            "reason": f"no answer after {wall_seconds or WALL_FACTOR * cpu_seconds:g} s",
        }
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return {"status": "ok", **json.loads(lines[-1])}
    errors = done.stderr.strip().splitlines() or [""]
    if done.returncode in (-24, -9):  # SIGXCPU, or SIGKILL five seconds later
        return {"status": "cpu", "reason": f"killed after {cpu_seconds:g} CPU s"}
    if "MemoryError" in errors[-1] or "bad_alloc" in errors[-1]:
        return {"status": "memory", "reason": errors[-1][:300]}
    if done.returncode < 0:
        return {"status": "crash", "reason": f"signal {-done.returncode}: {errors[-1][:300]}"}
    return {"status": "error", "reason": errors[-1][:300]}


def run(task):
    """Fit the problem of a task in a process of its own; `in_process` tells what is returned."""
    return in_process(HERE / "runs.py", task, cpu_seconds=2 * task["budget"] + SPARE_CPU)


if __name__ == "__main__":
    print(json.dumps(run_task(json.load(sys.stdin))))
