"""Pictures of fronts, fits and formulas (extra ``plot``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from balmer.expression import Expression
from balmer.operators import operators
from balmer.selection import Front, FrontRow

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Plotting", "pareto_axes"]


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError('matplotlib is not installed: pip install "balmer[plot]"') from None
    _, made = pyplot.subplots(layout="constrained")
    return made


def pareto_axes(front: Front, chosen: int, ax: Any) -> None:
    """Draw loss over complexity, the chosen row marked."""
    complexities = np.array([row.complexity for row in front])
    losses = np.array([row.loss for row in front])
    ax.step(complexities, losses, where="post", color="0.7", zorder=1)
    ax.scatter(complexities, losses, s=25, zorder=2)
    row = front[chosen]
    ax.scatter([row.complexity], [row.loss], s=90, facecolors="none", edgecolors="C3", linewidths=2, zorder=3)
    if (losses > 0).all():
        ax.set_yscale("log")
    ax.set(xlabel="complexity", ylabel="loss")


def _layout(expression: Expression) -> tuple[list[str], list[tuple[float, float]], list[tuple[int, int]]]:
    """Labels, places (leaves side by side, the root on top) and edges of the nodes of a formula."""
    core = expression._formula
    symbols = {info.name: _symbol(info.name, info.text, info.arity) for info in operators()}
    labels: list[str] = []
    places: list[tuple[float, float]] = []
    edges: list[tuple[int, int]] = []
    stack: list[tuple[int, int]] = []  # node and height
    names = core.names or [f"x{j}" for j in range(core.n_features)]
    leaves = 0
    for name, arity, index in core.nodes:
        node = len(labels)
        if arity == 0:
            labels.append(f"{core.constants[index]:.4g}" if name == "constant" else names[index])
            places.append((float(leaves), 0.0))
            leaves += 1
            stack.append((node, 0))
            continue
        children = stack[-arity:]
        del stack[-arity:]
        labels.append(symbols.get(name, name))
        height = 1 + max(h for _, h in children)
        places.append((float(np.mean([places[child][0] for child, _ in children])), float(height)))
        edges += [(node, child) for child, _ in children]
        stack.append((node, height))
    # Leaves hang below what they belong to, not at the bottom.
    for node, child in reversed(edges):
        places[child] = (places[child][0], places[node][1] - 1)
    return labels, places, edges


def _symbol(name: str, text: str, arity: int) -> str:
    """Return the sign between two operands where there is one, else the name."""
    words = text.split()
    return words[1] if arity == 2 and len(words) == 3 and words[0] == "a" else name


class Plotting:
    """Pictures. Each draws into `ax`, or into axes of its own, and returns the axes."""

    if TYPE_CHECKING:  # what the estimator has
        fronts_: list[Front]
        n_outputs_: int

        def _chosen(self, index: int | Sequence[int] | None) -> Iterator[FrontRow]: ...
        def _chosen_places(self, index: int | Sequence[int] | None) -> list[int]: ...
        def predict(self, X: ArrayLike, index: int | Sequence[int] | None = None) -> Any: ...

    def plot_pareto(self, ax: Any = None, target: int = 0) -> Any:
        """Draw the front: loss over complexity, the chosen row marked.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        target : int
            Which column of y.
        """
        chosen = self._chosen_places(None)[target]
        axes = _axes(ax)
        pareto_axes(self.fronts_[target], chosen, axes)
        return axes

    def plot_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        index: int | Sequence[int] | None = None,
        ax: Any = None,
        target: int = 0,
    ) -> Any:
        """Draw the target and the formula: over the column of X if there is one, else over each other."""
        columns = np.asarray(X, dtype=np.float64)
        predicted, actual = self._compared(X, y, index, target)
        axes = _axes(ax)
        if columns.ndim == 2 and columns.shape[1] == 1:
            order = np.argsort(columns[:, 0], kind="stable")
            axes.scatter(columns[:, 0], actual, s=12, color="0.5", label="data")
            axes.plot(columns[order, 0], predicted[order], color="C3", label="formula")
            axes.set(xlabel="x", ylabel="y")
            axes.legend()
        else:
            ends = [float(min(actual.min(), predicted.min())), float(max(actual.max(), predicted.max()))]
            axes.plot(ends, ends, color="0.7", zorder=1)
            axes.scatter(actual, predicted, s=12, zorder=2)
            axes.set(xlabel="target", ylabel="formula")
        return axes

    def plot_residuals(
        self,
        X: ArrayLike,
        y: ArrayLike,
        index: int | Sequence[int] | None = None,
        ax: Any = None,
        target: int = 0,
    ) -> Any:
        """Draw target minus formula over the formula: a pattern is what the formula misses."""
        predicted, actual = self._compared(X, y, index, target)
        axes = _axes(ax)
        axes.axhline(0, color="0.7", zorder=1)
        axes.scatter(predicted, actual - predicted, s=12, zorder=2)
        axes.set(xlabel="formula", ylabel="target - formula")
        return axes

    def plot_tree(self, index: int | Sequence[int] | None = None, ax: Any = None, target: int = 0) -> Any:
        """Draw the formula as a tree."""
        labels, places, edges = _layout(list(self._chosen(index))[target].expression)
        axes = _axes(ax)
        for node, child in edges:
            axes.plot(*zip(places[node], places[child], strict=True), color="0.7", zorder=1)
        for label, place in zip(labels, places, strict=True):
            axes.annotate(
                label, place, ha="center", va="center", bbox={"boxstyle": "round", "fc": "white", "ec": "0.5"}
            )
        axes.set_axis_off()
        axes.margins(0.15)
        return axes

    def _compared(
        self, X: ArrayLike, y: ArrayLike, index: int | Sequence[int] | None, target: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the formula's values and the target."""
        both = (np.asarray(values, dtype=np.float64) for values in (self.predict(X, index), y))
        predicted, actual = (values[:, target] if values.ndim == 2 else values for values in both)
        return predicted, actual
