"""Formulas as values: read, print, evaluate, differentiate, compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from balmer import _core
from balmer._validation import as_columns, check_names, check_out

if TYPE_CHECKING:
    import sympy
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Expression", "evaluate", "parse"]

_BUILTIN = _core.OperatorSet()


class Expression:
    """A formula over the columns of a matrix. A value: it never changes.

    Made by `parse`, by `fit_constants` and by `SymbolicRegressor`. Two are equal if their nodes, constants
    and variable names are. Pickles hold text and names, so they outlive changes of the library.

    Examples
    --------
    >>> import balmer
    >>> law = balmer.parse("365.25 * a ^ 1.5", ["a"])
    >>> law([[1.0], [4.0]])
    array([ 365.25, 2922.  ])
    """

    __slots__ = ("_fixed", "_formula", "_numeric")

    _formula: _core.Expression
    _fixed: tuple[tuple[str, float], ...]  # the last variables, whose values never change
    _numeric: _core.Expression  # the formula with these values in their places

    def __init__(self, core: _core.Expression, fixed: Mapping[str, float] | None = None) -> None:
        self._formula = core
        self._fixed = tuple(fixed.items()) if fixed else ()
        self._numeric = core.substitute([value for _, value in self._fixed]) if fixed else core

    def _columns(self, X: ArrayLike) -> NDArray[np.float64]:
        names = self._formula.names
        columns: NDArray[np.float64] = as_columns(X, names=names[: len(names) - len(self._fixed)])
        if not self._fixed:
            return columns
        values = np.array([value for _, value in self._fixed])
        return np.asfortranarray(np.hstack([columns, np.tile(values, (len(columns), 1))]))

    def __call__(self, X: ArrayLike) -> NDArray[np.float64]:
        """Evaluate on each row.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            A column for each variable, in order. Of a DataFrame that has columns of the variables' names,
            those.

        Returns
        -------
        y : ndarray of shape (n_rows,)
            NaN where the formula is undefined, as in ``log(-1)``.
        """
        values: NDArray[np.float64] = _core.evaluate_float64([self._formula], self._columns(X), 1)[0]
        return values

    def gradient(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the derivatives with respect to the variables, of shape (n_rows, n_features)."""
        slopes = _core.gradient(self._formula, self._columns(X))[1]
        return slopes[:, : slopes.shape[1] - len(self._fixed)]

    def jacobian(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the derivatives with respect to the constants, of shape (n_rows, n_constants)."""
        return _core.jacobian(self._formula, self._columns(X))[1]

    @property
    def constants(self) -> NDArray[np.float64]:
        """The numbers in the formula, in the order in which they stand."""
        return np.array(self._formula.constants, dtype=np.float64)

    def with_constants(self, values: ArrayLike) -> Expression:
        """Return the same formula with other numbers, one for each of `constants`."""
        return self._like(self._formula.with_constants(np.asarray(values, dtype=np.float64).tolist()))

    def _like(self, core: _core.Expression) -> Expression:
        return Expression(core, dict(self._fixed))

    @property
    def named_constants(self) -> dict[str, float]:
        """The values of the variables that are constants with names."""
        return dict(self._fixed)

    def numeric(self) -> Expression:
        """Return the same formula with numbers in the place of named constants."""
        return Expression(self._numeric) if self._fixed else self

    @property
    def variable_names(self) -> tuple[str, ...] | None:
        """Names of columns, then of named constants; None if they are x0, x1, ..., as many as there are."""
        return tuple(self._formula.names) or None

    @property
    def complexity(self) -> int:
        """Number of nodes, each operator counted as the table of operators has it."""
        return self._formula.complexity

    @property
    def size(self) -> int:
        """Number of nodes."""
        return self._formula.size

    @property
    def depth(self) -> int:
        """Nodes on the longest path from the root to a leaf."""
        return self._formula.depth

    def simplify(self) -> Expression:
        """Return a formula with the same values and no more nodes."""
        return self._like(self._formula.simplify())

    def text(self, precision: int = 17) -> str:
        """Return infix text; with 17 digits, `parse` reads it back to an equal expression."""
        return self._formula.text(precision)

    def latex(self, precision: int = 3) -> str:
        """Return LaTeX, constants with `precision` significant digits."""
        return self._formula.latex(precision)

    def sympy(self) -> sympy.Expr:
        """Return the formula as a sympy expression over symbols of the variables' names."""
        from balmer.sympy_io import to_sympy

        return to_sympy(self)

    def __str__(self) -> str:
        return self._formula.text()

    def __repr__(self) -> str:
        return f"Expression({self._formula.text()!r})"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return self._formula == other._formula and self._fixed == other._fixed

    def __hash__(self) -> int:
        return hash(self._formula)

    def __copy__(self) -> Expression:
        return self  # a value

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # The constants travel beside the text: NaN and infinity have no text that the parser reads.
        core = self._formula
        if core.compiled:
            raise TypeError(
                f"{self} cannot be pickled or saved: {core.compiled[0]!r} is compiled code, which a file "
                "cannot hold; define it as text, as in 'inv(x) = 1/x', or keep str(expression)"
            )
        state = (core.text(), core.names or None, core.definitions, core.constants)
        return _rebuild, (*state, dict(self._fixed)) if self._fixed else state


def _rebuild(
    text: str,
    names: list[str] | None,
    definitions: list[str],
    constants: list[float],
    fixed: Mapping[str, float] | None = None,
) -> Expression:
    core = _core.Expression.parse(text, names, _core.OperatorSet(definitions))
    return Expression(core.with_constants(constants), fixed)


def parse(
    text: str, variable_names: Sequence[str] | None = None, *, definitions: Sequence[str] = ()
) -> Expression:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, variables, calls of any operator (see `operators`), ``+ - * / ^ ** %``, comparisons, ``&&
        ||``, ``condition ? a : b``. A name between backquotes may hold any character.
    variable_names : sequence of str, optional
        Names of the columns; without them, x0, x1, ...
    definitions : sequence of str
        Operators of your own that the text uses, as in ``"special(x, y) = cos(x) * (x + y)"``.

    Returns
    -------
    expression : Expression

    Raises
    ------
    ParseError
        A ValueError with the place in the text and what was expected there.
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, not {type(text).__name__}")
    names = None if variable_names is None else check_names(variable_names, len(variable_names))
    known = _core.OperatorSet(list(definitions)) if definitions else _BUILTIN
    return Expression(_core.Expression.parse(text, names, known))


def evaluate(
    expressions: Iterable[Expression],
    X: ArrayLike,
    *,
    dtype: Literal["float64", "float32"] = "float64",
    n_threads: int = 1,
    out: NDArray[Any] | None = None,
) -> NDArray[np.float64] | NDArray[np.float32]:
    """Evaluate many formulas over the same rows.

    Parameters
    ----------
    expressions : iterable of Expression
    X : array-like of shape (n_rows, n_features)
        Read in place if it is in column order (``order="F"``) and of `dtype`, else copied once.
    dtype : {"float64", "float32"}
        Type of the computation and of the result.
    n_threads : int
        At least 1. The values do not depend on it.
    out : ndarray of shape (n_expressions, n_rows), optional
        Where to write the values, and what is returned: an array of `dtype` in row order (``order="C"``)
        that shares no memory with `X`. Calls that reuse one spare the pages of a new one.

    Returns
    -------
    values : ndarray of shape (n_expressions, n_rows)
        NaN where a formula is undefined.
    """
    if n_threads < 1:
        raise ValueError(f"n_threads is {n_threads}: at least 1 is needed")
    # A call for each of many formulas would cost as much as small formulas do.
    cores = [e._numeric for e in expressions]
    columns = as_columns(X, dtype, cores[0].names if cores and hasattr(X, "columns") else ())
    if out is not None:
        check_out(out, (len(cores), len(columns)), columns)
    if dtype == "float32":
        return _core.evaluate_float32(cores, columns, n_threads, out)
    return _core.evaluate_float64(cores, columns, n_threads, out)
