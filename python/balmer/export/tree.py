"""Formulas as trees of a small language: arithmetic, comparisons, calls of functions of the operator table.

What an operator computes is the column `value` of the core's table, read as text; so an operator that is
added there can be exported at once, in every language that has the functions in its value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from balmer import _core
from balmer.expression import Expression
from balmer.operators import operators

__all__ = ["Language", "Program", "identifiers", "program"]

_OPERANDS = ("a", "b", "c")
_DEFINITION = re.compile(r"^\s*(\w+)\s*\(([^()]*)\)\s*=(.*)$", re.DOTALL)


@cache
def _values() -> dict[str, ast.expr]:
    return {info.name: ast.parse(info.value, mode="eval").body for info in operators()}


@dataclass
class Program:
    """A formula, and the functions that it calls beside those of the table.

    Attributes
    ----------
    body : ast.expr
        Over names `v0`, `v1`, ... of variables and `k0`, `k1`, ... of constants.
    functions : dict of str to (list of str, ast.expr)
        Parameters and body of each function to be defined, in order: one is made of those before it.
    variables : tuple of str
    constants : list of float
    """

    body: ast.expr
    functions: dict[str, tuple[list[str], ast.expr]]
    variables: tuple[str, ...]
    constants: list[float]


class _Insert(ast.NodeTransformer):
    def __init__(self, operands: Mapping[str, ast.expr]) -> None:
        self.operands = operands
        self.used: dict[str, int] = {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.operands:
            return node
        self.used[node.id] = self.used.get(node.id, 0) + 1
        return self.operands[node.id]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return ast.Call(func=node.func, args=[self.visit(argument) for argument in node.args], keywords=[])


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body


def _call(name: str, arguments: Sequence[ast.expr]) -> ast.expr:
    return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=list(arguments), keywords=[])


@dataclass
class _Builder:
    inline: bool
    functions: dict[str, tuple[list[str], ast.expr]] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)

    def operator(self, name: str, operands: list[ast.expr]) -> ast.expr:
        """Return the operator over operands; through a function if one stands in it more than once."""
        if name in self.definitions:
            return self._users(name, operands)
        value = _values()[name]
        parameters = list(_OPERANDS[: len(operands)])
        uses = _Insert({p: ast.Name(id=p, ctx=ast.Load()) for p in parameters})
        uses.visit(_copy(value))
        simple = all(isinstance(operand, (ast.Name, ast.Constant)) for operand in operands)
        if self.inline or simple or all(uses.used.get(p, 0) <= 1 for p in parameters):
            inserted: ast.expr = _Insert(dict(zip(parameters, operands, strict=True))).visit(_copy(value))
            return inserted
        self.functions.setdefault(f"op_{name}", (parameters, value))
        return _call(f"op_{name}", operands)

    def _users(self, name: str, operands: list[ast.expr]) -> ast.expr:
        match = _DEFINITION.match(self.definitions[name])
        assert match is not None
        parameters = [parameter.strip() for parameter in match[2].split(",")]
        if self.inline or f"user_{name}" not in self.functions:
            place = list(self.definitions).index(name)
            known = _core.OperatorSet(list(self.definitions.values())[:place])
            body = _core.Expression.parse(match[3], parameters, known)
            safe = [f"p{k}" for k in range(len(parameters))]
            leaves: list[ast.expr] = [ast.Name(id=p, ctx=ast.Load()) for p in safe]
            tree = self.build(body, operands if self.inline else leaves, body.constants)
            if self.inline:
                return tree
            self.functions[f"user_{name}"] = (safe, tree)
        return _call(f"user_{name}", operands)

    def build(
        self, core: _core.Expression, features: Sequence[ast.expr], constants: Sequence[float] | None
    ) -> ast.expr:
        """Return the tree of a formula; its constants as names if `constants` is None."""
        stack: list[ast.expr] = []
        for name, arity, index in core.nodes:
            if name == "constant" and arity == 0:
                stack.append(
                    ast.Name(id=f"k{index}", ctx=ast.Load())
                    if constants is None
                    else ast.Constant(value=constants[index])
                )
            elif name == "feature" and arity == 0:
                stack.append(features[index])
            else:
                operands = stack[-arity:]
                del stack[-arity:]
                stack.append(self.operator(name, operands))
        return stack.pop()


def program(expression: Expression, *, inline: bool = False) -> Program:
    """Return what an export is printed from.

    Parameters
    ----------
    expression : Expression
    inline : bool
        For languages without functions: operands that are needed twice are written twice.

    Raises
    ------
    ValueError
        For a compiled operator, which has no formula.
    """
    core = expression.numeric()._formula
    if core.compiled:
        raise ValueError(
            f"{expression} cannot be exported: {core.compiled[0]!r} is compiled code, which has no formula; "
            "define it as text, as in 'inv(x) = 1/x'"
        )
    names = tuple(core.names) or tuple(f"x{j}" for j in range(core.n_features))
    definitions = {}
    for text in core.definitions:
        match = _DEFINITION.match(text)
        assert match is not None
        definitions[match[1]] = text
    builder = _Builder(inline=inline, definitions=definitions)
    leaves: list[ast.expr] = [ast.Name(id=f"v{j}", ctx=ast.Load()) for j in range(len(names))]
    body = builder.build(core, leaves, None)
    return Program(body, builder.functions, names, list(core.constants))


@cache
def _calls() -> frozenset[str]:
    """Return the functions in the values of the table."""
    nodes = (node for value in _values().values() for node in ast.walk(value))
    return frozenset(
        node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    )


def identifiers(names: Sequence[str], reserved: Sequence[str] = (), *, fold_case: bool = False) -> list[str]:
    """Return a name for each variable that a programming language takes, all different.

    Letters, digits and underscores of ASCII stay; the rest becomes an underscore. No name is that of a
    function of the table.
    """
    result: list[str] = []
    taken = {name.lower() if fold_case else name for name in (*reserved, *_calls())}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        if not re.match(r"[A-Za-z]", plain):
            plain = "x" + plain
        base, count = plain, 1
        while (plain.lower() if fold_case else plain) in taken:
            count += 1
            plain = f"{base}_{count}"
        taken.add(plain.lower() if fold_case else plain)
        result.append(plain)
    return result


_BINARY = {ast.Add: ("+", 5), ast.Sub: ("-", 5), ast.Mult: ("*", 6), ast.Div: ("/", 6)}
_LOGICAL = {ast.BitAnd: "and", ast.BitOr: "or"}
_COMPARE = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "=="}


@dataclass(frozen=True)
class Language:
    """How a language writes trees.

    Attributes
    ----------
    number : callable
        Text of a number.
    call : callable
        Text of a call, from the name of the function and the texts of its arguments.
    both, either : str
        Text between two conditions.
    equal : str
        The comparison for equality.
    """

    number: Callable[[float], str]
    call: Callable[[str, list[str]], str]
    both: str = "&&"
    either: str = "||"
    equal: str = "=="

    def text(self, node: ast.expr, leaves: Mapping[str, str], level: int = 0) -> str:
        """Text of a tree, `leaves` in the place of names; between parentheses where `level` binds tighter."""
        if isinstance(node, ast.Name):
            return leaves[node.id]
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, (int, float))
            text = self.number(float(node.value))
            return f"({text})" if text.startswith("-") and level else text
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            return self.call(node.func.id, [self.text(argument, leaves) for argument in node.args])
        if isinstance(node, ast.UnaryOp):
            return self._enclosed(f"-{self.text(node.operand, leaves, 7)}", 4, level)
        if isinstance(node, ast.Compare):
            symbol = _COMPARE[type(node.ops[0])]
            left, right = self.text(node.left, leaves, 4), self.text(node.comparators[0], leaves, 4)
            return self._enclosed(f"{left} {self.equal if symbol == '==' else symbol} {right}", 3, level)
        assert isinstance(node, ast.BinOp)
        if type(node.op) in _LOGICAL:
            word = self.both if _LOGICAL[type(node.op)] == "and" else self.either
            left, right = self.text(node.left, leaves, 3), self.text(node.right, leaves, 3)
            if word.isidentifier():  # a function
                return f"{word}({left}, {right})"
            return f"({left}) {word} ({right})"
        symbol, own = _BINARY[type(node.op)]
        left, right = self.text(node.left, leaves, own), self.text(node.right, leaves, own + 1)
        return self._enclosed(f"{left} {symbol} {right}", own, level)

    @staticmethod
    def _enclosed(text: str, own: int, level: int) -> str:
        return f"({text})" if own < level else text
