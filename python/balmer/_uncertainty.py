"""How sure a prediction is: the covariance of the constants, and what it means for a new row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from balmer._data import Rows
    from balmer.expression import Expression

__all__ = ["Uncertainty", "uncertainty"]

_BLOCK = 65536  # rows whose derivatives are held at once


@dataclass(frozen=True)
class Uncertainty:
    """Of one formula at its least-squares fit.

    Attributes
    ----------
    noise : float
        Standard deviation of the target around the formula.
    covariance : ndarray of shape (n_constants, n_constants)
        Of the constants; 0 in directions that the data do not determine.
    """

    noise: float
    covariance: NDArray[np.float64]

    def of(self, expression: Expression, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviation of a new target at each row, from noise and constants."""
        variance = np.full(len(X), self.noise**2)
        if len(self.covariance):
            J = expression.jacobian(X)
            variance += np.einsum("ij,jk,ik->i", J, self.covariance, J)
        deviation: NDArray[np.float64] = np.sqrt(np.maximum(variance, 0))
        return deviation


def uncertainty(expression: Expression, rows: Rows, unknowns: Sequence[float] = ()) -> Uncertainty:
    """Return the uncertainty of a formula from the rows that it was fitted to, to first order.

    The covariance is s^2 (J'WJ)^-1 with s^2 = sum w r^2 / (n - p): textbook nonlinear least squares (Bates &
    Watts 1988, section 2.3). With weights, s is the noise of a row of weight 1. `unknowns` tells for each
    constant which unknown of the fit it is, counted from 1, and 0 for one that is none; without it each is
    its own.
    """
    which = np.asarray(unknowns or range(1, len(expression.constants) + 1), dtype=int)
    n_unknowns = max(which, default=0)
    of_unknown = (which[:, None] == np.arange(1, n_unknowns + 1)).astype(float)
    squares = np.zeros((n_unknowns, n_unknowns))
    total, count = 0.0, 0.0
    for start in range(0, len(rows.y), _BLOCK):
        X, y = rows.X[start : start + _BLOCK], rows.y[start : start + _BLOCK]
        w = np.ones(len(y)) if rows.weights is None else rows.weights[start : start + _BLOCK]
        X = np.asfortranarray(X)
        if n_unknowns:
            J = expression.jacobian(X) @ of_unknown
            squares += (J * w[:, None]).T @ J
        total += float(w @ (y - expression(X)) ** 2)
        count += float(w.sum())
    noise = total / max(count - n_unknowns, 1.0)
    if not np.isfinite(squares).all() or not np.isfinite(noise):
        return Uncertainty(np.nan, np.full((len(which), len(which)), np.nan))
    size = np.sqrt(np.diag(squares))
    size[size == 0] = 1
    covariance = noise * np.linalg.pinv(squares / np.outer(size, size), rcond=1e-13, hermitian=True)
    covariance /= np.outer(size, size)
    return Uncertainty(float(np.sqrt(noise)), of_unknown @ covariance @ of_unknown.T)
