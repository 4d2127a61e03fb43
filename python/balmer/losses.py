"""Losses: what one row costs, by name or as a formula of prediction and target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from balmer import _core
from balmer._validation import as_vector, as_weights

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Loss", "NamedLoss", "as_loss", "named_losses"]


@dataclass(frozen=True, kw_only=True)
class NamedLoss:
    """A loss that has a name.

    Attributes
    ----------
    name : str
        As in LossFunctions.jl, where that has the loss.
    alias : str or None
        Another name.
    definition : str
        The formula, of the prediction ``p``, the target ``t`` and the parameters.
    defaults : tuple of (float or None)
        One for each parameter; None for one that must be given.
    """

    name: str
    alias: str | None
    definition: str
    defaults: tuple[float | None, ...]


@cache
def named_losses() -> tuple[NamedLoss, ...]:
    """Return all losses that have names: of distances, then of rates and probabilities, then of margins."""
    return tuple(
        NamedLoss(
            name=loss.name,
            alias=loss.alias or None,
            definition=loss.definition,
            defaults=tuple(None if math.isnan(value) else value for value in loss.defaults),
        )
        for loss in _core.named_losses()
    )


class Loss:
    """An elementwise loss.

    Parameters
    ----------
    text : str
        A name with its parameters, such as ``"HuberLoss(1.35)"``, ``"LPDistLoss{3}()"`` or
        ``"L1DistLoss"`` (see `named_losses`); or a formula, such as
        ``"loss(prediction, target) = (prediction - target)^2"`` or ``"(x, y, w) -> w * abs(x - y)"``. A
        third parameter is the weight of the row; without one the loss of a row is multiplied by its weight.
        The mean over rows is the sum divided by the sum of the weights in both cases.
    operators : sequence of str, optional
        Definitions of operators that the formula uses, such as ``"clip(x) = min(x, 4)"``.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one; parameters that are missing or make no sense; a
        formula that does not depend on the prediction.
    ParseError
        For a formula that cannot be read.

    Examples
    --------
    >>> import balmer
    >>> loss = balmer.Loss("HuberLoss(1)")
    >>> loss.rows([0.0, 5.0], [0.5, 1.0])
    array([0.125, 3.5  ])
    >>> loss([0.0, 5.0], [0.5, 1.0])
    1.8125
    """

    def __init__(self, text: str, operators: Sequence[str] = ()) -> None:
        if not isinstance(text, str):
            raise TypeError(f"the loss is {text!r}: give its name or a formula, as text")
        self._operators = tuple(operators)
        self._core = _core.Loss(text, _core.OperatorSet(list(self._operators)))

    @property
    def text(self) -> str:
        """The name or the formula."""
        return self._core.text

    @property
    def is_least_squares(self) -> bool:
        """Whether it is a multiple of the squared distance."""
        return self._core.least_squares > 0

    @property
    def is_smooth(self) -> bool:
        """Whether its slope has no jump, on a grid of predictions and targets."""
        return self._core.smooth

    @property
    def is_convex(self) -> bool:
        """Whether its slope never falls, on a grid of predictions and targets."""
        return self._core.convex

    @property
    def is_non_negative(self) -> bool:
        """Whether it is never negative, on a grid of predictions and targets."""
        return self._core.non_negative

    def rows(
        self,
        prediction: ArrayLike,
        target: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        order: int = 0,
    ) -> NDArray[np.float64]:
        """Return the loss of each row, times its weight, or a derivative of that by the prediction.

        Parameters
        ----------
        prediction, target : array-like of shape (n_rows,)
        sample_weight : array-like of shape (n_rows,), optional
        order : {0, 1, 2}
            Which derivative; 0 is the loss itself.

        Returns
        -------
        values : ndarray of shape (n_rows,)
        """
        n_rows = np.size(prediction)
        weights = as_weights(sample_weight, n_rows)
        columns = np.empty((n_rows, 3), order="F")
        columns[:, 0] = np.asarray(prediction, dtype=np.float64)
        columns[:, 1] = as_vector(target, "target", n_rows)
        columns[:, 2] = 1 if weights is None else weights
        return self._core.rows(columns, order)

    def __call__(
        self, prediction: ArrayLike, target: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the mean over rows: the sum of the losses divided by the sum of the weights."""
        rows = self.rows(prediction, target, sample_weight)
        weights = as_weights(sample_weight, len(rows))
        return float(rows.sum() / (len(rows) if weights is None else weights.sum()))

    def __repr__(self) -> str:
        operators = f", operators={list(self._operators)!r}" if self._operators else ""
        return f"Loss({self.text!r}{operators})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loss) and (self.text, self._operators) == (other.text, other._operators)

    def __hash__(self) -> int:
        return hash((self.text, self._operators))

    def __reduce__(self) -> tuple[type[Loss], tuple[str, tuple[str, ...]]]:
        return Loss, (self.text, self._operators)


def as_loss(loss: str | Loss, operators: Sequence[str] = ()) -> Loss:
    """Return the loss that a user means by a name, a formula or a `Loss`."""
    return loss if isinstance(loss, Loss) else Loss(loss, operators)
