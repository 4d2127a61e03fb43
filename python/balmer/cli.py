"""The command line: ``balmer fit`` and ``balmer demo``."""

from __future__ import annotations

import argparse
import csv
import difflib
import logging
import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import balmer
from balmer import datasets
from balmer.selection import SELECTION_RULES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from balmer.regressor import SymbolicRegressor

__all__ = ["main"]

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BAD_INPUT = 2

_DEMOS = {
    "kepler": datasets.load_kepler,
    "hubble": datasets.load_hubble,
    "leavitt": datasets.load_leavitt,
    "bode": datasets.load_bode,
    "newton": datasets.load_newton,
    "ideal_gas": datasets.load_ideal_gas,
    "planck": datasets.load_planck,
    "rydberg": datasets.load_rydberg,
    "schechter": datasets.load_schechter,
    "tully": datasets.load_tully,
}

# The same for every demonstration: the operators of EmpiricalBench.
_DEMO_OPTIONS: dict[str, Any] = {
    "binary_operators": ["+", "-", "*", "/"],
    "unary_operators": ["square", "cube", "exp", "log", "sqrt"],
}
_DEMO_TIMEOUT = 55.0


class _BadInputError(Exception):
    """What the user gave cannot be used: one message, no traceback."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="balmer", description="Finds formulas in data.")
    parser.add_argument("--version", action="version", version=f"balmer {balmer.__version__}, {balmer.isa()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    fit = commands.add_parser("fit", help="find formulas for a column of a CSV file")
    fit.add_argument("file", type=Path, help="comma-separated values; the first line names the columns")
    fit.add_argument("--target", required=True, metavar="NAME", help="the column to predict")
    fit.add_argument("--features", metavar="A,B", help="the columns to use; without it, all others")
    fit.add_argument("--weights", metavar="NAME", help="a column of weights for the rows")
    fit.add_argument("--unary", metavar="OPS", help="operators with one operand, as in exp,log")
    fit.add_argument("--binary", metavar="OPS", help="operators with two operands (default: +,-,*,/)")
    fit.add_argument(
        "--define",
        metavar="TEXT",
        action="append",
        default=[],
        help="an operator of your own, as in 'inv(x) = 1/x'; may be repeated",
    )
    fit.add_argument(
        "--niterations", type=int, metavar="N", help="iterations (default: 100 after the last that helped)"
    )
    fit.add_argument("--maxsize", type=int, metavar="N", help="largest complexity (default: 30)")
    fit.add_argument("--output", type=Path, metavar="FILE", help="write the front to this CSV file")
    _add_common(fit)

    demo = commands.add_parser("demo", help="find a law of nature in the data that ship with balmer")
    demo.add_argument("name", nargs="?", choices=sorted(_DEMOS), help="which one; without it, their list")
    _add_common(demo)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="stop after this time")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed, the same front (default: 0)"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="threads (default: one for each processor)")
    parser.add_argument(
        "--selection",
        choices=SELECTION_RULES,
        help="how a formula of the front is chosen (default: dl)",
    )
    parser.add_argument("--quiet", action="store_true", help="show nothing while the search runs")


# ---- tables -----------------------------------------------------------------------------------------------


def _read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and the rows with the line of the file on which each ends."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in _siblings(path)], n=1)
        hint = f": did you mean {path.with_name(near[0])}?" if near else ""
        raise _BadInputError(f"there is no file {path}{hint}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _BadInputError(f"cannot read {path}: {error}") from None
    if not header:
        raise _BadInputError(f"{path} is empty: its first line must name the columns")
    for name in header:
        if header.count(name) > 1:
            raise _BadInputError(f"{path} has two columns named {name!r}: rename one of them")
    if not rows:
        raise _BadInputError(f"{path} has no rows below its first line")
    for line, row in rows:
        if len(row) != len(header):
            raise _BadInputError(
                f"{path}, line {line}: {len(row)} values, but there are {len(header)} columns"
            )
    return header, rows


def _siblings(path: Path) -> list[Path]:
    return list(path.parent.iterdir()) if path.parent.is_dir() else []


def _place(header: Sequence[str], name: str, path: Path) -> int:
    if name in header:
        return header.index(name)
    near = difflib.get_close_matches(name, header, n=1, cutoff=0.5)
    if not near:
        near = [column for column in header if column.lower() == name.lower()]
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, header))}"
    raise _BadInputError(f"{path} has no column {name!r}: {hint}")


def _numbers(rows: list[tuple[int, list[str]]], place: int, name: str, path: Path) -> NDArray[np.float64]:
    values = np.empty(len(rows))
    for i, (line, row) in enumerate(rows):
        cell = row[place].strip()
        where = f"{path}, line {line}, column {name!r}"
        try:
            values[i] = float(cell)
        except ValueError:
            what = f"{cell!r} is not a number" if cell else "there is no value"
            raise _BadInputError(f"{where}: {what}. Correct it, or choose columns with --features") from None
        if not math.isfinite(values[i]):
            raise _BadInputError(f"{where}: the value is {cell}. Leave such rows out of the file")
    return values


# ---- commands ---------------------------------------------------------------------------------------------


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _options(args: argparse.Namespace) -> dict[str, Any]:
    return {
        **({} if args.selection is None else {"model_selection": args.selection}),
        "timeout_in_seconds": args.timeout,
        "random_state": args.seed,
        "n_jobs": args.jobs,
        "verbosity": 0 if args.quiet else 1,
    }


def _operators(args: argparse.Namespace) -> dict[str, Any]:
    from balmer.operators import definition_arity

    unary, binary = _words(args.unary), _words(args.binary)
    for text in args.define:
        if definition_arity(text) == 1:
            unary = [*(unary or []), text]
        else:
            binary = [*(binary or ["+", "-", "*", "/"]), text]
    return {"unary_operators": unary, "binary_operators": binary}


def _fit(args: argparse.Namespace) -> int:
    header, rows = _read_table(args.file)
    target = _place(header, args.target, args.file)
    weight = None if args.weights is None else _place(header, args.weights, args.file)
    chosen = _words(args.features)
    if chosen is None:
        places = [j for j in range(len(header)) if j not in (target, weight)]
    else:
        places = [_place(header, name, args.file) for name in chosen]
    if not places:
        raise _BadInputError(f"{args.file} has no column beside the target")
    if target in places:
        raise _BadInputError(f"the target {args.target!r} is among the features: leave it out of --features")
    y = _numbers(rows, target, args.target, args.file)
    X = np.column_stack([_numbers(rows, j, header[j], args.file) for j in places])
    weights = None if weight is None else _numbers(rows, weight, args.weights, args.file)
    if args.output is not None and not args.output.parent.is_dir():
        raise _BadInputError(f"there is no folder {args.output.parent} for --output")

    limits = {
        name: value for name in ("niterations", "maxsize") if (value := getattr(args, name)) is not None
    }
    model = balmer.SymbolicRegressor(**_operators(args), **limits, **_options(args))
    names = [header[j] for j in places]
    model.fit(X, y, sample_weight=weights, variable_names=names)
    _show(model, args.target)
    if args.output is not None:
        _write_front(model, args.output)
    return _INTERRUPTED if model.interrupted_ else 0


def _demo(args: argparse.Namespace) -> int:
    if args.name is None:
        for name, load in _DEMOS.items():
            print(f"balmer demo {name:10}  {load().title}")
        return 0
    data = _DEMOS[args.name]()
    options = {"timeout_in_seconds": _DEMO_TIMEOUT, **_DEMO_OPTIONS}
    options.update({key: value for key, value in _options(args).items() if value is not None})
    columns = ", ".join(f"{name} [{data.units[name]}]" for name in data.feature_names)
    target = f"{data.target_name} [{data.units[data.target_name]}]"
    print(f"{data.title}: {target} from {columns}, {len(data.y)} rows\n")
    model = balmer.SymbolicRegressor(**options)
    model.fit(data.X, data.y, variable_names=data.feature_names)
    _show(model, data.target_name)
    return _INTERRUPTED if model.interrupted_ else 0


def _show(model: SymbolicRegressor, target: str) -> None:
    chosen = model.expression()
    assert isinstance(chosen, balmer.Expression)
    print(model)
    print(f"\n{target} = {chosen.text(model.print_precision)}")
    effort = f"{model.search_seconds_:.1f} s, {model.n_evaluations_:,.0f} evaluations"
    print(f"{effort}, stopped by: {model.stop_reason_}")


def _write_front(model: SymbolicRegressor, path: Path) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["complexity", "loss", "score", "equation"])
            for row in model.fronts_[0]:
                writer.writerow([row.complexity, repr(row.loss), repr(row.score), str(row.expression)])
    except OSError as error:
        raise _BadInputError(f"cannot write {path}: {error}") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; without it, those of the process.

    Returns
    -------
    code : int
        0; 2 for input that cannot be used, with one message on the standard error stream; 130 after Ctrl-C.
    """
    args = _parser().parse_args(argv)
    if not args.quiet and not sys.stderr.isatty():
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = _show_warning
            return _fit(args) if args.command == "fit" else _demo(args)
    except KeyboardInterrupt:
        print("balmer: interrupted before there was a formula", file=sys.stderr)
        return _INTERRUPTED
    except (_BadInputError, ValueError, TypeError) as error:
        print(f"balmer: {error}", file=sys.stderr)
        return _BAD_INPUT


def _show_warning(message: Warning | str, *_args: Any, **_kwargs: Any) -> None:
    print(f"balmer: {message}", file=sys.stderr)
