"""Formulas as source text of other languages, and as functions of NumPy, torch and jax."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from balmer.export.c import c_source, cpp_source
from balmer.export.excel import excel_formula
from balmer.export.fortran import fortran_source
from balmer.export.julia import julia_source
from balmer.export.python import jax_function, numpy_function, numpy_source, torch_module
from balmer.expression import Expression

__all__ = ["LANGUAGES", "jax_function", "numpy_function", "source", "torch_module"]

LANGUAGES: Mapping[str, Callable[..., str]] = {
    "numpy": numpy_source,
    "c": c_source,
    "c++": cpp_source,
    "fortran": fortran_source,
    "julia": julia_source,
    "excel": excel_formula,
}


def source(expression: Expression, language: str, name: str = "formula") -> str:
    """Return a formula as source text.

    Parameters
    ----------
    expression : Expression
    language : {"numpy", "c", "c++", "fortran", "julia", "excel"}
        A function of the variables in double precision; for "excel" the text of a cell, the variables being
        the cells A2, B2, ...
    name : str
        Of the function.

    Raises
    ------
    ValueError
        For another language, or a name that no language takes.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}: choose among {', '.join(map(repr, LANGUAGES))}")
    if not (name.isidentifier() and name.isascii()):
        raise ValueError(f"name is {name!r}: give letters, digits and underscores, as in 'formula'")
    return LANGUAGES[language](expression, name)
