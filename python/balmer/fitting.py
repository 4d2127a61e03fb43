"""The constants of one formula, fitted to data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from balmer import _core
from balmer._validation import as_columns, as_vector, as_weights, check_finite_columns
from balmer.expression import Expression
from balmer.losses import Loss, as_loss

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FitResult", "fit_constants"]


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """What `fit_constants` found.

    Attributes
    ----------
    expression : Expression
        The formula with its new constants.
    loss : float
        Weighted mean of squared residuals, or of the loss that was given; never above that of the start.
    status : str
        Why the fit stopped: ``converged_loss``, ``converged_step``, ``max_iterations``, ``not_finite`` (the
        start has no finite loss, so nothing was changed) or ``nothing_to_fit``.
    iterations : int
        Steps, the rejected ones included.
    standard_errors : ndarray of shape (n_constants,)
        Of the constants; NaN for one that the data do not determine, and for other losses than least squares.
        From the residuals, so of residuals that are rounding errors of y they have no more digits than those.
    """

    expression: Expression
    loss: float
    status: str
    iterations: int
    standard_errors: NDArray[np.float64]


@overload
def fit_constants(
    expression: Expression,
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = ...,
    max_iterations: int = ...,
    restarts: int = ...,
    scan_frequencies: bool = ...,
    loss: str | Loss | None = ...,
    n_jobs: int = ...,
) -> FitResult: ...
@overload
def fit_constants(
    expression: Sequence[Expression],
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = ...,
    max_iterations: int = ...,
    restarts: int = ...,
    scan_frequencies: bool = ...,
    loss: str | Loss | None = ...,
    n_jobs: int = ...,
) -> list[FitResult]: ...
def fit_constants(
    expression: Expression | Sequence[Expression],
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    max_iterations: int = 200,
    restarts: int = 0,
    scan_frequencies: bool = False,
    loss: str | Loss | None = None,
    n_jobs: int = 1,
) -> FitResult | list[FitResult]:
    """Fit the constants of a formula, or of many over the same rows, from the values they have.

    By least squares, constants that enter linearly are solved for exactly at each step (variable
    projection, Golub & Pereyra 1973), the others move by Levenberg-Marquardt; from 512 rows on they move
    on 128 of them first and settle on all. By another loss,
    damped Newton steps are taken; for one with kinks, such as ``"L1DistLoss"`` or
    ``"QuantileLoss(0.9)"``, the end is a descent over vertices, which finds the exact optimum if
    all constants enter linearly.

    Parameters
    ----------
    expression : Expression or sequence of Expression
        Many at once are fitted several times faster than one after the other.
    X : array-like of shape (n_rows, n_features)
    y : array-like of shape (n_rows,), or (n_rows, n_expressions)
        One target for all, or one for each expression.
    sample_weight : array-like of shape (n_rows,), optional
    max_iterations : int
        Steps, the rejected ones included.
    restarts : int
        Further starts near the given one, for formulas with several minima: as long as more than 1e-6 of
        the variance is left, and by least squares alone.
    scan_frequencies : bool
        Whether to look at all frequencies of each sine and cosine, ``sin(w * x + p)``, up to 200 periods over
        the range of their arguments, under the same conditions. A start then need not be near. Takes some
        hundred times as long as one step; with few rows and much noise, a frequency that means nothing may
        fit best.
    loss : str or Loss, optional
        A name such as ``"HuberLoss(1.35)"``, a formula such as ``"loss(p, t) = abs(p - t)^1.5"``, or a
        `Loss`. Least squares if it is not given.
    n_jobs : int
        Threads that share the expressions. The results do not depend on it.

    Returns
    -------
    result : FitResult, or list of FitResult

    Raises
    ------
    ValueError
        For NaN or infinity in the data, negative weights, or shapes that do not fit.
    """
    for name, value, least in (
        ("max_iterations", max_iterations, 0),
        ("restarts", restarts, 0),
        ("n_jobs", n_jobs, 1),
    ):
        if value < least:
            raise ValueError(f"{name} is {value}: at least {least} is needed")
    one = isinstance(expression, Expression)
    formulas = [e._formula for e in ([expression] if isinstance(expression, Expression) else expression)]
    if not formulas:
        return []
    known = formulas[0].names
    columns = as_columns(X, names=known)
    if len(columns) == 0:
        raise ValueError("X has no rows: at least one is needed")
    names = known or [f"x{j}" for j in range(columns.shape[1])]
    if len(names) != columns.shape[1]:
        names = [str(j) for j in range(columns.shape[1])]
    check_finite_columns(columns, names)
    weights = as_weights(sample_weight, len(columns))
    given = None if loss is None else as_loss(loss)._core
    targets = _as_targets(y, len(columns), len(formulas))
    fits = _core.fit_all(
        formulas, columns, targets, weights, max_iterations, restarts, scan_frequencies, given, n_jobs
    )
    results = [_result(fit) for fit in fits]
    return results[0] if one else results


def _as_targets(y: ArrayLike, n_rows: int, n_expressions: int) -> NDArray[np.float64]:
    """One column for all expressions, or one for each."""
    array = np.asarray(y)
    if array.ndim != 2 or array.shape[1] == 1:
        return as_vector(array, "y", n_rows).reshape(-1, 1, order="F")
    if array.shape != (n_rows, n_expressions):
        raise ValueError(
            f"y has shape {array.shape}: give {n_rows} values, or {n_rows} rows and a column for each of the "
            f"{n_expressions} expressions"
        )
    return np.asfortranarray(
        as_vector(array.ravel(order="F"), "y", array.size).reshape(array.shape, order="F")
    )


def _result(fit: _core.Fit) -> FitResult:
    return FitResult(
        expression=Expression(fit.expression),
        loss=fit.loss,
        status=fit.status,
        iterations=fit.iterations,
        standard_errors=np.array(fit.standard_errors, dtype=np.float64),
    )
