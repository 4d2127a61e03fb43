"""A cell of a spreadsheet: Excel 2013 or newer, LibreOffice Calc."""

from __future__ import annotations

from balmer.export.tree import Language, program
from balmer.expression import Expression

__all__ = ["excel_formula"]

_FORMS = {
    "where": "IF({0},{1},{2})",
    "pow": "({0})^({1})",
    "atan2": "ATAN2({1},{0})",
    "cbrt": "SIGN({0})*ABS({0})^(1/3)",
    "hypot": "SQRT(({0})^2+({1})^2)",
    "expm1": "(EXP({0})-1)",
    "log1p": "LN(1+({0}))",
    "log": "LN({0})",
    "log2": "LOG({0},2)",
    "logistic": "1/(1+EXP(-({0})))",
    "erf": "ERF.PRECISE({0})",
    "erfc": "ERFC.PRECISE({0})",
    "round": "IF(MOD({0},1)=0.5,2*ROUND(({0})/2,0),ROUND({0},0))",
    "floor": "FLOOR.MATH({0})",
    "ceil": "CEILING.MATH({0})",
}


def _number(value: float) -> str:
    if value != value or value in (float("inf"), -float("inf")):
        return "NA()"
    return repr(value).replace("e", "E")


def _call(function: str, arguments: list[str]) -> str:
    if function in _FORMS:
        return f"({_FORMS[function].format(*arguments)})"
    return f"{function.upper()}({','.join(arguments)})"


def _column(j: int) -> str:
    letters = ""
    j += 1
    while j:
        j, digit = divmod(j - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def excel_formula(expression: Expression, name: str = "formula") -> str:
    """Return the text of a cell, the variables being the cells A2, B2, ...; `name` is not used."""
    tree = program(expression, inline=True)
    leaves = {f"v{j}": f"{_column(j)}2" for j in range(len(tree.variables))}
    leaves |= {f"k{j}": f"({_number(v)})" if v < 0 else _number(v) for j, v in enumerate(tree.constants)}
    language = Language(number=_number, call=_call, both="AND", either="OR", equal="=")
    return "=" + language.text(tree.body, leaves)
