"""C (C99) and C++ (C++11)."""

from __future__ import annotations

from balmer.export.tree import Language, Program, identifiers, program
from balmer.expression import Expression

__all__ = ["c_source", "cpp_source"]

_RENAMED = {"abs": "fabs", "gamma": "tgamma", "round": "rint", "min": "lesser", "max": "larger"}
_HELPERS = {
    "sign": "(a > 0) - (a < 0)",
    "mod": "a - b * floor(a / b)",
    "logistic": "1 / (1 + exp(-a))",
    "lesser": "a < b || b != b ? (b != b ? b : a) : b",
    "larger": "a > b || b != b ? (b != b ? b : a) : b",
}
_RESERVED = [
    "auto",
    "break",
    "case",
    "char",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extern",
    "float",
    "for",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "while",
    "bool",
    "class",
    "template",
    "this",
    "new",
    "delete",
    "namespace",
    "public",
    "private",
    "protected",
    "virtual",
    "operator",
    "true",
    "false",
    "catch",
    "try",
    "j0",
    "j1",
    "jn",
    "y0",
    "y1",
    "yn",
    "gamma",
    "lesser",
    "larger",
    "sign",
    "mod",
    "logistic",
    "a",
    "b",
    "c",
    "std",
]


def _number(value: float) -> str:
    if value != value:
        return "NAN"
    if value in (float("inf"), -float("inf")):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(value)


def _write(expression: Expression, name: str, head: list[str], space: str) -> str:
    tree = program(expression)
    helpers: set[str] = set()

    def call(function: str, arguments: list[str]) -> str:
        if function == "where":
            return f"({arguments[0]} ? {arguments[1]} : {arguments[2]})"
        function = _RENAMED.get(function, function)
        if function in _HELPERS:
            helpers.add(function)
        elif function not in tree.functions:
            function = space + function
        return f"{function}({', '.join(arguments)})"

    language = Language(number=_number, call=call)
    lines = _functions(tree, language)
    names = identifiers(tree.variables, [*tree.functions, *_RESERVED, name])
    leaves = {f"v{j}": variable for j, variable in enumerate(names)}
    leaves |= {f"k{j}": _enclosed(_number(value)) for j, value in enumerate(tree.constants)}
    arguments = ", ".join(f"double {variable}" for variable in names) or "void"
    lines += [f"double {name}({arguments}) {{", f"    return {language.text(tree.body, leaves)};", "}"]
    definitions = [
        f"static double {helper}({'double a, double b' if 'b' in _HELPERS[helper].split() else 'double a'}) "
        f"{{ return {_HELPERS[helper].replace('floor', space + 'floor').replace('exp', space + 'exp')}; }}"
        for helper in _HELPERS
        if helper in helpers
    ]
    return "\n".join([f"/* {_comment(expression)} */", *head, "", *definitions, *lines, ""])


def _functions(tree: Program, language: Language) -> list[str]:
    lines = []
    for function, (parameters, body) in tree.functions.items():
        arguments = ", ".join(f"double {parameter}" for parameter in parameters)
        text = language.text(body, {parameter: parameter for parameter in parameters})
        lines.append(f"static double {function}({arguments}) {{ return {text}; }}")
    return lines


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _comment(expression: Expression) -> str:
    return str(expression).replace("*/", "* /").replace("\n", " ")


def c_source(expression: Expression, name: str = "formula") -> str:
    """Return a function of C99, ``double name(double x0, double x1, ...)``; link with ``-lm``."""
    return _write(expression, name, ["#include <math.h>"], "")


def cpp_source(expression: Expression, name: str = "formula") -> str:
    """Return a function of C++11, ``double name(double x0, double x1, ...)``."""
    return _write(expression, name, ["#include <cmath>"], "std::").replace("(void)", "()")
