"""To sympy and back."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Sequence
from typing import Any

import sympy

from balmer.expression import Expression, parse

__all__ = ["from_sympy", "to_sympy"]


def _round_half_even(a: sympy.Expr) -> sympy.Expr:
    # floor(a + 1/2), less one where a lies half-way and the integer above it is odd: exact in sympy's own
    # functions, so that lambdify, LaTeX and code printers know it.
    quarter = (2 * a - 1) / 4
    return sympy.floor(a + sympy.Rational(1, 2)) + sympy.ceiling(quarter) - sympy.floor(quarter) - 1


def _unasked(function: Any) -> Any:
    """Return the function with short answers to whether it is real, finite or positive.

    sympy asks when it builds a power, a product or the same function of it, and for tanh(f) expands the real
    and the imaginary part of f for hours.
    """

    def unknown(self: Any) -> None:
        return None

    questions = ("_eval_is_real", "_eval_is_finite", "_eval_is_positive", "_eval_is_nonnegative")
    return type(function)(function.__name__, (function,), dict.fromkeys(questions, unknown))


_HYPERBOLIC = {name: _unasked(getattr(sympy, name)) for name in ("sinh", "cosh", "tanh")}


class _Numbers(ast.NodeTransformer):
    """Makes numbers sympy's own, so that no arithmetic is done by Python on the way."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node
        kind = "Integer" if isinstance(node.value, int) else "Float"
        call = ast.Call(func=ast.Name(id=kind, ctx=ast.Load()), args=[node], keywords=[])
        return ast.copy_location(call, node)


def to_sympy(expression: Expression) -> sympy.Expr:
    """Turn a formula into a sympy expression.

    Symbols have the names of the variables and no assumptions, so ``sympy.Symbol("x0")`` is the same symbol.
    sympy simplifies some sums and products as it builds them; the values stay the same wherever both are
    defined. Compiled operators become functions of their names, of which sympy knows nothing else.
    """
    core = expression._formula
    names = core.names or [f"x{j}" for j in range(core.n_features)]
    placeholders = [f"_x{j}" for j in range(len(names))]
    tree = ast.parse(core.sympy(placeholders), mode="eval")
    namespace: dict[str, Any] = {
        word.id: getattr(sympy, word.id)
        for word in ast.walk(tree)
        if isinstance(word, ast.Name) and hasattr(sympy, word.id)
    }
    namespace.update(_HYPERBOLIC)
    namespace.update({name: sympy.Function(name) for name in core.compiled})
    namespace.update(
        Integer=sympy.Integer, Float=sympy.Float, round_half_even=_round_half_even, __builtins__={}
    )
    namespace.update(zip(placeholders, map(sympy.Symbol, names), strict=True))
    code = compile(ast.fix_missing_locations(_Numbers().visit(tree)), "<formula>", "eval")
    try:
        built = sympy.sympify(eval(code, namespace))
    except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
        # sympy computes with the numbers as it builds, and stumbles over what is undefined, such as 1 / 0:
        # then it gets the formula as it stands.
        try:
            with sympy.evaluate(False):
                built = eval(code, namespace)
        except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(
                f"sympy cannot hold {expression}, part of which is undefined: {error}"
            ) from error
    with sympy.evaluate(False):
        for name, function in _HYPERBOLIC.items():
            built = built.replace(function, getattr(sympy, name))
    return built


def _chain(symbol: str) -> Callable[..., str]:
    return lambda *arguments: "(" + f" {symbol} ".join(arguments) + ")"


def _nest(name: str) -> Callable[..., str]:
    def text(*arguments: str) -> str:
        result = arguments[0]
        for argument in arguments[1:]:
            result = f"{name}({result}, {argument})"
        return result

    return text


def _log(a: str, base: str | None = None) -> str:
    return f"log({a})" if base is None else f"(log({a}) / log({base}))"


# sympy's heads that are not spelled like an operator of the core.
_HEADS: dict[str, Callable[..., str]] = {
    "Add": _chain("+"),
    "Mul": _chain("*"),
    "Pow": lambda a, b: f"({a} ^ {b})",
    "Abs": lambda a: f"abs({a})",
    "Min": _nest("min"),
    "Max": _nest("max"),
    "Mod": lambda a, b: f"mod({a}, {b})",
    "ceiling": lambda a: f"ceil({a})",
    "log": _log,
    "exp": lambda a: f"exp({a})",
    "StrictGreaterThan": _chain(">"),
    "StrictLessThan": _chain("<"),
    "GreaterThan": _chain(">="),
    "LessThan": _chain("<="),
    "Equality": _chain("=="),
    "Unequality": lambda a, b: f"(1 - ({a} == {b}))",
    "And": _chain("&&"),
    "Or": _chain("||"),
    "Not": lambda a: f"({a} <= 0)",
    "ITE": lambda condition, a, b: f"ifelse({condition}, {a}, {b})",
}


def _number(node: Any) -> float:
    try:
        value = float(node)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"{sympy.N(node, 5)} is beyond the range of double precision")
    return value


def _to_text(node: Any) -> str:
    if node is sympy.true or node is sympy.false:
        return "1" if node is sympy.true else "0"
    if node.is_Symbol:
        return f"`{node.name}`"
    if node.is_Number or node.is_NumberSymbol:
        return f"({_number(node)!r})"
    if node.func is sympy.Piecewise:
        result = "(0 / 0)"  # no branch holds: undefined, as in sympy
        for value, condition in reversed(node.args):
            result = (
                _to_text(value)
                if condition == sympy.true
                else f"ifelse({_to_text(condition)}, {_to_text(value)}, {result})"
            )
        return result
    arguments = [_to_text(argument) for argument in node.args]
    name = node.func.__name__
    if name in _HEADS:
        return _HEADS[name](*arguments)
    return f"{name}({', '.join(arguments)})"


def from_sympy(expression: Any, variable_names: Sequence[str] | None = None) -> Expression:
    """Turn a sympy expression into a formula.

    Parameters
    ----------
    expression : sympy expression, or what `sympy.sympify` takes
    variable_names : sequence of str, optional
        Names of the columns; without them, the names of the symbols in alphabetical order.

    Raises
    ------
    ParseError
        If it holds a symbol that is not among the names, or a function that balmer lacks.
    """
    tree = sympy.sympify(expression)
    if variable_names is None:
        variable_names = sorted(symbol.name for symbol in tree.free_symbols) or None
    return parse(_to_text(tree), variable_names)
