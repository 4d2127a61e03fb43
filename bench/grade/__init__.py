"""Is a formula that was found the law that was looked for?

A formula is compared with the law on fresh rows, half of them a little outside the ranges (`numeric`), and
by sympy (`symbolic`), each in a process of its own that ends in time (`child`); `verdict` joins the two. The
rules, among them the allowance for one constant added or one constant factor, are those of SRBench (La Cava
et al. 2021), and for laws with constants fitted to measurements membership in the family of the law.
"""

from grade.formula import FormulaError, evaluate, n_nodes, parse
from grade.rows import make_rows
from grade.suite import find, load_suite, n_training_rows
from grade.verdict import grade, grade_front

__all__ = [
    "FormulaError",
    "evaluate",
    "find",
    "grade",
    "grade_front",
    "load_suite",
    "make_rows",
    "n_nodes",
    "n_training_rows",
    "parse",
]
