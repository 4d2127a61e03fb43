"""What a user sees while a search runs: a live table in a terminal, a line in the log elsewhere."""

from __future__ import annotations

import logging
import math
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from balmer import _core

__all__ = ["Display"]

_logger = logging.getLogger("balmer")

_REFRESH_SECONDS = 0.1
_LOG_SECONDS = 10.0


class Display:
    """Shows the progress of one search. A context: what it draws, it takes away again.

    Parameters
    ----------
    verbosity : int
        0: nothing. 1: the live table if the standard error stream is a terminal, else lines in the log
        "balmer", level INFO.
    progress : bool
        False: no live table, lines in the log only.
    precision : int
        Significant digits of constants.
    title : str
        Which search this is, for more than one target.
    """

    def __init__(self, *, verbosity: int, progress: bool, precision: int, title: str = "") -> None:
        self._silent = verbosity <= 0
        self._on_terminal = bool(progress) and not self._silent and sys.stderr.isatty()
        self._precision = precision
        self._prefix = f"{title}: " if title else ""
        self._live: Any = None
        self._drawn = -math.inf
        self._logged = time.monotonic()

    @property
    def active(self) -> bool:
        """Whether there is anything to call `update` for."""
        return self._on_terminal or (not self._silent and _logger.isEnabledFor(logging.INFO))

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def update(self, progress: _core.Progress) -> None:
        """Show a state of the search, unless the last one is still fresh."""
        now = time.monotonic()
        if self._on_terminal and now - self._drawn >= _REFRESH_SECONDS:
            self._drawn = now
            self._draw(progress)
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            best = progress.front[-1] if progress.front else None
            _logger.info(
                "%siteration %d of %d, %.3g evaluations, %.0f s%s",
                self._prefix,
                progress.iteration,
                progress.iterations,
                progress.evaluations,
                progress.seconds,
                f", loss {best.loss:.4g}: {best.expression.text(self._precision)}" if best else "",
            )

    def _draw(self, progress: _core.Progress) -> None:
        # Imported here: the search has begun, so nobody waits for rich.
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        if self._live is None:
            console = Console(stderr=True)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        rate = progress.evaluations / progress.seconds if progress.seconds > 0 else 0.0
        status = (
            f"{self._prefix}iteration {progress.iteration} of {progress.iterations}, "
            f"{progress.seconds:.1f} s, {rate:,.0f} formulas a second. Ctrl-C stops and keeps the front."
        )
        table = Table(box=None, pad_edge=False)
        table.add_column("complexity", justify="right")
        table.add_column("loss", justify="right")
        table.add_column("equation", no_wrap=True)
        room = max(3, self._live.console.height - 6)
        # Long formulas are cut here: a table makes its other columns narrow for them, down to nothing.
        width = max(10, self._live.console.width - len("complexity  -1.2345e-100  "))
        for row in progress.front[-room:]:
            equation = Text(row.expression.text(self._precision))
            equation.truncate(width, overflow="ellipsis")
            table.add_row(str(row.complexity), f"{row.loss:.4g}", equation)
        bar = ProgressBar(total=max(1, progress.iterations), completed=progress.iteration)
        self._live.update(Group(table, Text(status), bar), refresh=True)
