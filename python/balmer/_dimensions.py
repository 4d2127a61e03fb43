"""The units of a fit: of columns, named constants and targets, and of the constants that come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from balmer import _core
from balmer.expression import Expression
from balmer.units import Dimension, dimension

__all__ = ["DataUnits"]


@dataclass(frozen=True)
class DataUnits:
    """Units by name, as the user wrote them; None where a quantity may be of any.

    Attributes
    ----------
    columns : dict of str to str or None
        Of the columns of X and the named constants.
    targets : list of str or None
    """

    columns: dict[str, str | None]
    targets: list[str | None]

    @classmethod
    def of(
        cls, X_units: Any, y_units: Any, names: Sequence[str], fixed: Sequence[str], n_targets: int
    ) -> DataUnits | None:
        """Read the arguments of `fit`; None if neither is given.

        Raises
        ------
        ValueError
            For a wrong number of units, a name that no column has, or a unit that is not known.
        """
        if X_units is None and y_units is None:
            return None
        return cls(_of_columns(X_units, names, fixed), _of_targets(y_units, n_targets))

    def dimensions(
        self, names: Sequence[str], target: int, dimensionless_constants_only: bool
    ) -> _core.DataDimensions:
        """Return the dimensions of a search over columns of these names."""
        columns = [_exponents(self.columns.get(name)) for name in names]
        return _core.DataDimensions(columns, _exponents(self.targets[target]), dimensionless_constants_only)

    def of_constants(
        self, expression: Expression, target: int, dimensionless_constants_only: bool
    ) -> list[str]:
        """Return the unit of each constant of a formula, in SI; ``?`` where the others leave a choice."""
        core = expression._formula
        dimensions = self.dimensions(core.names, target, dimensionless_constants_only)
        return ["?" if powers is None else _text(powers) for powers in dimensions.of_constants(core)]


def _of_columns(X_units: Any, names: Sequence[str], fixed: Sequence[str]) -> dict[str, str | None]:
    units: dict[str, str | None] = dict.fromkeys(names, "1") | dict.fromkeys(fixed)
    if X_units is None:
        return units
    if isinstance(X_units, Mapping):
        for name, unit in X_units.items():
            if name not in units:
                raise ValueError(f"X_units has {name!r}, but the columns of X are {', '.join(units)}")
            units[name] = _unit(unit, f"of {name!r}")
        return units
    if isinstance(X_units, str) or len(X_units) != len(names):
        given = f"is {X_units!r}" if isinstance(X_units, str) else f"has {len(X_units)} units"
        raise ValueError(
            f"X_units {given}, but X has {len(names)} columns: give a list with one unit for each"
        )
    return units | {name: _unit(unit, f"of {name!r}") for name, unit in zip(names, X_units, strict=True)}


def _of_targets(y_units: Any, n_targets: int) -> list[str | None]:
    if y_units is None:
        return [None] * n_targets
    units = list(y_units) if isinstance(y_units, (list, tuple)) else [y_units]
    if len(units) != n_targets:
        raise ValueError(
            f"y_units has {len(units)} unit{'s' * (len(units) != 1)}, but y has {n_targets} "
            f"column{'s' * (n_targets != 1)}: give one for each"
        )
    return [_unit(unit, "of y") for unit in units]


def _unit(unit: Any, whose: str) -> str | None:
    if unit is None:
        return None
    try:
        known = dimension(unit)
    except (ValueError, TypeError) as error:
        raise type(error)(f"the unit {whose}: {error}") from None
    return unit if isinstance(unit, str) else str(known)


def _exponents(unit: str | None) -> list[float] | None:
    return None if unit is None else [float(power) for power in dimension(unit).exponents]


def _text(powers: Sequence[float]) -> str:
    return str(Dimension(tuple(Fraction(power).limit_denominator(1000) for power in powers)))
