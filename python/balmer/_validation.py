"""Arrays in: the one place where arrays are copied, and where bad numbers are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from typing import TypeGuard

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "as_columns",
    "as_vector",
    "as_weights",
    "check_finite_columns",
    "check_finite_vector",
    "check_names",
    "explain_text",
    "merge_rows",
    "refuse_categories",
]


# Looked up by name: comparing an array's type with a name makes a type of the name first.
_DTYPES: dict[str, np.dtype[Any]] = {"float64": np.dtype(np.float64), "float32": np.dtype(np.float32)}
_ONE_HOT = "sklearn.preprocessing.OneHotEncoder in a ColumnTransformer"


def as_columns(X: ArrayLike, dtype: str = "float64", names: Sequence[str] = ()) -> NDArray[Any]:
    """Matrix of floats in column order, copied only if it is not one already.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Of a DataFrame that has columns of all `names`, these are taken, in the order of `names`.
    dtype : {"float64", "float32"}
    names : sequence of str

    Raises
    ------
    ValueError
        Unless X has two dimensions and holds real numbers.
    """
    if dtype not in _DTYPES:
        raise ValueError(f"dtype is {dtype!r}: choose 'float64' or 'float32'")
    if _is_columns(X, _DTYPES[dtype]):
        return X
    columns = getattr(X, "columns", None)
    if columns is not None and names and set(names) <= set(columns):
        X = X[list(names)]  # type: ignore[call-overload, index]
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(
            f"X has {array.ndim} dimension{'s' if array.ndim != 1 else ''}, not 2: give an array of shape "
            "(n_rows, n_features), with X.reshape(-1, 1) if there is one feature"
        )
    if array.dtype.kind == "c":
        raise ValueError("X holds complex numbers: only real numbers are supported")
    try:
        return np.require(array, _DTYPES[dtype], ["F", "A"])
    except (TypeError, ValueError) as error:
        raise ValueError(explain_text(X) or f"X does not hold numbers: {error}") from error


def _is_columns(X: object, dtype: np.dtype[Any]) -> TypeGuard[NDArray[Any]]:
    """Whether `as_columns` has nothing to do. Asked first: `np.require` costs as much as small formulas."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype != dtype:
        return False
    flags = X.flags
    return flags.f_contiguous and flags.aligned


def check_out(out: object, shape: tuple[int, ...], columns: NDArray[Any]) -> None:
    """Refuse an array that cannot take values of `shape` made from `columns`, in the type of these."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out is {type(out).__name__}: give a NumPy array")
    if out.dtype != columns.dtype:
        raise ValueError(f"out holds {out.dtype}: give an array of {columns.dtype}, or the other dtype")
    if out.shape != shape:
        raise ValueError(
            f"out has the shape {out.shape}: give one of shape {shape}, a row for each expression"
        )
    flags = out.flags
    if not flags.c_contiguous or not flags.aligned:
        raise ValueError("out is not in row order: give an array made with order='C'")
    if not flags.writeable:
        raise ValueError("out is read-only: give an array that may be written")
    if np.may_share_memory(out, columns):
        raise ValueError("out shares memory with X: give an array of its own")


def as_vector(v: ArrayLike, name: str, n_rows: int) -> NDArray[np.float64]:
    """Contiguous vector of `n_rows` finite numbers."""
    try:
        array = np.require(np.asarray(v), np.float64, ["C", "A"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} does not hold numbers: {error}") from error
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"{name} has {array.ndim} dimensions, not 1")
    if len(array) != n_rows:
        raise ValueError(f"{name} has {len(array)} values, but X has {n_rows} rows: give one for each row")
    check_finite_vector(array, name)
    return array


def as_weights(v: ArrayLike | None, n_rows: int) -> NDArray[np.float64] | None:
    """Weights of the rows: not negative, not all zero; a scalar counts for every row."""
    if v is None:
        return None
    array = np.asarray(v)
    weights = as_vector(np.full(n_rows, array) if array.ndim == 0 else array, "sample_weight", n_rows)
    if (negative := np.flatnonzero(weights < 0)).size:
        row = negative[0]
        raise ValueError(
            f"sample_weight is negative in row {row} ({weights[row]:g}): weights must be at least 0; "
            "0 leaves a row out"
        )
    if not weights.any():
        raise ValueError("sample_weight is zero in every row: at least one row must count")
    return weights


def _describe(value: float) -> str:
    return "NaN" if np.isnan(value) else f"infinite ({value:g}, inf)"


def check_finite_columns(X: NDArray[np.float64], names: Sequence[str]) -> None:
    """Raise ValueError for the first NaN or infinity, with its row and column."""
    if np.isfinite(X).all():
        return
    row, column = np.argwhere(~np.isfinite(X))[0]
    bad_rows = int((~np.isfinite(X)).any(axis=1).sum())
    raise ValueError(
        f"Input X contains {_describe(X[row, column])} in row {row}, column {names[column]!r} "
        f"({bad_rows} such row{'s' if bad_rows != 1 else ''}): remove these rows, or fill them in, for "
        "example with sklearn.impute.SimpleImputer"
    )


def check_finite_vector(v: NDArray[np.float64], name: str) -> None:
    """Raise ValueError for the first NaN or infinity, with its row."""
    if np.isfinite(v).all():
        return
    bad = np.argwhere(~np.isfinite(v))
    where = f"row {bad[0][0]}" + (f", column {bad[0][1]}" if v.ndim == 2 else "")
    raise ValueError(
        f"Input {name} contains {_describe(v[tuple(bad[0])])} in {where} "
        f"({len(bad)} such value{'s' if len(bad) != 1 else ''}): remove these rows"
    )


def check_names(names: Sequence[str], n_features: int) -> list[str]:
    """Names of the features: one for each, all different, none empty."""
    if isinstance(names, str):
        raise ValueError(
            f"variable_names is the text {names!r}: give a list with one name for each column of X"
        )
    result = [str(name) for name in names]
    if len(result) != n_features:
        raise ValueError(
            f"variable_names has {len(result)} names, but X has {n_features} columns: give one for each"
        )
    for place, name in enumerate(result):
        if not name:
            raise ValueError(f"the name of column {place} is empty: give it one")
        if name in result[:place]:
            raise ValueError(
                f"the column name {name!r} stands for two columns, {result.index(name)} and {place}: "
                "rename one of them"
            )
    return result


def explain_text(X: Any) -> str | None:
    """Say which column of X holds text, and where; None if none does."""
    names = getattr(X, "columns", None)
    array = np.asarray(X, dtype=object)
    if array.ndim != 2:
        return None
    for j in range(array.shape[1]):
        for i, value in enumerate(array[:, j]):
            if isinstance(value, (str, bytes)):
                try:
                    float(value)
                except ValueError:
                    name = str(j) if names is None else repr(names[j])
                    return (
                        f"column {name} of X holds text ({value!r} in row {i}): leave the column out, or "
                        f"turn it into numbers, for example with {_ONE_HOT}"
                    )
    return None


# Beginnings of the names of types, in pandas and polars; and what to do about a column of them.
_NOT_NUMBERS = {
    "categories": (("category", "Categorical", "Enum"), _ONE_HOT),
    "dates or times": (
        ("datetime", "timedelta", "period", "Datetime", "Date", "Duration", "Time"),
        "seconds since the first row",
    ),
}


def refuse_categories(X: Any) -> None:
    """Raise ValueError for a column of a DataFrame that holds categories or dates."""
    for name, kind in zip(X.columns, getattr(X, "dtypes", ()), strict=False):
        for what, (prefixes, remedy) in _NOT_NUMBERS.items():
            if str(kind).startswith(prefixes):
                raise ValueError(
                    f"column {name!r} of X holds {what}: leave the column out, or turn it into numbers, "
                    f"for example with {remedy}"
                )


def merge_rows(
    X: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """Rows in a canonical order, equal ones merged, those of weight 0 left out.

    So a row of weight 2 is the same as the row twice, to the last bit, and the order of the rows does not
    matter.
    """
    if weights is not None and not weights.all():
        keep = weights > 0
        X, y, weights = X[keep], y[keep], weights[keep]
    order = np.argsort(y, kind="stable")
    ties = y[order][1:] == y[order][:-1]
    if ties.any():  # only then do the features decide
        order = np.lexsort((*X.T[::-1], y))
    X, y = X[order], y[order]
    weights = None if weights is None else weights[order]
    if ties.any():
        first = np.ones(len(y), dtype=bool)
        first[1:] = (y[1:] != y[:-1]) | (X[1:] != X[:-1]).any(axis=1)
        if not first.all():
            total = np.add.reduceat(np.ones(len(y)) if weights is None else weights, np.flatnonzero(first))
            X, y, weights = X[first], y[first], total
    if weights is not None and (weights == weights[0]).all():
        weights = None
    return np.asfortranarray(X), np.ascontiguousarray(y), weights
