"""The operators that formulas are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from balmer import _core
from balmer._powers import Powers, powers

__all__ = [
    "CompiledOperator",
    "OperatorChoice",
    "OperatorInfo",
    "choose_operators",
    "compiled_function",
    "definition_arity",
    "operators",
]


def compiled_function(function: Any) -> Any:
    """Return the capsule of a scipy.LowLevelCallable; None for all else."""
    if type(function).__name__ != "LowLevelCallable":
        return None
    capsule: Any = tuple.__getitem__(function, 0)
    return capsule


@dataclass(frozen=True)
class CompiledOperator:
    """An operator that is compiled code: from Cython, numba, or any library through ctypes.

    It stands among `unary_operators` or `binary_operators`, or under its number of operands in `operators`.
    Formulas with it evaluate and fit as others do; they cannot be pickled, saved or exported, and sympy sees
    a function of that name.

    Parameters
    ----------
    name : str
        What it is called in formulas.
    function : scipy.LowLevelCallable
        Of a function ``void (double *out, double *a, size_t n)`` for one operand, ``void (double *out, double
        *a, double *b, size_t n)`` for two, with a last ``void *`` if it has user data. It fills a block of
        values: ``out[i] = f(a[i], b[i])``. It must give equal values for equal operands, throw nothing and
        bear calls from several threads at once; `out` may be the same array as an operand.
    derivatives : tuple of scipy.LowLevelCallable, optional
        The derivative by each operand, functions of the operands with the same signature. Without them they
        are taken by central differences, which is slower and exact to some eight digits.

    Raises
    ------
    TypeError
        For another kind of function.
    """

    name: str
    function: Any
    derivatives: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        for function in (self.function, *self.derivatives):
            if compiled_function(function) is None:
                raise TypeError(
                    f"CompiledOperator {self.name!r} is given {function!r}: wrap compiled code in a "
                    "scipy.LowLevelCallable; a formula goes among the operators as text, as in 'inv(x) = 1/x'"
                )

    def __deepcopy__(self, memo: dict[int, Any]) -> CompiledOperator:
        return self  # code cannot be copied, and never changes

    @property
    def core(self) -> tuple[str, Any, list[Any]]:
        """What the core takes: the name and the capsules of the functions."""
        return self.name, compiled_function(self.function), [compiled_function(d) for d in self.derivatives]


@dataclass(frozen=True, kw_only=True)
class OperatorInfo:
    """What is known of a built-in operator: one row of the core's table.

    Attributes
    ----------
    name : str
        The name by which formulas are saved.
    aliases : tuple of str
        Other names that the parser and the options accept.
    arity : int
        Number of operands, called a, b and c below.
    text, latex, sympy : str
        How it is printed.
    value : str
        The formula that the kernels compute.
    complexity : int
        What it counts in the complexity of a formula, unless `complexity_of_operators` says otherwise.
    low, high : float
        Where the first operand may lie for the value to be real.
    units : str
        How it treats physical units.
    smooth : bool
        Whether it has a derivative that is not 0 everywhere.
    """

    name: str
    aliases: tuple[str, ...]
    arity: int
    text: str
    latex: str
    sympy: str
    value: str
    complexity: int
    low: float
    high: float
    units: str
    smooth: bool


@cache
def operators() -> tuple[OperatorInfo, ...]:
    """Return all built-in operators, in the order of the core's table."""
    return tuple(
        OperatorInfo(
            name=row.name,
            aliases=tuple(row.aliases),
            arity=row.arity,
            text=row.text,
            latex=row.latex,
            sympy=row.sympy,
            value=row.value,
            complexity=row.complexity,
            low=row.low,
            high=row.high,
            units=row.units,
            smooth=row.smooth,
        )
        for row in _core.operator_table()
    )


_Operator: TypeAlias = str | CompiledOperator

_DEFAULT_BINARY = ("+", "-", "*", "/")
_PARAMETER = {1: "unary_operators", 2: "binary_operators"}
_DEFINITION = re.compile(r"^\s*([^\W\d]\w*)\s*\(([^()]*)\)\s*=(?!=)")


@dataclass(frozen=True, kw_only=True)
class OperatorChoice:
    """The operators of a search: the set that knows them, and the codes of those that may be used."""

    set: _core.OperatorSet
    codes: tuple[int, ...]
    powers: Powers = field(default_factory=Powers)

    def find(self, name: str, parameter: str) -> tuple[int, ...]:
        """Return the codes of an operator that is in use: one, or of `^` those of its exponents.

        Raises
        ------
        ValueError
            If `name`, found in the option `parameter`, is unknown or not among the operators of the search.
        """
        if self.powers.exponents and self.set.find(name, 2) == self.set.find("pow", 2):
            return self.power_codes
        for code in self.codes:
            if code == self.set.find(name, self.set.arity(code)):
                return (code,)
        if self.set.find(name) is None:
            raise ValueError(f"{parameter}: {_unknown(self.set, name)}")
        names = ", ".join(self.set.name(code) for code in self.codes)
        raise ValueError(f"{parameter}: {name!r} is not among the operators of this search ({names})")

    @property
    def power_codes(self) -> tuple[int, ...]:
        """Codes of the operators that stand for `^` with one exponent each."""
        return tuple(code for code in self.codes if self.set.name(code) in self.powers.exponents)

    def parse(self, text: str, names: Sequence[str]) -> _core.Expression:
        """Read a formula as one of the search."""
        return self.powers.read(_core.Expression.parse(text, list(names), self.set), self.set)


def _unknown(known: _core.OperatorSet, name: str) -> str:
    nearest = known.nearest(name)
    hint = f"did you mean {nearest!r}?" if nearest else "see balmer.operators() for those there are,"
    return f"unknown operator {name!r}: {hint} or define your own, as in 'inv(x) = 1/x'"


def _name(op: _Operator) -> str:
    if isinstance(op, CompiledOperator):
        return op.name
    definition = _DEFINITION.match(op)
    return definition[1] if definition else op.strip()


def _place(arity: int, by_arity: bool) -> str:
    return f"operators[{arity}]" if by_arity or arity not in _PARAMETER else _PARAMETER[arity]


def _by_arity(
    binary_operators: Sequence[_Operator] | None,
    unary_operators: Sequence[_Operator] | None,
    operators: Mapping[int, Sequence[_Operator]] | None,
) -> dict[int, list[_Operator]]:
    if operators is not None:
        if binary_operators is not None or unary_operators is not None:
            raise ValueError(
                "operators and binary_operators or unary_operators are given: name all in operators, "
                "as in {1: ['sin'], 2: ['+', '*']}"
            )
        if not isinstance(operators, Mapping):
            raise ValueError(
                f"operators is {operators!r}: give a dict from arity to names, as in "
                "{1: ['sin'], 2: ['+', '*']}"
            )
        chosen = dict(operators)
    elif binary_operators is None and unary_operators is None:
        chosen = {2: _DEFAULT_BINARY}
    else:
        chosen = {
            1: unary_operators if unary_operators is not None else (),
            2: binary_operators if binary_operators is not None else _DEFAULT_BINARY,
        }
    result: dict[int, list[_Operator]] = {}
    for arity, names in sorted(chosen.items()):
        place = _place(arity, operators is not None)
        if not isinstance(arity, int) or not 1 <= arity <= _core.MAX_ARITY:
            raise ValueError(
                f"operators has the arity {arity!r}: operators take 1 to {_core.MAX_ARITY} operands"
            )
        if isinstance(names, str):
            raise ValueError(f"{place} is the text {names!r}: give a list, as in [{names!r}]")
        for name in names:
            if not isinstance(name, (str, CompiledOperator)):
                raise ValueError(
                    f"{place} holds {name!r}: give names or definitions, as text, or a CompiledOperator"
                )
        result[arity] = list(names)
    return result


def choose_operators(
    binary_operators: Sequence[_Operator] | None = None,
    unary_operators: Sequence[_Operator] | None = None,
    operators: Mapping[int, Sequence[_Operator]] | None = None,
    exponents: Sequence[float] | None = None,
) -> OperatorChoice:
    """Resolve names and definitions of operators.

    Parameters
    ----------
    binary_operators, unary_operators : sequence of str or CompiledOperator, optional
        Names, aliases, definitions such as ``"inv(x) = 1/x"``, or compiled code.
    operators : mapping of int to sequence of str or CompiledOperator, optional
        The same by number of operands; in the place of the other two.
    exponents : sequence of float, optional
        Those that `^` may have.

    Raises
    ------
    ValueError
        For an unknown name, with the nearest known one, or a name that stands under the wrong arity.
    ParseError
        For a definition that cannot be read.
    """
    chosen = _by_arity(binary_operators, unary_operators, operators)
    given = [op for names in chosen.values() for op in names]
    compiled = [op.core for op in given if isinstance(op, CompiledOperator)]
    texts = [op for op in given if isinstance(op, str) and _DEFINITION.match(op)]
    of_powers = powers(exponents)
    known = _core.OperatorSet([*texts, *of_powers.definitions], compiled)

    codes: list[int] = []
    for arity, names in chosen.items():
        place = _place(arity, operators is not None)
        for op in names:
            name = _name(op)
            code = known.find(name, arity)
            if code is None:
                any_arity = known.find(name)
                if any_arity is None:
                    raise ValueError(f"{place}: {_unknown(known, name)}")
                takes = known.arity(any_arity)
                raise ValueError(
                    f"{place}: {name!r} takes {takes} operand{'s' if takes > 1 else ''}, not {arity}: "
                    f"move it to {_place(takes, operators is not None)}"
                )
            if code not in codes:
                codes.append(code)
    if not codes:
        raise ValueError("no operators are given: name at least one, as in binary_operators=['+', '*']")
    if of_powers.exponents:
        power = known.find("pow", 2)
        if power not in codes:
            raise ValueError(f"exponents is {exponents!r}, but '^' is not among the operators: add it")
        codes = [code for code in codes if code != power]
        codes += [code for name in of_powers.exponents if (code := known.find(name, 1)) is not None]
    return OperatorChoice(set=known, codes=tuple(codes), powers=of_powers)


def definition_arity(text: str) -> int:
    """Count the parameters of a definition such as ``"inv(x) = 1/x"``.

    Raises
    ------
    ValueError
        For a text that is not a definition.
    """
    match = _DEFINITION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a definition: write it as in 'inv(x) = 1/x'")
    return match[2].count(",") + 1
