"""What a fitted model tells: its fronts, its chosen formulas, and their forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from balmer.expression import Expression
from balmer.selection import Front, FrontRow

if TYPE_CHECKING:
    import pandas as pd
    import sympy

__all__ = ["FrontResults"]


class FrontResults:
    """The part of an estimator that looks at what `fit` found: one front for each target."""

    fronts_: list[Front]
    n_outputs_: int
    model_selection: str
    print_precision: int

    def _chosen_places(self, index: int | Sequence[int] | None) -> list[int]:
        check_is_fitted(self)
        if index is None or self.n_outputs_ == 1:
            if isinstance(index, Sequence):
                raise TypeError(f"index is {index!r}: with one target, give one row")
            return [front.row(index, self.model_selection) for front in self.fronts_]
        if not isinstance(index, Sequence) or len(index) != self.n_outputs_:
            raise ValueError(
                f"index is {index!r}: give a list of {self.n_outputs_} rows, one for each target"
            )
        return [front.row(i, self.model_selection) for front, i in zip(self.fronts_, index, strict=True)]

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

    def latex(self, index: int | Sequence[int] | None = None, precision: int = 3) -> str | list[str]:
        """Return LaTeX of the chosen formula; a list for more than one target."""
        texts: str | list[str] = self._one_or_list(
            [row.expression.latex(precision) for row in self._chosen(index)]
        )
        return texts

    def latex_table(
        self,
        indices: Sequence[int] | None = None,
        precision: int = 3,
        columns: Sequence[str] = ("equation", "complexity", "loss", "score"),
    ) -> str:
        """Return LaTeX tables of the fronts (package booktabs).

        Parameters
        ----------
        indices : list of int, optional
            Rows to show; all if None.
        precision : int
            Significant digits.
        columns : sequence of {"equation", "complexity", "loss", "score"}
        """
        check_is_fitted(self)
        return "\n\n".join(front.latex_table(indices, precision, columns) for front in self.fronts_)

    def __str__(self) -> str:
        if not self.__sklearn_is_fitted__():
            return repr(self)
        tables = [
            front.table(front.select(self.model_selection), self.print_precision) for front in self.fronts_
        ]
        if self.n_outputs_ == 1:
            return tables[0]
        return "\n\n".join(f"target {k}\n{table}" for k, table in enumerate(tables))

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "fronts_", None))
