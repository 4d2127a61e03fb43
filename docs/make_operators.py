"""Writes docs/operators.md from the core's table of operators: python docs/make_operators.py [--print]."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import balmer

HEADER = """\
# Operators

<!-- Made by docs/make_operators.py from cpp/include/balmer/expr/operators.def: do not edit. -->

What formulas are made of. `a`, `b` and `c` are the operands; *formula* is what the kernels compute.
Special values are IEEE's: `log(-1)` is NaN, `1 / 0` is infinite. Truth is `a > 0` and is written 1 and 0.
Where *domain* is given, the value is a real number only if `a` lies there. Every operator counts {complexity}
in the complexity of a formula, unless *complexity* or an option says otherwise.

Operators of your own are text: `"special(x, y) = cos(x) * (x + y)"`. The same language is described in the
documentation of `balmer.parse`.

| name | also | form | formula | domain of a | complexity |
| --- | --- | --- | --- | --- | --- |
"""


def code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def number(value: float) -> str:
    return f"{value:g}".replace("inf", "∞")


def domain(low: float, high: float) -> str:
    if low == -math.inf and high == math.inf:
        return ""
    left = "(-∞" if low == -math.inf else f"[{number(low)}"
    right = "∞)" if high == math.inf else f"{number(high)}]"
    return f"{left}, {right}"


def page() -> str:
    table = balmer.operators()
    complexities = [operator.complexity for operator in table]
    usual = max(set(complexities), key=complexities.count)
    lines = []
    for operator in table:
        cells = [
            code(operator.name),
            " ".join(code(alias) for alias in operator.aliases),
            code(operator.text),
            code(operator.value),
            domain(operator.low, operator.high),
            "" if operator.complexity == usual else str(operator.complexity),
        ]
        lines.append("| " + " | ".join(cells) + " |\n")
    return HEADER.format(complexity=usual) + "".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    arguments = parser.parse_args()
    if arguments.print:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
        sys.stdout.write(page())
    else:
        Path(__file__).with_name("operators.md").write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
