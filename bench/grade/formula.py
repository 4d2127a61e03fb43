"""Formulas as text: read with a white list, counted, evaluated in float64 or with many digits.

Nothing in a formula is ever run as Python code.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import sys
import time
from dataclasses import dataclass

import numpy as np

MAX_CHARACTERS = 20000
MAX_NODES = 4000
MAX_DEPTH = 500
CONSTANTS = {"pi": math.pi, "E": math.e}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


class FormulaError(ValueError):
    """A formula or a problem that cannot be read; the text says what is wrong with it."""


@dataclass(frozen=True)
class Node:
    """An operator with its operands, a name, or a number.

    `kind` is ``number``, ``name``, ``operator`` (``+ - * / **`` and ``negative``) or ``call``.
    """

    kind: str
    text: str = ""
    operands: tuple[Node, ...] = ()
    value: int | float = 0


@dataclass(frozen=True)
class Function:
    """A function by its three meanings; `mp` and `sympy` take the module, which is imported when needed."""

    numpy: object
    mp: object
    sympy: object
    arities: tuple[int, ...] = (1,)


def _plain(name, numpy_name=None):
    return Function(getattr(np, numpy_name or name), lambda m: getattr(m, name), lambda s: getattr(s, name))


def _made_of(body, power=None):
    """A function that arithmetic alone defines, so that all three meanings are one."""
    return Function(body, lambda m: body, lambda s: power or body)


def _fold(body):
    def folded(first, *others):
        for other in others:
            first = body(first, other)
        return first

    return folded


def _logarithm(x, base=None):
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _erf(x):
    return np.vectorize(math.erf, otypes=[float])(np.asarray(x, dtype=float))


FUNCTIONS = {
    **{name: _plain(name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "sqrt")},
    **{name: _plain(name, "arc" + name[1:]) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    "cot": Function(lambda x: np.cos(x) / np.sin(x), lambda m: m.cot, lambda s: s.cot),
    "sec": Function(lambda x: 1 / np.cos(x), lambda m: m.sec, lambda s: s.sec),
    "csc": Function(lambda x: 1 / np.sin(x), lambda m: m.csc, lambda s: s.csc),
    "atan2": Function(np.arctan2, lambda m: m.atan2, lambda s: s.atan2, (2,)),
    "expm1": Function(np.expm1, lambda m: m.expm1, lambda s: lambda x: s.exp(x) - 1),
    "log": Function(_logarithm, lambda m: m.log, lambda s: s.log, (1, 2)),
    "log1p": Function(np.log1p, lambda m: m.log1p, lambda s: lambda x: s.log(1 + x)),
    "log10": Function(np.log10, lambda m: m.log10, lambda s: lambda x: s.log(x) / s.log(10)),
    "log2": Function(np.log2, lambda m: lambda x: m.log(x, 2), lambda s: lambda x: s.log(x) / s.log(2)),
    "cbrt": Function(
        np.cbrt,
        lambda m: lambda x: m.sign(x) * m.cbrt(abs(x)),
        lambda s: lambda x: s.Pow(x, s.Rational(1, 3)),
    ),
    "abs": Function(np.abs, lambda m: abs, lambda s: s.Abs),
    "sign": Function(np.sign, lambda m: m.sign, lambda s: s.sign),
    "square": _made_of(lambda x: x * x, lambda x: x**2),
    "cube": _made_of(lambda x: x * x * x, lambda x: x**3),
    "quart": _made_of(lambda x: (x * x) * (x * x), lambda x: x**4),
    "inv": _made_of(lambda x: 1 / x),
    "neg": _made_of(lambda x: -x),
    "erf": Function(_erf, lambda m: m.erf, lambda s: s.erf),
    "sigmoid": Function(
        lambda x: 1.0 / (1.0 + np.exp(-x)),
        lambda m: lambda x: 1 / (1 + m.exp(-x)),
        lambda s: lambda x: 1 / (1 + s.exp(-x)),
    ),
    "gauss": Function(
        lambda x: np.exp(-x * x), lambda m: lambda x: m.exp(-x * x), lambda s: lambda x: s.exp(-(x**2))
    ),
    "logabs": Function(
        lambda x: np.log(np.abs(x)), lambda m: lambda x: m.log(abs(x)), lambda s: lambda x: s.log(s.Abs(x))
    ),
    "sqrtabs": Function(
        lambda x: np.sqrt(np.abs(x)), lambda m: lambda x: m.sqrt(abs(x)), lambda s: lambda x: s.sqrt(s.Abs(x))
    ),
    "pow": Function(np.power, lambda m: m.power, lambda s: s.Pow, (2,)),
    "add": Function(np.add, lambda m: lambda a, b: a + b, lambda s: s.Add, (2,)),
    "sub": Function(np.subtract, lambda m: lambda a, b: a - b, lambda s: lambda a, b: a - b, (2,)),
    "mul": Function(np.multiply, lambda m: lambda a, b: a * b, lambda s: s.Mul, (2,)),
    "div": Function(np.divide, lambda m: lambda a, b: a / b, lambda s: lambda a, b: a / b, (2,)),
    "aq": Function(
        lambda a, b: a / np.sqrt(1 + b * b),
        lambda m: lambda a, b: a / m.sqrt(1 + b * b),
        lambda s: lambda a, b: a / s.sqrt(1 + b**2),
        (2,),
    ),
    "max": Function(_fold(np.maximum), lambda m: max, lambda s: s.Max, tuple(range(2, 9))),
    "min": Function(_fold(np.minimum), lambda m: min, lambda s: s.Min, tuple(range(2, 9))),
}
ALIASES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "ln": "log", "Abs": "abs", "fabs": "abs", "Max": "max",
    "Min": "min", "power": "pow", "Pow": "pow", "logistic": "sigmoid", "pow2": "square", "pow3": "cube",
    "plog": "logabs", "psqrt": "sqrtabs", "reciprocal": "inv",
}  # fmt: skip
FUNCTIONS.update({alias: FUNCTIONS[name] for alias, name in ALIASES.items()})
POWERS = {"pow"} | {alias for alias, name in ALIASES.items() if name == "pow"}


class _Reader:
    """From Python's own syntax tree to nodes, as far as the white list goes."""

    def __init__(self, names):
        self.names = names
        self.count = 0

    def read(self, tree, depth=0):
        self.count += 1
        if self.count > MAX_NODES:
            raise FormulaError(f"the formula has more than {MAX_NODES} nodes")
        if depth > MAX_DEPTH:
            raise FormulaError(f"the formula is nested deeper than {MAX_DEPTH} levels")
        if isinstance(tree, ast.BinOp):
            if type(tree.op) not in BINARY:
                raise FormulaError(f"operator {type(tree.op).__name__} is not allowed: use + - * / **")
            operands = (self.read(tree.left, depth + 1), self.read(tree.right, depth + 1))
            return Node("operator", BINARY[type(tree.op)], operands)
        if isinstance(tree, ast.UnaryOp):
            if not isinstance(tree.op, (ast.UAdd, ast.USub)):
                raise FormulaError(f"operator {type(tree.op).__name__} is not allowed")
            operand = self.read(tree.operand, depth + 1)
            return operand if isinstance(tree.op, ast.UAdd) else Node("operator", "negative", (operand,))
        if isinstance(tree, ast.Call):
            return self._call(tree, depth)
        if isinstance(tree, ast.Name):
            return self._name(tree.id)
        if isinstance(tree, ast.Constant):
            return self._number(tree.value)
        raise FormulaError(f"{type(tree).__name__} is not allowed in a formula")

    def _call(self, tree, depth):
        if not isinstance(tree.func, ast.Name):
            raise FormulaError("only functions that have a plain name can be called")
        name = tree.func.id
        if name not in FUNCTIONS:
            raise FormulaError(f"unknown function {name!r}{_nearest(name, FUNCTIONS)}")
        if tree.keywords or any(isinstance(operand, ast.Starred) for operand in tree.args):
            raise FormulaError(f"{name}: keyword and starred arguments are not allowed")
        arities = FUNCTIONS[name].arities
        if len(tree.args) not in arities:
            raise FormulaError(
                f"{name} takes {' or '.join(map(str, arities))} operands, not {len(tree.args)}"
            )
        return Node("call", name, tuple(self.read(operand, depth + 1) for operand in tree.args))

    def _name(self, name):
        if name not in self.names and name not in CONSTANTS:
            if name in FUNCTIONS:
                raise FormulaError(f"function {name} is used without an operand")
            known = ", ".join(sorted(self.names)) or "(none)"
            raise FormulaError(
                f"unknown name {name!r}: the variables are {known}{_nearest(name, self.names)}"
            )
        return Node("name", name)

    @staticmethod
    def _number(value):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise FormulaError(f"{value!r} is not a real number")
        if isinstance(value, float) and not math.isfinite(value):
            raise FormulaError("a number overflows to infinity")
        if isinstance(value, int) and value > 10**300:
            raise FormulaError("a whole number is too large")
        return Node("number", value=value)


def _nearest(name, known):
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def parse(text, names):
    """Read one formula over the variables `names`; a leading ``y =`` is skipped and ``^`` is a power.

    Raises FormulaError for what is no formula, names no variable, or has a constant part that is not finite.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}")
    source = text.strip()
    if not source:
        raise FormulaError("the formula is empty")
    if len(source) > MAX_CHARACTERS:
        raise FormulaError(f"the formula has {len(source)} characters: at most {MAX_CHARACTERS} are read")
    for character, meaning in {
        "^": "**",
        "\u2212": "-",
        "\u00d7": "*",
        "\u00b7": "*",
        "\n": " ",
        "\r": " ",
    }.items():
        source = source.replace(character, meaning)
    source = re.sub(r"^\s*[A-Za-z_]\w*\s*=(?!=)\s*", "", source)
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"{source[:80]!r}, column {error.offset}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"cannot read {source[:80]!r}: {error or type(error).__name__}") from None
    names = set(names)
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(max(limit, 8 * MAX_DEPTH))
        node = _Reader(names).read(tree)
        _check_constant_parts(node, names)
    except RecursionError:
        raise FormulaError("the formula is nested too deeply") from None
    finally:
        sys.setrecursionlimit(limit)
    return node


def _check_constant_parts(node, names):
    """Value of a part without variables, None of others."""
    if node.kind == "name":
        return CONSTANTS[node.text] if node.text not in names else None
    operands = [_check_constant_parts(operand, names) for operand in node.operands]
    if node.kind != "number" and any(value is None for value in operands):
        return None
    with np.errstate(all="ignore"):
        value = float(evaluate_float64(node, {}))
    if not math.isfinite(value):
        raise FormulaError("a constant part of the formula is not finite")
    return value


def n_nodes(node):
    """Nodes of the tree as written: ``a+b+c`` has 5, ``x**2`` 3, ``square(x)`` 2; a signed number is one."""
    below = sum(n_nodes(operand) for operand in node.operands)
    if node.kind == "operator" and node.text == "negative" and node.operands[0].kind == "number":
        return below
    return 1 + below + (max(0, len(node.operands) - 2) if node.kind == "call" else 0)


def variables_of(node, names):
    if node.kind == "name":
        return {node.text} & set(names)
    return set().union(*(variables_of(operand, names) for operand in node.operands))


def apply_operator(text, values, power):
    """The operator on its operands, be they arrays, mpmath's numbers or sympy's expressions."""
    match text:
        case "+":
            return values[0] + values[1]
        case "-":
            return values[0] - values[1]
        case "*":
            return values[0] * values[1]
        case "/":
            return values[0] / values[1]
        case "**":
            return power(values[0], values[1])
    return -values[0]


def evaluate_float64(node, columns):
    """Values on `columns`, a dictionary from names to arrays or numbers."""
    if node.kind == "number":
        return np.float64(node.value)
    if node.kind == "name":
        return columns[node.text] if node.text in columns else np.float64(CONSTANTS[node.text])
    values = [evaluate_float64(operand, columns) for operand in node.operands]
    if node.kind == "call":
        return FUNCTIONS[node.text].numpy(*values)
    return apply_operator(node.text, values, np.power)


def evaluate_digits(node, point, mp):
    """The value at one point with mpmath's present precision; NaN where there is no real one."""

    def power(base, exponent):
        if base != 0 and abs(exponent) * (1 + abs(mp.log(abs(base)))) > 1e12:
            raise OverflowError
        return mp.power(base, exponent)

    def value_of(node):
        if node.kind == "number":
            return mp.mpf(node.value)
        if node.kind == "name":
            return point[node.text] if node.text in point else {"pi": mp.pi, "E": mp.e}[node.text]
        values = [value_of(operand) for operand in node.operands]
        if node.kind == "call":
            if node.text in POWERS:
                return power(*values)
            if node.text in ("exp", "expm1", "sinh", "cosh") and abs(values[0]) > 1e12:
                raise OverflowError
            return FUNCTIONS[node.text].mp(mp)(*values)
        return apply_operator(node.text, values, power)

    try:
        value = value_of(node)
        if isinstance(value, mp.mpc):
            if value.imag != 0:
                return math.nan
            value = value.real
        return float(value)
    except (ZeroDivisionError, OverflowError, ValueError, TypeError, ArithmeticError):
        return math.nan


def evaluate(node, columns, deadline=None):
    """Values on the columns; where float64 gives none, 40 digits are tried.

    So an overflow inside a formula that has a value, as in ``log(exp(800) - 1)``, is not held against it.
    """
    n_rows = len(next(iter(columns.values())))
    with np.errstate(all="ignore"):
        values = np.asarray(evaluate_float64(node, columns), dtype=float) * np.ones(n_rows)
    lost = np.flatnonzero(~np.isfinite(values))
    if len(lost):
        import mpmath

        with mpmath.workdps(40):
            for row in lost[:400]:
                if deadline is not None and time.monotonic() > deadline:
                    break
                point = {name: mpmath.mpf(float(column[row])) for name, column in columns.items()}
                values[row] = evaluate_digits(node, point, mpmath)
    return values
