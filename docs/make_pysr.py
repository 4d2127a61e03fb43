"""Writes the table of docs/pysr.md from balmer._pysr: python docs/make_pysr.py [--print]."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

from balmer import SymbolicRegressor
from balmer._pysr import DIFFERENT, GROUPS, SAME

PAGE = Path(__file__).with_name("pysr.md")
MARK = "<!-- Made by docs/make_pysr.py: do not edit below. -->\n"


def table() -> str:
    ours = set(inspect.signature(SymbolicRegressor).parameters)
    lines = []
    for group, names in GROUPS.items():
        lines.append(f"\n### {group}\n\n| PySR | here | |\n| --- | --- | --- |\n")
        for name in names.split():
            kind, note = DIFFERENT.get(name, ("same" if name in ours else "missing", SAME.get(name, "")))
            lines.append(f"| `{name}` | {kind} | {note} |\n")
    return "".join(lines)


def page() -> str:
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return head + (mark or MARK) + table()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    if parser.parse_args().print:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
        sys.stdout.write(page())
    else:
        PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
