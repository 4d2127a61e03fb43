"""The constants of one formula, fitted to data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """

    expression: Expression
    loss: float
    status: str
    iterations: int
    standard_errors: NDArray[np.float64]


def fit_constants(
    expression: Expression,
    X: ArrayLike,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    max_iterations: int = 200,
    loss: str | Loss | None = None,
) -> FitResult:
    """Fit the constants of a formula, from the values they have.

    By least squares, constants that enter linearly are solved for exactly at each step (variable
    projection, Golub & Pereyra 1973), the others move by Levenberg-Marquardt. By another loss,
    damped Newton steps are taken; for one with kinks, such as ``"L1DistLoss"`` or
    ``"QuantileLoss(0.9)"``, the end is a descent over vertices, which finds the exact optimum if
    all constants enter linearly.

    Parameters
    ----------
    expression : Expression
    X : array-like of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
    sample_weight : array-like of shape (n_rows,), optional
    max_iterations : int
        Steps, the rejected ones included.
    loss : str or Loss, optional
        A name such as ``"HuberLoss(1.35)"``, a formula such as ``"loss(p, t) = abs(p - t)^1.5"``, or a
        `Loss`. Least squares if it is not given.

    Returns
    -------
    result : FitResult

    Raises
    ------
    ValueError
        For NaN or infinity in the data, negative weights, or shapes that do not fit.
    """
    if max_iterations < 0:
        raise ValueError(f"max_iterations is {max_iterations}: at least 0 is needed")
    core = expression._formula
    columns = as_columns(X, names=core.names)
    names = core.names or [f"x{j}" for j in range(columns.shape[1])]
    if len(columns) == 0:
        raise ValueError("X has no rows: at least one is needed")
    check_finite_columns(
        columns, names if len(names) == columns.shape[1] else [str(j) for j in range(columns.shape[1])]
    )
    target = as_vector(y, "y", len(columns))
    weights = as_weights(sample_weight, len(columns))
    given = None if loss is None else as_loss(loss)._core
    fit = _core.fit_constants(core, columns, target, weights, max_iterations, given)
    return FitResult(
        expression=Expression(fit.expression),
        loss=fit.loss,
        status=fit.status,
        iterations=fit.iterations,
        standard_errors=np.array(fit.standard_errors, dtype=np.float64),
    )
