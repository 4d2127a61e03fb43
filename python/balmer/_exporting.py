"""The part of an estimator that gives its formulas to other languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from balmer import export
from balmer.selection import FrontRow

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Exporting"]


class Exporting:
    """Exports of the chosen formula, or of the row `index`; a list for more than one target."""

    if TYPE_CHECKING:  # what the estimator has

        def _chosen(self, index: int | Sequence[int] | None) -> Iterator[FrontRow]: ...
        def _one_or_list(self, values: list[Any]) -> Any: ...

    def source(
        self, language: str, index: int | Sequence[int] | None = None, name: str = "formula"
    ) -> str | list[str]:
        """Return the formula as source text.

        Parameters
        ----------
        language : {"numpy", "c", "c++", "fortran", "julia", "excel"}
            A function of the columns in double precision; "excel": the text of a cell, the columns being A2,
            B2, ...
        index : int, or list of int for more than one target
            Rows of `equations_`, in the place of the chosen ones.
        name : str
            Of the function.
        """
        texts = [export.source(row.expression, language, name) for row in self._chosen(index)]
        return self._one_or_list(texts)  # type: ignore[no-any-return]

    def numpy(
        self, index: int | Sequence[int] | None = None
    ) -> Callable[..., Any] | list[Callable[..., Any]]:
        """Return the formula as a function of a matrix that needs NumPy alone, not balmer.

        Its attribute ``source`` is the text that it was made of.
        """
        return self._one_or_list(  # type: ignore[no-any-return]
            [export.numpy_function(row.expression) for row in self._chosen(index)]
        )

    def pytorch(self, index: int | Sequence[int] | None = None) -> Any:
        """Return the formula as a torch module with its constants as trainable parameters (extra ``torch``).

        It takes tensors of shape (n_rows, n_features), float64.
        """
        return self._one_or_list([export.torch_module(row.expression) for row in self._chosen(index)])

    def jax(self, index: int | Sequence[int] | None = None) -> Any:
        """Return ``{"callable": f, "parameters": p}`` with ``f(X, p)`` in jax (extra ``jax``)."""
        return self._one_or_list([export.jax_function(row.expression) for row in self._chosen(index)])
