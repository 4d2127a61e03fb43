"""The front of a search: its rows, its table, and which row a model uses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from balmer.expression import Expression

if TYPE_CHECKING:
    import pandas as pd

    from balmer import _core

__all__ = ["SELECTION_RULES", "Front", "FrontRow", "scores"]

SELECTION_RULES = ("dl", "best", "accuracy", "score")

# "best" looks only at rows whose loss is at most this factor above the smallest (Cranmer 2023, section on
# selection).
_LOSS_MARGIN = 1.5


@dataclass(frozen=True)
class FrontRow:
    """One formula of a front: no simpler one has a smaller loss."""

    complexity: int
    loss: float
    score: float
    expression: Expression
    dl: float


def scores(complexities: Sequence[int], losses: Sequence[float]) -> list[float]:
    """Fall of log(loss) for each unit of complexity, from one row to the next.

    The first row has 0; a row whose loss is 0 (or below) has infinity.
    """
    result = []
    for i, (complexity, loss) in enumerate(zip(complexities, losses, strict=True)):
        if i == 0:
            result.append(0.0)
        elif loss <= 0 or math.isinf(losses[i - 1]):
            result.append(math.inf)
        else:
            result.append(-math.log(loss / losses[i - 1]) / (complexity - complexities[i - 1]))
    return result


class Front(Sequence[FrontRow]):
    """Best loss for each complexity: rows by rising complexity and falling loss."""

    def __init__(
        self,
        complexities: Sequence[int],
        losses: Sequence[float],
        expressions: Sequence[Expression],
        description_lengths: Sequence[float] | None = None,
    ) -> None:
        lengths = [math.inf] * len(losses) if description_lengths is None else description_lengths
        self._rows = tuple(
            FrontRow(*row)
            for row in zip(
                complexities, losses, scores(complexities, losses), expressions, lengths, strict=True
            )
        )
        self._frame: pd.DataFrame | None = None

    @classmethod
    def of(cls, entries: Sequence[_core.FrontEntry]) -> Front:
        """Make a front of what the core found."""
        return cls(
            [entry.complexity for entry in entries],
            [entry.loss for entry in entries],
            [Expression(entry.expression) for entry in entries],
            [entry.description_length for entry in entries],
        )

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[FrontRow]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> FrontRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FrontRow]: ...
    def __getitem__(self, index: int | slice) -> FrontRow | Sequence[FrontRow]:
        return self._rows[index]

    def select(self, rule: str) -> int:
        """Place of the row that a rule chooses.

        Parameters
        ----------
        rule : {"dl", "best", "accuracy", "score"}
            ``dl``: the smallest description length (``best`` where there is none, as for other losses than
            least squares). ``accuracy``: the smallest loss. ``score``: the largest score. ``best``: the
            largest score among the rows whose loss is at most 1.5 times the smallest. If a loss is negative,
            all of them mean ``accuracy``.
        """
        check_rule(rule)
        places = range(len(self))
        if rule == "dl":
            if any(math.isfinite(row.dl) for row in self):
                return min(places, key=lambda i: self[i].dl)
            rule = "best"
        least = min(row.loss for row in self)
        if rule == "accuracy" or least < 0:  # of negative losses, which some losses have, ratios mean nothing
            return min(places, key=lambda i: self[i].loss)
        if rule == "best":
            bound = _LOSS_MARGIN * least
            places = [i for i in places if self[i].loss <= bound]  # type: ignore[assignment]
        return max(places, key=lambda i: self[i].score)

    def row(self, index: int | None, rule: str) -> int:
        """Place of the row `index`, or of the one that `rule` chooses if it is None."""
        if index is None:
            return self.select(rule)
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"index is {index}, but the front has {len(self)} rows: choose 0 to {len(self) - 1}"
            )
        return index % len(self)

    @property
    def frame(self) -> pd.DataFrame:
        """The front as a DataFrame, with sympy's form and a callable of each formula."""
        if self._frame is None:
            import pandas as pd

            self._frame = pd.DataFrame(
                {
                    "complexity": [row.complexity for row in self],
                    "loss": [row.loss for row in self],
                    "score": [row.score for row in self],
                    "dl": [row.dl for row in self],
                    "equation": [str(row.expression) for row in self],
                    "sympy_format": pd.Series([row.expression.sympy() for row in self], dtype=object),
                    "lambda_format": pd.Series([row.expression for row in self], dtype=object),
                }
            )
        return self._frame

    def table(self, chosen: int | None = None, precision: int = 5) -> str:
        """Text of the front, the row `chosen` marked by ``>>>>``."""
        lines = [f"{'':4}  {'complexity':>10}  {'loss':>10}  {'score':>8}  equation"]
        for i, row in enumerate(self):
            mark = ">>>>" if i == chosen else ""
            numbers = f"{row.complexity:>10}  {row.loss:>10.4g}  {row.score:>8.4g}"
            lines.append(f"{mark:4}  {numbers}  {row.expression.text(precision)}")
        return "\n".join(lines)

    def latex_table(self, indices: Sequence[int] | None, precision: int, columns: Sequence[str]) -> str:
        """LaTeX of the front: a table of the package booktabs."""
        unknown = [column for column in columns if column not in _LATEX_COLUMNS]
        if unknown:
            raise ValueError(f"unknown column {unknown[0]!r}: choose among {', '.join(_LATEX_COLUMNS)}")
        places = range(len(self)) if indices is None else [self.row(i, "best") for i in indices]
        lines = [
            r"\begin{table}[h]",
            r"\begin{center}",
            rf"\begin{{tabular}}{{@{{}}{'c' * len(columns)}@{{}}}}",
            r"\toprule",
            " & ".join(_LATEX_COLUMNS[column] for column in columns) + r" \\",
            r"\midrule",
            *(
                " & ".join(_cell(self[i], i, column, precision) for column in columns) + r" \\"
                for i in places
            ),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{center}",
            r"\end{table}",
        ]
        return "\n".join(lines)

    def __getstate__(self) -> dict[str, Any]:
        return {"_rows": self._rows, "_frame": None}

    def __repr__(self) -> str:
        return f"Front(\n{self.table()}\n)"


_LATEX_COLUMNS = {"equation": "Equation", "complexity": "Complexity", "loss": "Loss", "score": "Score"}


def _cell(row: FrontRow, place: int, column: str, precision: int) -> str:
    if column == "equation":
        return f"$y_{{{place}}} = {row.expression.latex(precision)}$"
    if column == "complexity":
        return f"${row.complexity}$"
    return f"${_latex_number(getattr(row, column), precision)}$"


def _latex_number(value: float, precision: int) -> str:
    if math.isinf(value):
        return r"\infty"
    mantissa, _, exponent = f"{value:.{precision}g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def check_rule(rule: str) -> None:
    """Raise ValueError for a rule that does not exist."""
    if rule not in SELECTION_RULES:
        raise ValueError(f"model_selection is {rule!r}: choose among {', '.join(map(repr, SELECTION_RULES))}")
