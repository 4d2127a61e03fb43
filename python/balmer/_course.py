"""The course of a fit: who is told of it, what goes to disk meanwhile, and what was there before."""

from __future__ import annotations

import csv
import inspect
import io
import logging
import random
import string
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from balmer import _core
from balmer._results import TargetResult
from balmer._saving import CHECKPOINT, model_text, write_atomically
from balmer.callbacks import Callback, ProgressRow, SearchProgress
from balmer.expression import Expression
from balmer.operators import compiled_function
from balmer.selection import Front, FrontRow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from balmer._data import Rows, Table

__all__ = ["Before", "Course", "finished", "whole_loss"]

_logger = logging.getLogger("balmer")


def whole_loss(function: Callable[..., float], rows: Rows) -> Callable[[NDArray[np.float64]], float]:
    """Return a loss of whole arrays as a function of the predictions alone.

    Raises
    ------
    TypeError
        If it is not a function of two or three arguments.
    """
    if (capsule := compiled_function(function)) is not None:
        return lambda prediction: _core.call_compiled_loss(capsule, prediction, rows.y, rows.weights)
    if not callable(function):
        raise TypeError(
            f"loss_function is {function!r}: give a function of (y_pred, y) or (y_pred, y, weights); a "
            "loss as text goes to elementwise_loss"
        )
    y, weights = rows.y, rows.weights
    try:
        inspect.signature(function).bind(y, y, weights)
    except TypeError:
        try:
            inspect.signature(function).bind(y, y)
        except TypeError:
            raise TypeError(
                f"loss_function is {function!r}: it must take (y_pred, y) or (y_pred, y, weights)"
            ) from None
        return lambda prediction: function(prediction, y)
    except ValueError:  # built-in, without a signature
        return lambda prediction: function(prediction, y)
    return lambda prediction: function(prediction, y, weights)


def finished(front: Front, table: Table, names: Sequence[str]) -> Front:
    """Return the front of a search as one over all columns of the user's X."""
    rows = (
        replace(
            row,
            expression=table.finish(row.expression, names),
            standard_errors=table.powers.errors(row.expression, row.standard_errors),
            parts=_written(row.parts, table),
            unknowns=table.powers.errors(row.expression, row.unknowns),
        )
        for row in front
    )
    return Front.of_rows(rows, front.loss_scale)


def _written(
    parts: Mapping[str, Expression | list[float]] | None, table: Table
) -> Mapping[str, Expression | list[float]] | None:
    if parts is None:
        return None
    return {
        name: table.powers.written(value) if isinstance(value, Expression) else value
        for name, value in parts.items()
    }


@dataclass(frozen=True)
class Before:
    """What an estimator knew before this fit."""

    results: list[TargetResult]
    n_finished: int
    n_outputs: int
    n_features: int
    seed: int

    @classmethod
    def of(cls, model: Any) -> Before | None:
        """Return what a model knows, None if it was not fitted."""
        if not getattr(model, "fronts_", None):
            return None
        # A checkpoint of a search that runs has its front and its state, but no more of it.
        known = (model.fronts_, model.states_, model.search_records_, model.uncertainties_)
        return cls(
            results=[
                TargetResult(front or Front.of_rows(()), state or "", records or [], spread or [])
                for front, state, records, spread in zip_longest(*known)
            ],
            n_finished=model.n_finished_,
            n_outputs=model.n_outputs_,
            n_features=model.n_features_in_,
            seed=model.seed_,
        )

    def finished(self) -> list[TargetResult]:
        """Return what is known of the targets whose search came to its end."""
        return self.results[: self.n_finished]

    def fits(self, model: Any) -> bool:
        """Whether the new data have as many columns and targets."""
        return (self.n_outputs, self.n_features) == (model.n_outputs_, model.n_features_in_)

    def continued(
        self,
        make: Callable[..., _core.Search],
        target: int,
        going_on: bool,
        as_guess: Callable[[FrontRow], Any],
    ) -> _core.Search:
        """Return a search that goes on from where the one before stopped.

        With other data or options it begins from the formulas that were found, their constants fitted anew:
        from what `as_guess` makes of each row of the front, None where nothing can be made of it.

        Raises
        ------
        ValueError
            For other data or options, if it is to go on to the same result.
        """
        state = self.results[target].state if target < len(self.results) else ""
        if state:
            search = make()
            try:
                search.load(state)
            except ValueError as error:
                if going_on:
                    raise
                _logger.info("the search begins from the front of the last fit: %s", error)
            else:
                return search
        if going_on:
            return make()
        rows = self.results[target].front if target < len(self.results) else ()
        return make([guess for row in rows if (guess := as_guess(row)) is not None])


class Course:
    """Tells callbacks of a fit, and writes checkpoints.

    Parameters
    ----------
    model : SymbolicRegressor
    going_on : bool
        Whether the fit brings an interrupted one to its end.
    """

    def __init__(self, model: Any, going_on: bool) -> None:
        self.going_on = going_on
        self._model = model
        self._callbacks: list[Callback] = list(model.callbacks or ())
        for callback in self._callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks holds {callback!r}: give objects of classes derived from "
                    "balmer.callbacks.Callback"
                )
        if not model.checkpoint_interval >= 0:
            raise ValueError(
                f"checkpoint_interval is {model.checkpoint_interval!r}: give seconds, 0 for after every "
                "iteration"
            )
        self._folder: Path | None = None
        self._written = -float("inf")

    @property
    def active(self) -> bool:
        """Whether there is anything to call `see` for."""
        return bool(self._callbacks) or self._folder is not None

    def start(self) -> None:
        """Before the first search."""
        model = self._model
        if model.output_directory is not None:
            if not (self.going_on and hasattr(model, "run_id_")):
                model.run_id_ = model.run_id or _new_run_id()
                model.output_directory_ = str(model.output_directory)
            self._folder = Path(model.output_directory_, model.run_id_)
            self._folder.mkdir(parents=True, exist_ok=True)
        elif model.run_id is not None:
            raise ValueError(
                f"run_id is {model.run_id!r}, but there is no output_directory to make a folder of that "
                "name in"
            )
        for callback in self._callbacks:
            callback.on_fit_start(model)

    def see(self, progress: _core.Progress, target: int, search: _core.Search, table: Table) -> bool:
        """Between two iterations. Return whether to go on."""
        names = self._model.variable_names_
        go_on = True
        if self._callbacks:
            front = tuple(
                ProgressRow(row.complexity, row.loss, table.finish(Expression(row.expression), names))
                for row in progress.front
            )
            state = SearchProgress(
                target, progress.iteration, progress.iterations, progress.evaluations, progress.seconds, front
            )
            for callback in self._callbacks:
                go_on &= callback.on_progress(state) is not False
        now = time.monotonic()
        if self._folder is not None and now - self._written >= self._model.checkpoint_interval:
            self._written = now
            rows = progress.front
            partial = Front(
                [row.complexity for row in rows],
                [row.loss for row in rows],
                [table.finish(Expression(row.expression), names) for row in rows],
                loss_scale=self._model.loss_scale,
            )
            fronts = [*self._model.fronts_, *([partial] if rows else [])]
            states = [*self._model.states_, search.save().decode()]
            self._write(fronts, fronts_=fronts, states_=states, stop_reason_="unfinished")
        return go_on

    def end(self) -> None:
        """After the last search."""
        if self._folder is not None:
            self._write(self._model.fronts_)
        for callback in self._callbacks:
            callback.on_fit_end(self._model)

    def _write(self, fronts: Sequence[Front], **changed: Any) -> None:
        assert self._folder is not None
        write_atomically(self._folder / CHECKPOINT, model_text(self._model, **changed))
        for k, front in enumerate(fronts):
            suffix = f"_output{k + 1}" if self._model.n_outputs_ > 1 else ""
            table = io.StringIO()
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(["Complexity", "Loss", "Equation"])
            writer.writerows([row.complexity, repr(row.loss), str(row.expression)] for row in front)
            write_atomically(self._folder / f"hall_of_fame{suffix}.csv", table.getvalue())


def _new_run_id() -> str:
    # Of the system's randomness: nobody's seed may make two runs share a folder.
    letters = "".join(random.SystemRandom().choices(string.ascii_letters + string.digits, k=6))
    return f"{time.strftime('%Y%m%d_%H%M%S')}_{letters}"
