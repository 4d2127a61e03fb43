"""Exponents that are chosen beforehand: to a search, operators of one operand; to everybody else, `x ^ 2`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from balmer import _core
from balmer.expression import Expression

__all__ = ["Powers", "powers"]

_Part = tuple[str, list[float]]  # text with 0 in the place of each constant, and the constants


@dataclass(frozen=True)
class Powers:
    """The exponents that `^` may have in a search; without any it is an operator like all others.

    Attributes
    ----------
    exponents : dict of str to float
        By the name of the operator that raises to it.
    """

    exponents: dict[str, float] = field(default_factory=dict)

    @property
    def definitions(self) -> list[str]:
        """The operators as text, such as ``power_2(x) = x ^ (2.0)``."""
        return [f"{name}(x) = x ^ ({exponent!r})" for name, exponent in self.exponents.items()]

    def written(self, expression: Expression) -> Expression:
        """Return a formula of a search with `^` in the place of these operators."""
        if not self._used(expression):
            return expression

        def power(name: str, operands: list[_Part]) -> _Part | None:
            if name not in self.exponents:
                return None
            ((base, constants),) = operands
            return f"pow({base}, 0)", [*constants, self.exponents[name]]

        core = expression._formula
        others = core.operators.without(list(self.exponents))
        return Expression(_rewritten(core, power, others), expression.named_constants)

    def errors(self, expression: Expression, errors: Sequence[float]) -> tuple[float, ...]:
        """Return the standard errors of a formula's constants, 0 for each exponent that `written` adds."""
        if len(errors) != len(expression.constants):  # there are none by this loss
            return ()
        given = iter(errors)
        return tuple(
            0.0 if name in self.exponents else next(given)
            for name, arity, _ in expression._formula.nodes
            if name in self.exponents or (name == "constant" and arity == 0)
        )

    def read(self, core: _core.Expression, operators: _core.OperatorSet) -> _core.Expression:
        """Return a formula with these operators in the place of `^` with one of the exponents."""
        names = {exponent: name for name, exponent in self.exponents.items()}

        def power(name: str, operands: list[_Part]) -> _Part | None:
            if name != "pow" or operands[1][0] != "0" or operands[1][1][0] not in names:
                return None
            (base, constants), (_, (exponent,)) = operands
            return f"{names[exponent]}({base})", constants

        return _rewritten(core, power, operators) if names else core

    def _used(self, expression: Expression) -> bool:
        return any(name in self.exponents for name, _, _ in expression._formula.nodes)


def _rewritten(
    core: _core.Expression,
    change: Callable[[str, list[_Part]], _Part | None],
    operators: _core.OperatorSet,
) -> _core.Expression:
    """Return a formula in which `change` has put other parts in the place of some operators."""
    names = core.names or [f"x{j}" for j in range(core.n_features)]
    stack: list[_Part] = []
    for name, arity, index in core.nodes:
        if arity == 0:
            leaf: _Part = ("0", [core.constants[index]]) if name == "constant" else (f"`{names[index]}`", [])
            stack.append(leaf)
            continue
        operands = stack[-arity:]
        del stack[-arity:]
        stack.append(change(name, operands) or _call(name, operands))
    text, constants = stack.pop()
    return _core.Expression.parse(text, core.names or None, operators).with_constants(constants)


def _call(name: str, operands: list[_Part]) -> _Part:
    text = f"{name}({', '.join(operand for operand, _ in operands)})"
    return text, [constant for _, constants in operands for constant in constants]


def powers(exponents: Sequence[float] | None) -> Powers:
    """Return the powers with these exponents; 0 and 1 are left out.

    Raises
    ------
    ValueError
        Unless they are finite numbers, one of them neither 0 nor 1.
    """
    if exponents is None:
        return Powers()
    result: dict[str, float] = {}
    for given in exponents if not isinstance(exponents, str) else [exponents]:
        try:
            exponent = float(given)
        except (TypeError, ValueError):
            exponent = math.nan
        if isinstance(given, str) or not math.isfinite(exponent):
            raise ValueError(f"exponents holds {given!r}: give numbers, as in range(-2, 4) or [2, 3, 0.5]")
        if exponent not in (0, 1):  # which would be a constant, and nothing at all
            word = re.sub(r"\W", "_", f"{exponent:g}".replace("-", "minus_"))
            result.setdefault(f"power_{word}", exponent)
    if not result:
        raise ValueError(f"exponents is {exponents!r}: give one at least that is neither 0 nor 1")
    return Powers(result)
