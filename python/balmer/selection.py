"""The front of a search: its rows, its table, and which row a model uses."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from balmer.expression import Expression
from balmer.templates import TemplateExpressionSpec, part_texts

if TYPE_CHECKING:
    import pandas as pd

    from balmer import _core

__all__ = ["SELECTION_RULES", "Front", "FrontRow", "scores"]

SELECTION_RULES = ("dl", "bic", "cv", "best", "accuracy", "score")

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
    dl: float = math.inf
    """Nats that it takes to write down the target by means of the formula; infinite for losses that may be
    negative or are not least at the target."""
    bic: float = math.inf
    """n ln(loss) + p ln(n) with n rows and p constants that are not whole numbers (Schwarz 1978); for other
    losses than squares see docs/search.md."""
    r2: float | None = None
    """Share of the target's variance that the formula explains; None if it was not computed."""
    cv: float | None = None
    """Loss on rows that the constants were not fitted to; None without cross-validation."""
    cv_error: float | None = None
    """Standard error of `cv`."""
    standard_errors: tuple[float, ...] = ()
    """Of each constant, in the order of ``expression.constants``: 0 for a whole number, which counts as part
    of the structure, NaN where the data do not determine it. Empty for other losses than least squares."""
    parts: Mapping[str, Expression | list[float]] | None = None
    """With an `expression_spec`: the parts from which the formula is made, and the parameters, by name."""
    unknowns: tuple[float, ...] = ()
    """With an `expression_spec`, for each constant of the formula: the number, from 1, of the unknown of the
    fit that it is, 0 for a number that is not fitted."""


def scores(complexities: Sequence[int], losses: Sequence[float], loss_scale: str = "log") -> list[float]:
    """Fall of log(loss) for each unit of complexity, from one row to the next.

    On the scale "linear", and wherever a loss is negative, it is the fall of the loss itself. The first row
    has 0; a row whose loss is 0 has infinity on the scale "log".
    """
    linear = is_linear(losses, loss_scale)
    result = []
    for i, (complexity, loss) in enumerate(zip(complexities, losses, strict=True)):
        if i == 0:
            result.append(0.0)
        elif math.isinf(losses[i - 1]) or (loss == 0 and not linear):
            result.append(math.inf)
        else:
            fall = losses[i - 1] - loss if linear else -math.log(loss / losses[i - 1])
            result.append(fall / (complexity - complexities[i - 1]))
    return result


def is_linear(losses: Iterable[float], loss_scale: str) -> bool:
    """Whether losses are compared by differences: ratios mean nothing where one is negative."""
    return loss_scale == "linear" or min(losses, default=0.0) < 0


class Front(Sequence[FrontRow]):
    """Best loss for each complexity: rows by rising complexity and falling loss."""

    def __init__(
        self,
        complexities: Sequence[int],
        losses: Sequence[float],
        expressions: Sequence[Expression],
        description_lengths: Sequence[float] | None = None,
        loss_scale: str = "log",
    ) -> None:
        lengths = [math.inf] * len(losses) if description_lengths is None else description_lengths
        of_rows = scores(complexities, losses, loss_scale)
        self._rows = tuple(
            FrontRow(*row) for row in zip(complexities, losses, of_rows, expressions, lengths, strict=True)
        )
        self.loss_scale = loss_scale
        self._frame: pd.DataFrame | None = None

    @classmethod
    def of_rows(cls, rows: Iterable[FrontRow], loss_scale: str = "log") -> Front:
        """Make a front of rows by rising complexity."""
        front = cls([], [], [], loss_scale=loss_scale)
        front._rows = tuple(rows)
        return front

    @classmethod
    def of(
        cls,
        entries: Sequence[_core.FrontEntry],
        loss_scale: str = "log",
        spec: TemplateExpressionSpec | None = None,
    ) -> Front:
        """Make a front of what the core found, its parts named as `spec` names them."""
        of_entries = scores(
            [entry.complexity for entry in entries], [entry.loss for entry in entries], loss_scale
        )
        rows = (
            FrontRow(
                complexity=entry.complexity,
                loss=entry.loss,
                score=score,
                expression=Expression(entry.expression),
                dl=entry.description_length,
                bic=entry.bic,
                r2=_known(entry.r2),
                cv=_known(entry.cv_loss),
                cv_error=_known(entry.cv_error),
                standard_errors=tuple(entry.standard_errors),
                parts=None if spec is None else spec.parts(entry.parts, entry.parameters),
                unknowns=tuple(entry.unknowns),
            )
            for entry, score in zip(entries, of_entries, strict=True)
        )
        return cls.of_rows(rows, loss_scale)

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
        rule : {"dl", "bic", "cv", "best", "accuracy", "score"}
            ``dl``, ``bic``: the smallest description length, or BIC (``best`` where there is none, as for
            losses of margins). ``cv``: the simplest row whose loss on rows left out of the fit
            is within a standard error of the smallest (Breiman et al. 1984). ``accuracy``: the smallest loss.
            ``score``: the largest score. ``best``: the largest score among the rows whose loss is at most 1.5
            times the smallest; ``accuracy`` on the linear scale of losses and where one is negative.
        """
        check_rule(rule)
        places = range(len(self))
        if rule in ("dl", "bic"):
            if any(math.isfinite(getattr(row, rule)) for row in self):
                return min(places, key=lambda i: float(getattr(self[i], rule)))
            rule = "best"
        if rule == "cv" and len(self) > 1:
            return self._cross_validated()
        losses = [row.loss for row in self]
        if rule == "accuracy" or (rule == "best" and is_linear(losses, self.loss_scale)):
            return min(places, key=lambda i: losses[i])
        if rule == "best":
            bound = _LOSS_MARGIN * min(losses)
            places = [i for i in places if self[i].loss <= bound]  # type: ignore[assignment]
        return max(places, key=lambda i: self[i].score)

    def _cross_validated(self) -> int:
        losses = [math.inf if row.cv is None else row.cv for row in self]
        if all(row.cv is None for row in self):
            raise ValueError(
                "the front has no cross-validated losses: call fit with model_selection='cv', or choose "
                "another rule"
            )
        best = min(range(len(self)), key=lambda i: losses[i])
        bound = losses[best] + (self[best].cv_error or 0.0)
        return next(i for i, loss in enumerate(losses) if loss <= bound)

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

            numbers = ["complexity", "loss", "score", "dl", "bic", "r2"]
            if any(row.cv is not None for row in self):
                numbers += ["cv", "cv_error"]
            columns: dict[str, Any] = {name: [getattr(row, name) for row in self] for name in numbers}
            for name in ("r2", "cv", "cv_error"):
                if name in columns:
                    columns[name] = pd.Series(columns[name], dtype=float)
            self._frame = pd.DataFrame(
                {
                    **columns,
                    "equation": [str(row.expression) for row in self],
                    **self._part_column(),
                    "constants": pd.Series(
                        [tuple(row.expression.constants.tolist()) for row in self], dtype=object
                    ),
                    "standard_errors": pd.Series([row.standard_errors for row in self], dtype=object),
                    "sympy_format": pd.Series([row.expression.sympy() for row in self], dtype=object),
                    "lambda_format": pd.Series([row.expression for row in self], dtype=object),
                }
            )
        return self._frame

    def _part_column(self) -> dict[str, list[str]]:
        if all(row.parts is None for row in self):
            return {}
        return {"parts": [part_texts(row.parts or {}) for row in self]}

    def table(self, chosen: int | None = None, precision: int = 5, rule: str = "best") -> str:
        """Text of the front, the row `chosen` marked by ``>>>>``.

        There is a column for what `rule` looks at, if it is ``dl``, ``bic`` or ``cv``. Formulas of a
        template are shown by their parts.
        """
        known = rule in _RULE_COLUMNS and any(math.isfinite(_number(getattr(row, rule))) for row in self)
        title = f"{_RULE_COLUMNS[rule]:>10}  " if known else ""
        lines = [f"{'':4}  {'complexity':>10}  {'loss':>10}  {'score':>8}  {title}equation"]
        for i, row in enumerate(self):
            mark = ">>>>" if i == chosen else ""
            numbers = f"{row.complexity:>10}  {row.loss:>10.4g}  {row.score:>8.4g}"
            if known:
                numbers += f"  {_number(getattr(row, rule)):>10.{4 if rule == 'cv' else 6}g}"
            formula = part_texts(row.parts, precision) if row.parts else row.expression.text(precision)
            lines.append(f"{mark:4}  {numbers}  {formula}")
        return "\n".join(lines)

    def latex_table(
        self,
        indices: Sequence[int] | None = None,
        precision: int = 3,
        columns: Sequence[str] = ("equation", "complexity", "loss", "score"),
        symbol: str = "y_{%d}",
    ) -> str:
        """LaTeX of the front: a table of the package booktabs.

        An equation that is too long for a line is set by the package breqn, which breaks it. `symbol` is what
        equals the formula, with ``%d`` for the number of the row.
        """
        unknown = [column for column in columns if column not in _LATEX_COLUMNS]
        if unknown:
            raise ValueError(f"unknown column {unknown[0]!r}: choose among {', '.join(_LATEX_COLUMNS)}")
        places = range(len(self)) if indices is None else [self.row(i, "best") for i in indices]
        rows = [[_cell(self[i], symbol % i, column, precision) for column in columns] for i in places]
        lines = [
            r"\begin{table}[h]",
            r"\begin{center}",
            rf"\begin{{tabular}}{{@{{}}{'c' * len(columns)}@{{}}}}",
            r"\toprule",
            " & ".join(_LATEX_COLUMNS[column] for column in columns) + r" \\",
            r"\midrule",
            *(" & ".join(cells) + r" \\" for cells in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{center}",
            r"\end{table}",
        ]
        return "\n".join(lines)

    def __getstate__(self) -> dict[str, Any]:
        return {"_rows": self._rows, "loss_scale": self.loss_scale, "_frame": None}

    def __repr__(self) -> str:
        return f"Front(\n{self.table()}\n)"


# Rules that look at a number of their own, and its title in tables.
_RULE_COLUMNS = {"dl": "dl", "bic": "bic", "cv": "cv loss"}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _number(value: float | None) -> float:
    return math.nan if value is None else value


_LATEX_COLUMNS = {
    "equation": "Equation",
    "complexity": "Complexity",
    "loss": "Loss",
    "score": "Score",
    "dl": "Description length",
    "bic": "BIC",
    "r2": "$R^2$",
    "cv": "Loss in cross-validation",
}
_LONG = 60  # characters of an equation that are too many for a line of a table


def _cell(row: FrontRow, symbol: str, column: str, precision: int) -> str:
    if column == "equation":
        equation = f"{symbol} = {row.expression.latex(precision)}"
        if _printed_length(equation) <= _LONG:
            return f"${equation}$"
        return (
            r"\begin{minipage}{0.8\linewidth} \vspace{-1em} \begin{dmath*} "
            rf"{equation} \end{{dmath*}} \end{{minipage}}"
        )
    if column == "complexity":
        return f"${row.complexity}$"
    return f"${_latex_number(_number(getattr(row, column)), precision)}$"


def _printed_length(latex: str) -> int:
    """Return about how many characters a formula takes when it is set."""
    signs = re.sub(r"\\(left|right|cdot|frac)", "", latex)
    return len(re.sub(r"[{}\\^_\s]", "", signs))


def _latex_number(value: float, precision: int) -> str:
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return r"\infty"
    mantissa, _, exponent = f"{value:.{precision}g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def check_rule(rule: str) -> None:
    """Raise ValueError for a rule that does not exist."""
    if rule not in SELECTION_RULES:
        raise ValueError(f"model_selection is {rule!r}: choose among {', '.join(map(repr, SELECTION_RULES))}")
