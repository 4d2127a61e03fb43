"""balmer: finds formulas in data.

>>> import balmer
>>> model = balmer.SymbolicRegressor(unary_operators=["sqrt"])  # doctest: +SKIP
>>> model.fit(X, y)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import logging
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from balmer._core import ParseError, available_isas, isa
from balmer.expression import Expression, evaluate, parse
from balmer.fitting import FitResult, fit_constants
from balmer.losses import Loss, NamedLoss, named_losses
from balmer.operators import CompiledOperator, OperatorInfo, operators
from balmer.templates import TemplateExpressionSpec

if TYPE_CHECKING:
    from balmer import datasets as datasets
    from balmer.regressor import SymbolicRegressor
    from balmer.sympy_io import from_sympy
    from balmer.units import Dimension, dimension

__all__ = [
    "CompiledOperator",
    "Dimension",
    "Expression",
    "FitResult",
    "Loss",
    "NamedLoss",
    "OperatorInfo",
    "ParseError",
    "SymbolicRegressor",
    "TemplateExpressionSpec",
    "available_isas",
    "datasets",
    "dimension",
    "evaluate",
    "fit_constants",
    "from_sympy",
    "get_include",
    "isa",
    "named_losses",
    "operators",
    "parse",
]

try:
    __version__ = version("balmer")
except PackageNotFoundError:  # a source tree that is not installed
    __version__ = "0+unknown"

logging.getLogger(__name__).addHandler(logging.NullHandler())

# scikit-learn, sympy and pandas take longer to import than balmer: they wait for their first use.
_ON_FIRST_USE = {
    "Dimension": "balmer.units",
    "dimension": "balmer.units",
    "SymbolicRegressor": "balmer.regressor",
    "from_sympy": "balmer.sympy_io",
}


def get_include() -> str:
    """Tell where the headers of balmer's C interface are, for compiling modules in Cython or C.

    See ``balmer/c_api.pxd`` and ``balmer/python_api.h`` there, and the page on embedding.
    """
    return str(Path(__file__).parent / "include")


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return importlib.import_module("balmer.datasets")
    if name in _ON_FIRST_USE:
        value = getattr(importlib.import_module(_ON_FIRST_USE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
