"""What `fit` is given, checked and brought into the form that a search reads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import validate_data

from balmer._dimensions import DataUnits
from balmer._powers import Powers
from balmer._validation import (
    as_weights,
    check_finite_columns,
    check_finite_vector,
    check_names,
    explain_text,
    merge_rows,
    refuse_categories,
)
from balmer.expression import Expression

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Rows", "Table", "check_table", "denoised", "named_constants", "resampled", "select_features"]


@dataclass(frozen=True)
class Rows:
    """What one search looks at: columns, target and weights."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    weights: NDArray[np.float64] | None

    def merged(self) -> Rows:
        """Return the rows in a canonical order, equal ones merged."""
        return Rows(*merge_rows(self.X, self.y, self.weights))


@dataclass(frozen=True)
class Table:
    """The data of a fit.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_columns)
        The columns that formulas may use, named constants last.
    targets : ndarray of shape (n_rows, n_targets)
    weights : ndarray of shape (n_rows,) or None
    names : list of str
        Of the columns of `X`.
    places : list of int
        The column of the user's X at which each of them stands, named constants left out.
    fixed : dict of str to float
        The named constants.
    powers : Powers
        The exponents that formulas may have.
    units : DataUnits or None
        Of the columns and targets, if they were given.
    """

    X: NDArray[np.float64]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    names: list[str]
    places: list[int]
    fixed: dict[str, float]
    powers: Powers
    units: DataUnits | None = None

    def rows(self, target: int) -> Rows:
        """Return what the search for one target looks at."""
        return Rows(self.X, self.targets[:, target], self.weights)

    def widened(self, X: NDArray[np.float64], n_columns: int) -> NDArray[np.float64]:
        """Return rows of a search as rows of the user's X, 0 in columns that no formula uses."""
        if len(self.places) == n_columns:
            return X[:, :n_columns]
        wide = np.zeros((len(X), n_columns), order="F")
        wide[:, self.places] = X[:, : len(self.places)]
        return wide

    def finish(self, expression: Expression, all_names: Sequence[str]) -> Expression:
        """Return a formula of a search as one over all columns of the user's X."""
        expression = self.powers.written(expression)
        if not self.fixed and len(self.places) == len(all_names):
            return expression
        count = len(all_names)
        places = [*self.places, *range(count, count + len(self.fixed))]
        core = expression._formula.over([*all_names, *self.fixed], places)
        return Expression(core, self.fixed)


def check_table(
    estimator: Any, X: Any, y: Any, sample_weight: Any, variable_names: Sequence[str] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None, list[str]]:
    """Check the arrays of `fit`; return features, targets (one or two dimensions), weights and names.

    Raises
    ------
    ValueError
        For data that make no sense, naming the place and the remedy.
    """
    columns = getattr(X, "columns", None)
    if columns is not None:
        if len(set(columns)) < len(columns):
            check_names(list(columns), len(columns))
        refuse_categories(X)
    if y is not None:
        target = np.asarray(y)
        if target.dtype.kind == "f":
            check_finite_vector(target, "y")
    try:
        X_array, y_array = _validated(estimator, X, y)
    except (ValueError, TypeError) as error:
        text = explain_text(X) if "convert" in str(error) else None
        if text is None:
            raise
        raise ValueError(text) from error
    given = variable_names if variable_names is not None else getattr(estimator, "feature_names_in_", None)
    if given is None:
        given = [f"x{j}" for j in range(X_array.shape[1])]
    names = check_names(given, X_array.shape[1])
    check_finite_columns(X_array, names)
    y_array = np.asarray(y_array, dtype=np.float64)
    check_finite_vector(y_array, "y")
    if y_array.ndim == 2 and y_array.shape[1] == 1:
        y_array = y_array.ravel()
    for j in np.flatnonzero((X_array == X_array[0]).all(axis=0)):
        warnings.warn(
            f"column {names[j]!r} of X is constant ({X_array[0, j]:.6g} in every row): "
            "no formula can tell it from a number. Leave the column out",
            UserWarning,
            stacklevel=3,
        )
    return X_array, y_array, as_weights(sample_weight, len(X_array)), names


def _validated(estimator: Any, X: Any, y: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the arrays of `fit` as sklearn does, and set the attributes that tell of the columns.

    Numbers in plain arrays of the right shape need no look at anything else. sklearn asks first whether they
    are tables of another kind, for which it reads what all installed packages say of themselves: in a new
    process that takes longer than many a search.
    """
    if _are_plain(X, y):
        estimator.n_features_in_ = X.shape[1]
        vars(estimator).pop("feature_names_in_", None)
        return np.asfortranarray(X, dtype=np.float64), y
    return validate_data(  # type: ignore[no-any-return]
        estimator,
        X,
        y,
        dtype=np.float64,
        order="F",
        multi_output=True,
        y_numeric=True,
        ensure_all_finite=False,
        ensure_min_samples=2,
    )


def _are_plain(X: Any, y: Any) -> bool:
    return (
        type(X) is np.ndarray
        and type(y) is np.ndarray
        and X.dtype.kind in "fiub"
        and y.dtype.kind in "fiub"
        and X.ndim == 2
        and y.ndim in (1, 2)
        and len(X) == len(y) >= 2
        and 0 not in (*X.shape, *y.shape)
    )


def named_constants(
    given: Mapping[str, Any] | None, names: Sequence[str]
) -> tuple[dict[str, float], list[float]]:
    """Return the constants that have names, and what each counts in the complexity of a formula.

    Raises
    ------
    ValueError
        For a name that a column has, a value that is not finite, or a complexity below 0.
    """
    values: dict[str, float] = {}
    complexities: list[float] = []
    for name, value in (given or {}).items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"named_constants has the name {name!r}: give text")
        if name in names:
            raise ValueError(
                f"named_constants has {name!r}, but a column of X has that name: rename one of them"
            )
        number, complexity = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value, 1)
        try:
            number, complexity = float(number), float(complexity)
        except (TypeError, ValueError):
            raise ValueError(
                f"named_constants has {name!r} = {value!r}: give a number, or (number, complexity)"
            ) from None
        if not np.isfinite(number) or not (np.isfinite(complexity) and complexity >= 0):
            raise ValueError(
                f"named_constants has {name!r} = {value!r}: give a finite number, and a complexity of at "
                "least 0"
            )
        values[name] = number
        complexities.append(complexity)
    return values, complexities


def select_features(
    k: int | None, X: NDArray[np.float64], y: NDArray[np.float64], seed: int
) -> NDArray[np.bool_]:
    """Return which columns matter most to a random forest; all of them for None.

    Raises
    ------
    ValueError
        Unless `k` is a number of columns that X has.
    """
    n_features = X.shape[1]
    if k is None:
        return np.ones(n_features, dtype=bool)
    if isinstance(k, bool) or int(k) != k or not 1 <= k <= n_features:
        raise ValueError(
            f"select_k_features is {k!r}: give a number from 1 to {n_features}, the columns of X"
        )
    if k == n_features:
        return np.ones(n_features, dtype=bool)
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(n_estimators=100, max_depth=5, random_state=seed).fit(X, y)
    mask = np.zeros(n_features, dtype=bool)
    mask[np.argsort(-forest.feature_importances_, kind="stable")[: int(k)]] = True
    return mask


def denoised(
    X: NDArray[np.float64], targets: NDArray[np.float64], at: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Return what a Gaussian process makes of the targets at the rows of `at`.

    Features are standardised; a radial kernel with one length for each feature, and white noise, are fitted
    by their marginal likelihood.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    centre, spread = X.mean(axis=0), X.std(axis=0)
    spread[spread == 0] = 1
    result = np.empty((len(at), targets.shape[1]))
    for k in range(targets.shape[1]):
        kernel = ConstantKernel() * RBF(np.ones(X.shape[1])) + WhiteKernel(1e-1)
        process = GaussianProcessRegressor(
            kernel, n_restarts_optimizer=5, normalize_y=True, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a bound of a kernel's parameter, no harm
            process.fit((X - centre) / spread, targets[:, k])
        result[:, k] = process.predict((at - centre) / spread)
    return result


def resampled(
    Xresampled: Any, denoise: bool, n_features: int, names: Sequence[str], weights: Any
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return the function that gives the rows at which targets are wanted, for the rows of `fit`.

    Raises
    ------
    ValueError
        For `Xresampled` without `denoise`, with weights, or of another number of columns.
    """
    if Xresampled is None:
        return lambda X: X
    if not denoise:
        raise ValueError(
            "Xresampled is given, but denoise is False: only smoothed targets are known at other rows"
        )
    if weights is not None:
        raise ValueError(
            "Xresampled and sample_weight are given: the weights belong to other rows. Leave one out"
        )
    at = np.asarray(Xresampled, dtype=np.float64)
    if at.ndim != 2 or at.shape[1] != n_features or len(at) < 2:
        raise ValueError(
            f"Xresampled has the shape {at.shape}: give at least 2 rows of {n_features} columns, as X has"
        )
    check_finite_columns(at, names)
    return lambda _: at
