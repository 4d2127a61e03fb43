"""Fortran 2008, free form."""

from __future__ import annotations

import re

from balmer.export.tree import Language, identifiers, program
from balmer.expression import Expression

__all__ = ["fortran_source"]

# What Fortran has under another name, or as a formula of what it has.
_FORMS = {
    "where": "merge({1}, {2}, {0})",
    "pow": "({0})**({1})",
    "mod": "modulo({0}, {1})",
    "sign": "balmer_sign({0})",
    "round": "balmer_round({0})",
    "cbrt": "balmer_cbrt({0})",
    "floor": "balmer_floor({0})",
    "ceil": "(-balmer_floor(-({0})))",
    "expm1": "(2 * sinh(({0}) / 2) * exp(({0}) / 2))",
    "log1p": "(2 * atanh(({0}) / (2 + ({0}))))",
    "log2": "(log({0}) / 0.69314718055994531d0)",
    "logistic": "(1 / (1 + exp(-({0}))))",
}
_HELPERS = {
    "balmer_sign": "merge(1d0, merge(-1d0, 0d0, a < 0), a > 0)",
    "balmer_round": "merge(2 * anint(a / 2), anint(a), abs(a - aint(a)) == 0.5d0)",
    "balmer_cbrt": "sign(abs(a)**(1d0 / 3), a)",
    "balmer_floor": "aint(a) - merge(1d0, 0d0, a < aint(a))",
}
_WIDTH = 100  # of a line; free form has 132


def _number(value: float) -> str:
    if value != value:
        return "(0d0 / 0d0)"
    if value in (float("inf"), -float("inf")):
        return "huge(1d0) * 10" if value > 0 else "-huge(1d0) * 10"
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}d{int(exponent or 0)}"


def _wrapped(text: str) -> str:
    lines = []
    while len(text) > _WIDTH:
        place = text.rfind(" ", 40, _WIDTH)
        place = place if place > 0 else _WIDTH
        lines.append(text[:place] + " &")
        text = "        &" + text[place:]
    return "\n".join([*lines, text])


def fortran_source(expression: Expression, name: str = "formula") -> str:
    """Return a pure function of Fortran 2008 in double precision."""
    tree = program(expression)
    helpers: set[str] = set()

    def call(function: str, arguments: list[str]) -> str:
        text = _FORMS.get(function, function + "({0}, {1})" if len(arguments) == 2 else function + "({0})")
        if function not in _FORMS:
            text = f"{function}({', '.join(arguments)})"
        helpers.update(word for word in re.findall(r"balmer_\w+", text))
        return text.format(*arguments) if function in _FORMS else text

    language = Language(number=_number, call=call, both=".and.", either=".or.")
    inner = []
    for function, (parameters, body) in tree.functions.items():
        text = language.text(body, {parameter: parameter for parameter in parameters})
        inner += _function(function, parameters, text)
    names = identifiers(tree.variables, [*tree.functions, name, "result", "value"], fold_case=True)
    leaves = {f"v{j}": variable for j, variable in enumerate(names)}
    leaves |= {f"k{j}": f"({_number(v)})" if v < 0 else _number(v) for j, v in enumerate(tree.constants)}
    body_text = language.text(tree.body, leaves)
    inner = [
        *(line for h in _HELPERS if h in helpers for line in _function(h, ["a"], _HELPERS[h])),
        *inner,
    ]
    lines = [f"! {line}" for line in str(expression).splitlines()]
    lines += _function(name, names, body_text, inner)
    return "\n".join([*lines, ""])


def _function(name: str, parameters: list[str], text: str, inner: list[str] | None = None) -> list[str]:
    lines = [f"pure function {name}({', '.join(parameters)}) result(value)"]
    lines.append("    implicit none")
    if parameters:
        lines.append(_wrapped(f"    double precision, intent(in) :: {', '.join(parameters)}"))
    lines += ["    double precision :: value", _wrapped(f"    value = {text}")]
    if inner:
        lines += ["contains", *inner]
    return [*lines, f"end function {name}"]
