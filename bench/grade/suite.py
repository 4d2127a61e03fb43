"""Suites of problems: one JSON file each, in the format that bench/suites/README.md describes."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from grade.formula import FormulaError


def load_suite(path):
    """Read a suite; what it says of all its problems is written into each.

    Raises FormulaError if the file is no suite, OSError if it cannot be read.
    """
    path = Path(path)
    try:
        suite = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise FormulaError(f"{path} is not JSON: {error}") from None
    if not isinstance(suite, dict) or not isinstance(suite.get("problems"), list):
        raise FormulaError(f'{path} is not a suite: it has no list "problems"')
    for problem in suite["problems"]:
        problem.setdefault("operators", suite.get("operators"))
        if suite.get("noise") and "noise" not in problem:
            problem["noise"] = suite["noise"]
    suite["path"] = path
    return suite


def short_name(identifier):
    return identifier.split("/", 1)[-1]


def find(suite, identifier):
    """The problem of that id, with or without the name of the suite before it."""
    for problem in suite["problems"]:
        if identifier in (problem["id"], short_name(problem["id"])):
            return problem
    known = [problem["id"] for problem in suite["problems"]]
    known += [short_name(name) for name in known]
    near = difflib.get_close_matches(identifier, known, 3)
    hint = f": did you mean {' or '.join(near)}?" if near else ""
    raise FormulaError(f"no problem {identifier!r} in {suite['path'].name}{hint}")


def training_fraction(suite):
    protocol = suite.get("protocol") or {}
    if "train_fraction" in protocol:
        return float(protocol["train_fraction"])
    split = protocol.get("split")
    if isinstance(split, dict) and protocol.get("rows"):
        return split["train"] / protocol["rows"]
    return 0.75


def n_training_rows(suite):
    """Training rows of the suite's own protocol; None if each problem has rows of its own."""
    rows = (suite.get("protocol") or {}).get("rows")
    return None if rows is None else round(rows * training_fraction(suite))


def data_file(suite, problem):
    """The table of a problem that has measurements, looked for beside the suite and one folder up."""
    folder = suite["path"].resolve().parent
    for place in (folder, folder.parent):
        if (place / problem["data"]).is_file():
            return place / problem["data"]
    raise FormulaError(
        f"{problem['id']}: no file {problem['data']} beside {suite['path']} or one folder up: put it there"
    )
