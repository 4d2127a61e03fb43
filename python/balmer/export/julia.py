"""Julia."""

from __future__ import annotations

from balmer.export.tree import Language, identifiers, program
from balmer.expression import Expression

__all__ = ["julia_source"]

# NaNMath gives NaN where Julia's own functions throw.
_FORMS = {
    "where": "ifelse({0}, {1}, {2})",
    "pow": "NaNMath.pow({0}, {1})",
    "atan2": "atan({0}, {1})",
    "logistic": "(1 / (1 + exp(-({0}))))",
}
_NAN_TEXT = "sqrt log log2 log10 log1p sin cos tan asin acos acosh atanh"
_NAN = frozenset(_NAN_TEXT.split())
_SPECIAL_TEXT = "erf erfc gamma"
_SPECIAL = frozenset(_SPECIAL_TEXT.split())
_RESERVED = [
    "begin",
    "while",
    "if",
    "for",
    "try",
    "return",
    "break",
    "continue",
    "function",
    "macro",
    "quote",
    "let",
    "local",
    "global",
    "const",
    "do",
    "struct",
    "module",
    "using",
    "import",
    "export",
    "end",
    "else",
    "elseif",
    "catch",
    "finally",
    "true",
    "false",
    "in",
    "isa",
    "where",
]


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), -float("inf")):
        return "Inf" if value > 0 else "-Inf"
    return repr(value)


def julia_source(expression: Expression, name: str = "formula") -> str:
    """Return a function of Julia; its first lines name the packages that it needs."""
    tree = program(expression)
    packages: set[str] = set()

    def call(function: str, arguments: list[str]) -> str:
        if function in _NAN or function == "pow":
            packages.add("NaNMath")
        if function in _NAN:
            function = f"NaNMath.{function}"
        if function in _SPECIAL:
            packages.add("SpecialFunctions")
        if function in _FORMS:
            return _FORMS[function].format(*arguments)
        return f"{function}({', '.join(arguments)})"

    language = Language(number=_number, call=call)
    lines = []
    for function, (parameters, body) in tree.functions.items():
        text = language.text(body, {parameter: parameter for parameter in parameters})
        lines.append(f"{function}({', '.join(parameters)}) = {text}")
    names = identifiers(tree.variables, [*tree.functions, *_RESERVED, name])
    leaves = {f"v{j}": variable for j, variable in enumerate(names)}
    leaves |= {f"k{j}": f"({_number(v)})" if v < 0 else _number(v) for j, v in enumerate(tree.constants)}
    lines.append(f"{name}({', '.join(names)}) = {language.text(tree.body, leaves)}")
    head = [f"# {line}" for line in str(expression).splitlines()]
    if packages:
        head.append(f"using {', '.join(sorted(packages))}")
    return "\n".join([*head, *lines, ""])
