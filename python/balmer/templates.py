"""Formulas of a given structure: a search finds their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from balmer import _core
from balmer.expression import Expression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from balmer._data import Table
    from balmer.operators import OperatorChoice

__all__ = ["TemplateExpressionSpec", "check_categories", "part_texts"]

_QUOTED_ARGUMENT = re.compile(r"`(#\d+)`")
_ARGUMENT = re.compile(r"#\d+")


@dataclass(frozen=True)
class TemplateExpressionSpec:
    """The structure that all formulas of a search have.

    Parameters
    ----------
    combine : str
        The formula, with calls of its parts: ``"sin(f(x1, x2)) + g(x3)^2"``. Beside what `parse` reads there
        may be ``p[2]``, a parameter counted from 1; ``p[class]``, the parameter of the category that the
        variable tells, 1, 2, ...; ``D(f, 1)(x1, x2)``, the derivative of a part by its first argument; and
        statements before the formula, as in ``"a = f(x1); a + a^2"``.
    expressions : list of str
        The names of the parts. How many arguments each takes is seen from its calls; they are all that it
        may use. A part that is called twice has the same constants in both places.
    variable_names : list of str, optional
        Names in `combine` for the columns of X, in their order. Without it, the names that `fit` has.
    parameters : dict of str to int, optional
        Vectors of numbers that are fitted with the constants, by name, and how long they are.

    Examples
    --------
    >>> import balmer
    >>> balmer.TemplateExpressionSpec(
    ...     "sin(f(x1, x2)) + g(x3)^2", expressions=["f", "g"], variable_names=["x1", "x2", "x3"]
    ... ).expressions
    ['f', 'g']
    """

    combine: str
    expressions: Sequence[str]
    variable_names: Sequence[str] | None = None
    parameters: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        """Check what does not depend on the data.

        Raises
        ------
        TypeError, ValueError
            For values of another kind.
        """
        if not isinstance(self.combine, str):
            raise TypeError(f"combine is {self.combine!r}: give a formula as text")
        for name in ("expressions", "variable_names"):
            value = getattr(self, name)
            if value is None and name == "variable_names":
                continue
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise TypeError(f"{name} is {value!r}: give a list of names")
        for name, size in (self.parameters or {}).items():
            if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
                raise ValueError(f"parameters has {name!r} = {size!r}: give how many numbers there are")

    def over(self, all_names: Sequence[str], table: Table) -> TemplateExpressionSpec:
        """Return the same template with a name for each column that the search sees.

        Parameters
        ----------
        all_names : sequence of str
            Of the columns of the user's X.
        table : Table

        Raises
        ------
        ValueError
            If there are more or fewer columns than `variable_names`, or these stand in another order.
        """
        given = self.variable_names
        if given is None:
            return replace(self, variable_names=table.names)
        if len(given) != len(all_names):
            raise ValueError(
                f"variable_names of the template has {len(given)} names, but X has {len(all_names)} columns: "
                "give one for each"
            )
        if set(given) == set(all_names) and list(given) != list(all_names):
            raise ValueError(
                f"variable_names of the template is {', '.join(given)}, but the columns of X are "
                f"{', '.join(all_names)}: bring them into the same order"
            )
        names = [given[j] for j in table.places]
        return replace(self, variable_names=[*names, *table.fixed])

    def compiled(self, chosen: OperatorChoice) -> _core.Template:
        """Return what the core makes of it, once all columns have names.

        Raises
        ------
        ParseError
            For a text that cannot be read, with the place.
        ValueError
            For names that come twice or are not used.
        """
        sizes = [(name, int(size)) for name, size in (self.parameters or {}).items()]
        names = list(self.variable_names or ())
        return _core.Template(self.combine, list(self.expressions), names, sizes, chosen.set)

    def guess(
        self, given: Any, arities: Sequence[int], chosen: OperatorChoice
    ) -> tuple[list[_core.Expression], list[float]]:
        """Return the parts and the parameters of a guess such as ``{"f": "#1 + 2", "p": [0.5, 1]}``.

        Raises
        ------
        TypeError, ValueError
            For one that is not of that form, or lacks a part. Parameters that are not given are 0.
        """
        example = dict.fromkeys(self.expressions, "#1")
        if not isinstance(given, Mapping):
            raise TypeError(
                f"guesses holds {given!r}: with an expression_spec, give a dict such as {example!r}"
            )
        sizes = self.parameters or {}
        for name in given:
            if name not in self.expressions and name not in sizes:
                known = ", ".join([*self.expressions, *sizes])
                raise ValueError(f"a guess has {name!r}, but the template consists of {known}")
        parts = []
        for name, arity in zip(self.expressions, arities, strict=True):
            if name not in given:
                raise ValueError(f"a guess lacks the part {name!r}: give all, as in {example!r}")
            text = _ARGUMENT.sub(lambda match: f"`{match[0]}`", _QUOTED_ARGUMENT.sub(r"\1", str(given[name])))
            parts.append(chosen.parse(text, [f"#{k + 1}" for k in range(arity)]))
        values: list[float] = []
        for name, size in sizes.items():
            vector = np.asarray(given.get(name, np.zeros(size)), dtype=np.float64)
            if vector.shape != (size,):
                raise ValueError(f"a guess has {name!r} of shape {vector.shape}: give {size} numbers")
            values += vector.tolist()
        return parts, values

    def parts(
        self, found: Sequence[_core.Expression], parameters: Sequence[float]
    ) -> dict[str, Expression | list[float]]:
        """Return the parts that the core found, and the parameters, by their names."""
        result: dict[str, Expression | list[float]] = {
            name: Expression(part) for name, part in zip(self.expressions, found, strict=True)
        }
        start = 0
        for name, size in (self.parameters or {}).items():
            result[name] = list(parameters[start : start + size])
            start += size
        return result


def part_texts(parts: Mapping[str, Expression | list[float]], precision: int = 17) -> str:
    """Return parts as PySR writes them: ``f = #1 + 2; p = [0.5, 1.0]``."""
    texts = []
    for name, value in parts.items():
        if isinstance(value, Expression):
            text = _QUOTED_ARGUMENT.sub(r"\1", value.text(precision))
        else:
            text = f"[{', '.join(f'{number:.{precision}g}' for number in value)}]"
        texts.append(f"{name} = {text}")
    return "; ".join(texts)


def check_categories(X: NDArray[np.float64], categories: Mapping[int, int], names: Sequence[str]) -> None:
    """Raise ValueError for a row whose category has no parameter.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    categories : dict of int to int
        By the column that tells the category, how many there are.
    names : sequence of str
        Of the columns.
    """
    for column, size in categories.items():
        values = X[:, column]
        wrong = (values < 1) | (values > size) | (values != np.floor(values))
        if wrong.any():
            raise ValueError(
                f"column {names[column]!r} of X is {values[wrong][0]:g} in a row, but the formula has "
                f"parameters for the categories 1 to {size}"
            )
