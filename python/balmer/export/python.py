"""Functions of Python: NumPy as source text and as a function, torch as a module, jax as a function."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from balmer.export.tree import Language, Program, identifiers, program
from balmer.expression import Expression

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["jax_function", "numpy_function", "numpy_source", "torch_module"]

# Where NumPy has another name.
_NUMPY = dict(
    pair.split(":")
    for pair in [
        "asin:arcsin",
        "acos:arccos",
        "atan:arctan",
        "atan2:arctan2",
        "asinh:arcsinh",
        "acosh:arccosh",
        "atanh:arctanh",
        "min:minimum",
        "max:maximum",
        "round:rint",
        "pow:power",
    ]
)
_SPECIAL = ["erf", "erfc", "gamma"]
_TORCH = {"min": "minimum", "max": "maximum", "mod": "remainder", "logistic": "sigmoid"}


def _number(value: float) -> str:
    if value != value:
        return "np.nan"
    if value in (float("inf"), -float("inf")):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(value)


def _functions(tree: Program, language: Language) -> list[str]:
    lines = []
    for function, (parameters, body) in tree.functions.items():
        text = language.text(body, {parameter: parameter for parameter in parameters})
        lines += ["", "", f"def {function}({', '.join(parameters)}):", f"    return {text}"]
    return lines


def numpy_source(expression: Expression, name: str = "formula") -> str:
    """Return a module of Python with a function of arrays, one for each variable."""
    tree = program(expression)
    imports = {"import numpy as np"}

    def call(function: str, arguments: list[str]) -> str:
        if function in _SPECIAL:
            imports.add("from scipy import special")
            return f"special.{function}({', '.join(arguments)})"
        if function == "logistic":
            imports.add("from scipy import special")
            return f"special.expit({', '.join(arguments)})"
        if function in tree.functions:
            return f"{function}({', '.join(arguments)})"
        return f"np.{_NUMPY.get(function, function)}({', '.join(arguments)})"

    language = Language(number=_number, call=call, both="&", either="|")
    names = identifiers(tree.variables, [*keyword.kwlist, *tree.functions, "np", "special", name])
    leaves = {f"v{j}": variable for j, variable in enumerate(names)}
    leaves |= {f"k{j}": _enclosed(_number(value)) for j, value in enumerate(tree.constants)}
    functions = _functions(tree, language)
    text = language.text(tree.body, leaves)
    head = [f"# {line}" for line in str(expression).splitlines()]
    lines = [
        *head,
        *sorted(imports),
        *functions,
        "",
        "",
        f"def {name}({', '.join(names)}):",
        f"    return {text}",
    ]
    return "\n".join([*lines, ""])


def _enclosed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def numpy_function(expression: Expression) -> Callable[[ArrayLike], NDArray[np.float64]]:
    """Return a function of a matrix of shape (n_rows, n_features) that needs NumPy (and scipy.special) alone.

    Its attribute ``source`` is the text that it was made of.
    """
    source = numpy_source(expression)
    namespace: dict[str, Any] = {}
    exec(compile(source, "<formula>", "exec"), namespace)
    formula = namespace["formula"]

    def function(X: ArrayLike) -> NDArray[np.float64]:
        columns = np.asarray(X, dtype=np.float64)
        with np.errstate(all="ignore"):
            values = formula(*columns.T)
        return np.array(np.broadcast_to(values, len(columns)), dtype=np.float64)

    function.source = source  # type: ignore[attr-defined]
    return function


# ---- torch ------------------------------------------------------------------------------------------------


def _compiled(expression: Expression, language: Language, tree: Program, namespace: dict[str, Any]) -> Any:
    """Return the function ``formula(v, k)`` of a sequence of columns and a sequence of constants."""
    leaves = {f"v{j}": f"v[{j}]" for j in range(len(tree.variables))}
    leaves |= {f"k{j}": f"k[{j}]" for j in range(len(tree.constants))}
    text = language.text(tree.body, leaves)
    lines = [*_functions(tree, language), "", "", "def formula(v, k):", f"    return {text}"]
    exec(compile("\n".join(lines), "<formula>", "exec"), namespace)
    return namespace["formula"]


def torch_module(expression: Expression, dtype: Any = None) -> Any:
    """Return a ``torch.nn.Module`` of a tensor of shape (n_rows, n_features).

    Its constants are the parameter ``constants``, in the order of `Expression.constants`: they can be
    trained.

    Parameters
    ----------
    expression : Expression
    dtype : torch.dtype, optional
        Of the constants; ``torch.float64`` if None.

    Raises
    ------
    ImportError
        Without torch: ``pip install "balmer[torch]"``.
    """
    try:
        import torch
    except ImportError:
        raise ImportError('torch is not installed: pip install "balmer[torch]"') from None
    tree = program(expression)

    def cbrt(a: Any) -> Any:
        return torch.sign(a) * torch.abs(a) ** (1 / 3)

    def gamma(a: Any) -> Any:
        away = torch.where(a > 0, a, 1 - a)  # by reflection where it is negative
        positive = torch.exp(torch.lgamma(away))
        return torch.where(a > 0, positive, torch.pi / (torch.sin(torch.pi * a) * positive))

    def where(condition: Any, a: Any, b: Any) -> Any:
        # torch makes single precision of numbers.
        return torch.where(condition, *(torch.as_tensor(value, dtype=_kind(value)) for value in (a, b)))

    def _kind(value: Any) -> Any:
        return value.dtype if isinstance(value, torch.Tensor) else torch.float64

    own = {"cbrt": cbrt, "gamma": gamma, "where": where}

    def call(function: str, arguments: list[str]) -> str:
        if function in own or function in tree.functions:
            return f"{function}({', '.join(arguments)})"
        return f"torch.{_TORCH.get(function, function)}({', '.join(arguments)})"

    language = Language(number=_number, call=call, both="&", either="|")
    formula = _compiled(expression, language, tree, {"torch": torch, "np": np, **own})

    class SymbolicModule(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        """A formula whose constants are parameters."""

        def __init__(self) -> None:
            super().__init__()
            values = torch.tensor(tree.constants, dtype=torch.float64 if dtype is None else dtype)
            self.constants = torch.nn.Parameter(values)

        def forward(self, X: Any) -> Any:
            result = formula(X.unbind(dim=-1), self.constants)
            return result.expand(X.shape[:-1]) if result.dim() == 0 else result

        def extra_repr(self) -> str:
            return str(expression)

    return SymbolicModule()


# ---- jax --------------------------------------------------------------------------------------------------


def jax_function(expression: Expression) -> dict[str, Any]:
    """Return ``{"callable": f, "parameters": p}``: ``f(X, p)`` gives the values of the rows of X.

    The parameters are the constants, in the order of `Expression.constants`; derivatives by both arguments
    are those of jax. For the precision of NumPy switch on ``jax_enable_x64`` first.

    Raises
    ------
    ImportError
        Without jax: ``pip install "balmer[jax]"``.
    """
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        raise ImportError('jax is not installed: pip install "balmer[jax]"') from None
    tree = program(expression)

    def call(function: str, arguments: list[str]) -> str:
        if function in _SPECIAL:
            return f"special.{function}({', '.join(arguments)})"
        if function == "logistic":
            return f"special.expit({', '.join(arguments)})"
        if function in tree.functions:
            return f"{function}({', '.join(arguments)})"
        return f"jnp.{_NUMPY.get(function, function)}({', '.join(arguments)})"

    language = Language(number=_number, call=call, both="&", either="|")
    names = {"jnp": jnp, "special": jax.scipy.special, "np": np}
    formula = _compiled(expression, language, tree, names)

    def function(X: Any, parameters: Any) -> Any:
        columns = [X[..., j] for j in range(X.shape[-1])]
        return jnp.broadcast_to(formula(columns, parameters), X.shape[:-1])

    return {"callable": function, "parameters": jnp.array(tree.constants)}
