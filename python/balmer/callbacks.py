"""Who is told of a search while it runs: the interface, and loggers to CSV and TensorBoard."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from balmer.expression import Expression

__all__ = ["CSVLogger", "Callback", "ProgressRow", "SearchProgress", "TensorBoardLogger", "pareto_volume"]


@dataclass(frozen=True)
class ProgressRow:
    """One formula of a front that is still growing."""

    complexity: int
    loss: float
    expression: Expression


@dataclass(frozen=True)
class SearchProgress:
    """A state of a search, between two iterations.

    Attributes
    ----------
    target : int
        Which column of y.
    iteration, iterations : int
        Done, and asked for.
    evaluations : float
        So far; a formula on a part of the rows counts as that part.
    seconds : float
        Since the search began.
    front : tuple of ProgressRow
        By rising complexity.
    """

    target: int
    iteration: int
    iterations: int
    evaluations: float
    seconds: float
    front: tuple[ProgressRow, ...]


class Callback:
    """What `SymbolicRegressor` tells of its progress; override what is of interest.

    All methods are called on the thread that called `fit`. An exception ends the fit and goes to its caller.

    Examples
    --------
    >>> from balmer.callbacks import Callback
    >>> class Enough(Callback):
    ...     def on_progress(self, progress):
    ...         return len(progress.front) < 5  # False ends the search
    """

    def on_fit_start(self, model: Any) -> None:
        """See the estimator before its first search."""

    def on_progress(self, progress: SearchProgress) -> bool | None:
        """See a state of the search, after each iteration. Return False to end it and keep the front."""
        return None

    def on_fit_end(self, model: Any) -> None:
        """See the estimator with its results; also after Ctrl-C, not after an error."""


def pareto_volume(progress: SearchProgress, maxsize: int) -> float:
    """Return the area above a front in decimal logarithms of complexity and loss: its quality in one number.

    The convex hull of the front, closed at `maxsize` + 1 and at its largest loss; 0 for fewer than two
    formulas or where no loss is positive.
    """
    points = [(row.complexity, row.loss) for row in progress.front if row.loss > 0]
    if len(points) < 2:
        return 0.0
    x = np.log10([complexity for complexity, _ in points])
    y = np.log10([loss for _, loss in points])
    end = np.log10(maxsize + 1)
    corners = [*zip(x, y, strict=True), (end, float(y.min())), (end, float(y.max()))]
    from scipy.spatial import ConvexHull, QhullError

    try:
        return float(ConvexHull(np.array(corners)).volume)
    except QhullError:  # all on a line
        return 0.0


class _Logger(Callback):
    """Writes something after each `interval` iterations."""

    def __init__(self, interval: int) -> None:
        if interval < 1:
            raise ValueError(f"interval is {interval}: give at least 1")
        self.interval = interval

    def on_progress(self, progress: SearchProgress) -> None:
        """Write, if it is time."""
        if progress.front and progress.iteration % self.interval == 0:
            self._write(progress)

    def _write(self, progress: SearchProgress) -> None:
        raise NotImplementedError


class CSVLogger(_Logger):
    """Writes a line for each formula of the front after each `interval` iterations.

    Parameters
    ----------
    path : str or path
        Overwritten when a fit begins.
    interval : int
        Iterations from one entry to the next.
    """

    def __init__(self, path: str | os.PathLike[str], interval: int = 1) -> None:
        super().__init__(interval)
        self.path = Path(path)

    def on_fit_start(self, model: Any) -> None:
        """Write the first line, which names the columns."""
        self._lines(
            "w", [["target", "iteration", "seconds", "evaluations", "complexity", "loss", "equation"]]
        )

    def _write(self, progress: SearchProgress) -> None:
        seconds, evaluations = f"{progress.seconds:.3f}", f"{progress.evaluations:.0f}"
        head = [progress.target, progress.iteration, seconds, evaluations]
        rows = ([row.complexity, repr(row.loss), str(row.expression)] for row in progress.front)
        self._lines("a", [[*head, *row] for row in rows])

    def _lines(self, mode: str, rows: list[list[Any]]) -> None:
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


class TensorBoardLogger(_Logger):
    """Writes the course of a search for TensorBoard, under the names that PySR uses.

    Needs a package that writes TensorBoard's files: tensorboard with torch, or tensorboardX.

    Parameters
    ----------
    log_dir : str or path
        One folder for each run.
    interval : int
        Iterations from one entry to the next.
    """

    def __init__(self, log_dir: str | os.PathLike[str], interval: int = 1) -> None:
        super().__init__(interval)
        self.log_dir = Path(log_dir)
        self._writer: Any = None
        self._maxsize = 30
        self._several = False

    def on_fit_start(self, model: Any) -> None:
        """Open the files."""
        self._writer = _summary_writer()(str(self.log_dir))
        self._maxsize = model.maxsize
        self._several = model.n_outputs_ > 1

    def _write(self, progress: SearchProgress) -> None:
        """Write smallest loss, volume of the front, evaluations, and loss and text of each formula."""
        write, step = self._writer, progress.iteration
        prefix = f"search/data/output{progress.target + 1}/" if self._several else "search/data/"
        write.add_scalar(prefix + "summaries/min_loss", min(row.loss for row in progress.front), step)
        write.add_scalar(prefix + "summaries/pareto_volume", pareto_volume(progress, self._maxsize), step)
        write.add_scalar(prefix + "num_evals", progress.evaluations, step)
        for row in progress.front:
            place = f"{prefix}equations/complexity={row.complexity}/"
            write.add_scalar(place + "loss", row.loss, step)
            write.add_text(place + "equation", str(row.expression), step)

    def on_fit_end(self, model: Any) -> None:
        """Close the files."""
        self._writer.close()


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        try:
            from tensorboardX import SummaryWriter  # type: ignore[no-redef, unused-ignore]
        except ImportError:
            raise ImportError(
                "TensorBoardLogger needs tensorboardX, or torch and tensorboard: pip install tensorboardX"
            ) from None
    return SummaryWriter
