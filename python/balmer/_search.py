"""The searches of a fit, one for each target: what goes into the core, and what comes out of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from balmer import _core
from balmer._course import finished, whole_loss
from balmer._data import Rows, Table, named_constants
from balmer._display import Display
from balmer._results import SearchRecord, TargetResult
from balmer._uncertainty import Uncertainty, uncertainty
from balmer.expression import Expression
from balmer.losses import as_loss
from balmer.operators import compiled_function
from balmer.options import parsed_guess, search_options, stop_function
from balmer.selection import Front, FrontRow

if TYPE_CHECKING:
    from balmer._course import Before, Course
    from balmer.operators import OperatorChoice

__all__ = ["Searches"]


class Searches:
    """Runs the searches of a fit.

    Parameters
    ----------
    model : SymbolicRegressor
        Its parameters say how; why each search ended, and after how much work, is added to its attributes.
    table : Table
    chosen : OperatorChoice
    course : Course
    before : Before or None
        From which to go on.
    """

    def __init__(
        self, model: Any, table: Table, chosen: OperatorChoice, course: Course, before: Before | None
    ) -> None:
        self._model = model
        self._table = table
        self._chosen = chosen
        self._course = course
        self._before = before
        spec = model.expression_spec
        self._spec = None if spec is None else spec.over(model.variable_names_, table)

    def run(self, target: int, guesses: Sequence[Any]) -> TargetResult:
        """Search for one target; a constant is the answer to a constant one, and to all after Ctrl-C."""
        model = self._model
        rows = self._table.rows(target)
        if model.loss_function is None:
            rows = rows.merged()
        if model.interrupted_:
            return self._constant(rows)
        if rows.y.min() == rows.y.max():
            model.stop_reason_ = "constant_target"
            column = f" in column {target}" if model.n_outputs_ > 1 else ""
            warnings.warn(
                f"y{column} is constant ({rows.y[0]:.6g} in every row): the formula is that constant. Check "
                "the target if this is not what you expect",
                UserWarning,
                stacklevel=4,
            )
            return self._constant(rows)
        return self._search(rows, target, guesses)

    def _finish(self, expression: Expression) -> Expression:
        return self._table.finish(expression, self._model.variable_names_)

    def _search(self, rows: Rows, target: int, guesses: Sequence[Any]) -> TargetResult:
        model, course, before = self._model, self._course, self._before

        def make(more_guesses: Sequence[Any] = ()) -> _core.Search:
            return self._made(rows, target, guesses, more_guesses)

        search = make() if before is None else before.continued(make, target, course.going_on, self._as_guess)
        should_stop = stop_function(model.early_stop_condition)
        display = Display(
            verbosity=model.verbosity,
            progress=model.progress,
            precision=model.print_precision,
            title=f"target {target}" if model.n_outputs_ > 1 else "",
        )

        def report(progress: _core.Progress) -> bool:
            display.update(progress)
            go_on = course.see(progress, target, search, self._table)
            if should_stop is not None:
                go_on &= not any(should_stop(row.loss, row.complexity) for row in progress.front)
            return go_on

        with display:
            watched = display.active or should_stop is not None or course.active
            result = search.run(report if watched else None)
        if not result.front and result.reason == "interrupted":
            raise KeyboardInterrupt
        model.stop_reason_ = result.reason
        model.interrupted_ = result.reason == "interrupted"
        model.n_iterations_ += result.iterations
        model.n_evaluations_ += result.evaluations
        model.search_seconds_ += result.seconds
        if result.front:
            front = Front.of(result.front, model.loss_scale, self._spec)
            front = finished(front, self._table, model.variable_names_)
        else:  # no iterations and no guesses, or nothing keeps to the units
            if self._table.units is not None:
                warnings.warn(
                    "no formula that keeps to the units was found: the one returned is a constant. Allow "
                    "more iterations, or constants with units (dimensionless_constants_only=False)",
                    UserWarning,
                    stacklevel=5,
                )
            front = self._constant_front(rows)
        return TargetResult(
            front=front,
            state=search.save().decode(),
            records=[SearchRecord.of(entry, self._finish) for entry in result.log],
            uncertainties=self._uncertainties(front, rows),
        )

    def _as_guess(self, row: FrontRow) -> Any:
        """Return a formula of an earlier front as a guess; None if columns, operators or template differ."""
        chosen, spec = self._chosen, self._spec
        try:
            if spec is None:
                guess: Any = str(row.expression)
                formulas = [chosen.parse(guess, self._table.names)]
            else:
                guess = row.parts
                formulas, _ = spec.guess(guess, spec.compiled(chosen).arities, chosen)
        except (TypeError, ValueError):
            return None
        known = {chosen.set.name(code) for code in chosen.codes}
        used = {name for formula in formulas for name, arity, _ in formula.nodes if arity}
        return guess if used <= known else None

    def _made(
        self, rows: Rows, target: int, guesses: Sequence[Any], more_guesses: Sequence[str]
    ) -> _core.Search:
        model, names, units = self._model, self._table.names, self._table.units
        params = {
            **model.get_params(deep=False),
            "expression_spec": self._spec,
            "complexity_of_variables": self._complexity_of_variables(),
        }
        every_guess = [*guesses, *more_guesses]
        options = search_options(params, self._chosen, names, every_guess, model.seed_ + target)
        if units is not None:
            if self._spec is not None:
                raise ValueError(
                    "expression_spec is given, and units are: the parts of a template have no units yet. "
                    "Leave one out"
                )
            options.dimensions = units.dimensions(names, target, model.dimensionless_constants_only)
            if math.isinf(options.dimensional_constraint_penalty):
                self._check_units(guesses, options.dimensions)
        loss = compiled_function(model.loss_function)
        if loss is None and model.loss_function is not None:
            loss = whole_loss(model.loss_function, rows)
        mapping = self._mapping(model.complexity_mapping)
        return _core.Search(rows.X, rows.y, rows.weights, names, self._chosen.set, options, loss, mapping)

    def _check_units(self, guesses: Sequence[Any], dimensions: _core.DataDimensions) -> None:
        for guess in guesses:
            part = dimensions.violating_part(parsed_guess(guess, self._table.names, self._chosen))
            if part is not None:
                raise ValueError(
                    f"guesses has {str(guess)!r}, but {part!r} violates the units: correct them, or give "
                    "dimensional_constraint_penalty a number"
                )

    def _mapping(self, function: Any) -> Callable[[_core.Expression], Any] | None:
        if function is None:
            return None
        if not callable(function):
            raise TypeError(f"complexity_mapping is {function!r}: give a function of an Expression")
        return lambda formula: function(self._table.powers.written(Expression(formula)))

    def _complexity_of_variables(self) -> float | list[float] | None:
        """Return what each column of the table counts, from what each column of X counts."""
        given = self._model.complexity_of_variables
        if self._spec is not None:  # its parts have arguments
            return given  # type: ignore[no-any-return]
        names, places = self._model.variable_names_, self._table.places
        _, of_constants = named_constants(self._model.named_constants, names)
        if isinstance(given, (list, tuple, np.ndarray)) and len(given) == len(names):
            return [*(float(given[j]) for j in places), *of_constants]
        if not of_constants or (given is not None and not isinstance(given, (int, float))):
            return given  # type: ignore[no-any-return]
        return [1.0 if given is None else float(given)] * len(places) + of_constants

    def _constant(self, rows: Rows) -> TargetResult:
        front = self._constant_front(rows)
        return TargetResult(front, uncertainties=self._uncertainties(front, rows))

    def _constant_front(self, rows: Rows) -> Front:
        model, operators = self._model, self._chosen.set
        y, weights = rows.y, rows.weights
        mean = float(y[0]) if y.min() == y.max() else float(np.average(y, weights=weights))
        loss = float(np.average((y - mean) ** 2, weights=weights))
        formula = _core.Expression.parse("0", self._table.names, operators).with_constants([mean])
        if model.elementwise_loss is not None:
            given = as_loss(model.elementwise_loss, operators.definitions)._core
            fit = _core.fit_constants(formula, rows.X, y, weights, 200, given)
            formula, loss = fit.expression, fit.loss
        elif model.loss_function is not None:
            loss = float(whole_loss(model.loss_function, rows)(np.full(len(y), mean)))
        complexity = 1.0 if model.complexity_of_constants is None else model.complexity_of_constants
        if model.complexity_mapping is not None:
            complexity = model.complexity_mapping(Expression(formula))
        r2 = 1.0 if y.min() == y.max() and loss == 0 else 0.0
        expression = self._finish(Expression(formula))
        return Front.of_rows([FrontRow(max(1, round(complexity)), loss, 0.0, expression, r2=r2)])

    def _uncertainties(self, front: Front, rows: Rows) -> list[Uncertainty]:
        """Return how sure each formula of a front is; nothing by other losses than least squares."""
        if self._model.elementwise_loss is not None or self._model.loss_function is not None:
            return []
        X = self._table.widened(rows.X, len(self._model.variable_names_))
        return [uncertainty(row.expression, Rows(X, rows.y, rows.weights), row.unknowns) for row in front]
