"""What a fitted model tells: its fronts, its chosen formulas, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from balmer._dimensions import DataUnits
from balmer.expression import Expression
from balmer.options import selection_rule
from balmer.selection import Front, FrontRow

if TYPE_CHECKING:
    import pandas as pd
    import sympy

    from balmer import _core
    from balmer._uncertainty import Uncertainty

__all__ = ["FrontResults", "SearchRecord", "TargetResult"]


@dataclass(frozen=True)
class SearchRecord:
    """A line of the search log: what a stage had found when it had done so much work."""

    COLUMNS: ClassVar[list[str]] = [
        "stage",
        "work",
        "evaluations",
        "cpu_seconds",
        "complexity",
        "loss",
        "equation",
    ]

    stage: str
    work: float
    evaluations: float
    cpu_seconds: float
    complexity: int
    loss: float
    expression: Expression | None

    @classmethod
    def of(
        cls, entry: _core.LogEntry, finish: Callable[[Expression], Expression] = lambda e: e
    ) -> SearchRecord:
        """Make a record of one of the core's; `finish` brings its formula to the columns of the user."""
        expression = None if entry.expression is None else finish(Expression(entry.expression))
        return cls(
            entry.stage,
            entry.work,
            entry.evaluations,
            entry.cpu_seconds,
            entry.complexity,
            entry.loss,
            expression,
        )

    def row(self) -> list[Any]:
        """Values of the columns."""
        equation = "" if self.expression is None else str(self.expression)
        return [*(getattr(self, name) for name in self.COLUMNS[:-1]), equation]


@dataclass(frozen=True)
class TargetResult:
    """What is known of one target: its front, and what goes with it.

    Attributes
    ----------
    front : Front
    state : str
        From which a search goes on; empty if there was none.
    records : list of SearchRecord
    uncertainties : list of Uncertainty
        One for each row of the front; none by other losses than least squares.
    """

    front: Front
    state: str = ""
    records: list[SearchRecord] = field(default_factory=list)
    uncertainties: list[Uncertainty] = field(default_factory=list)


class FrontResults:
    """The part of an estimator that looks at what `fit` found: one front for each target."""

    fronts_: list[Front]
    n_outputs_: int
    search_records_: list[list[SearchRecord]]
    model_selection: str | None
    preset: str
    print_precision: int
    dimensionless_constants_only: bool
    X_units_: dict[str, str | None] | None
    y_units_: list[str | None] | None

    @property
    def _rule(self) -> str:
        return selection_rule(self.model_selection, self.preset)

    def _chosen_places(self, index: int | Sequence[int] | None) -> list[int]:
        check_is_fitted(self)
        if index is None or self.n_outputs_ == 1:
            if isinstance(index, Sequence):
                raise TypeError(f"index is {index!r}: with one target, give one row")
            return [front.row(index, self._rule) for front in self.fronts_]
        if not isinstance(index, Sequence) or len(index) != self.n_outputs_:
            raise ValueError(
                f"index is {index!r}: give a list of {self.n_outputs_} rows, one for each target"
            )
        return [front.row(i, self._rule) for front, i in zip(self.fronts_, index, strict=True)]

    def _chosen(self, index: int | Sequence[int] | None) -> Iterator[FrontRow]:
        places = self._chosen_places(index)
        return (front[place] for front, place in zip(self.fronts_, places, strict=True))

    def _one_or_list(self, values: list[Any]) -> Any:
        return values[0] if self.n_outputs_ == 1 else values

    @property
    def equations_(self) -> pd.DataFrame | list[pd.DataFrame]:
        """The front, or a list of fronts for more than one target."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"this {type(self).__name__} has no equations_ before fit")
        frames: pd.DataFrame | list[pd.DataFrame] = self._one_or_list([front.frame for front in self.fronts_])
        return frames

    @property
    def search_log_(self) -> pd.DataFrame | list[pd.DataFrame]:
        """What was found when: a row for each step of the first stage, and for each new formula of the front.

        Columns: ``stage``; ``work``, nodes times rows evaluated since the search began; ``evaluations``, the
        same as formulas evaluated on all rows; ``cpu_seconds`` of the process; ``complexity``, ``loss`` and
        ``equation`` of the formula. All but the seconds are the same each time. A list for more than one
        target.
        """
        import pandas as pd

        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"this {type(self).__name__} has no search_log_ before fit")
        logs: pd.DataFrame | list[pd.DataFrame] = self._one_or_list(
            [
                pd.DataFrame([record.row() for record in records], columns=SearchRecord.COLUMNS)
                for records in self.search_records_
            ]
        )
        return logs

    def get_best(self, index: int | Sequence[int] | None = None) -> pd.Series[Any] | list[pd.Series[Any]]:
        """Return the chosen row of `equations_`, or the row `index`; a list for more than one target."""
        places = self._chosen_places(index)
        rows: pd.Series[Any] | list[pd.Series[Any]] = self._one_or_list(
            [front.frame.iloc[place] for front, place in zip(self.fronts_, places, strict=True)]
        )
        return rows

    def expression(self, index: int | Sequence[int] | None = None) -> Expression | list[Expression]:
        """Return the chosen formula as an `Expression`; a list for more than one target."""
        formulas: Expression | list[Expression] = self._one_or_list(
            [row.expression for row in self._chosen(index)]
        )
        return formulas

    def sympy(self, index: int | Sequence[int] | None = None) -> sympy.Expr | list[sympy.Expr]:
        """Return the chosen formula as a sympy expression; a list for more than one target."""
        return self._one_or_list([row.expression.sympy() for row in self._chosen(index)])

    def units(self, index: int | Sequence[int] | None = None) -> list[str] | list[list[str]]:
        """Return the unit of each constant of the chosen formula, in SI, in the order in which they stand.

        A constant has the unit that its place demands; ``?`` where there is a choice, as between the factors
        of ``a * sqrt(b * x)``. Exponents are numbers, ``1``. A list of lists for more than one target.

        Raises
        ------
        ValueError
            If `fit` had no units.
        """
        check_is_fitted(self)
        columns, targets = getattr(self, "X_units_", None), getattr(self, "y_units_", None)
        if columns is None or targets is None:
            raise ValueError("there are no units: give X_units and y_units to fit")
        known = DataUnits(columns, targets)
        texts: list[str] | list[list[str]] = self._one_or_list(
            [
                known.of_constants(row.expression, target, self.dimensionless_constants_only)
                for target, row in enumerate(self._chosen(index))
            ]
        )
        return texts

    def latex(self, index: int | Sequence[int] | None = None, precision: int = 3) -> str | list[str]:
        """Return LaTeX of the chosen formula; a list for more than one target."""
        texts: str | list[str] = self._one_or_list(
            [row.expression.latex(precision) for row in self._chosen(index)]
        )
        return texts

    def latex_table(
        self,
        indices: Sequence[int] | Sequence[Sequence[int]] | None = None,
        precision: int = 3,
        columns: Sequence[str] = ("equation", "complexity", "loss", "score"),
    ) -> str:
        r"""Return LaTeX of the fronts: a table for each target.

        The first lines are comments that name the packages to load: booktabs, and breqn if an equation is so
        long that it must be broken.

        Parameters
        ----------
        indices : list of int, or list of lists of int for more than one target
            Rows to show; all if None.
        precision : int
            Significant digits.
        columns : sequence of {"equation", "complexity", "loss", "score", "dl", "bic", "r2", "cv"}
        """
        check_is_fitted(self)
        several = self.n_outputs_ > 1
        of_targets: Any = [None] * self.n_outputs_ if indices is None else indices if several else [indices]
        if len(of_targets) != self.n_outputs_ or any(isinstance(rows, int) for rows in of_targets):
            raise ValueError(
                f"indices is {indices!r}: give a list with a list of rows for each of the "
                f"{self.n_outputs_} targets"
            )
        tables = [
            front.latex_table(rows, precision, columns, f"y_{{{k},%d}}" if several else "y_{%d}")
            for k, (front, rows) in enumerate(zip(self.fronts_, of_targets, strict=True))
        ]
        text = "\n\n".join(tables)
        packages = ["booktabs", *(["breqn"] if "dmath" in text else [])]
        return "\n".join([*(rf"% \usepackage{{{package}}}" for package in packages), text])

    def __str__(self) -> str:
        if not self.__sklearn_is_fitted__():
            return repr(self)
        tables = [
            front.table(front.select(self._rule), self.print_precision, self._rule) for front in self.fronts_
        ]
        if self.n_outputs_ == 1:
            return tables[0]
        return "\n\n".join(f"target {k}\n{table}" for k, table in enumerate(tables))

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "fronts_", None))
