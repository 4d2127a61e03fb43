"""What a notebook shows of a fitted model."""

from __future__ import annotations

import html
import math
from typing import Any

from balmer.selection import Front

__all__ = ["front_html", "sparkline"]

_STYLE = (
    "<style>.balmer td, .balmer th {text-align: right; padding: 2px 10px} "
    ".balmer td:last-child {text-align: left} .balmer tr.chosen "
    "{font-weight: bold; background: #80808030}</style>"
)


def sparkline(front: Front, chosen: int, width: int = 240, height: int = 60) -> str:
    """Return a small picture (SVG) of losses over complexities, logarithmic if they are positive."""
    losses = [row.loss for row in front]
    if min(losses) > 0:
        losses = [math.log10(loss) for loss in losses]
    low, high = min(losses), max(losses)
    first, last = front[0].complexity, front[len(front) - 1].complexity
    points = [
        (
            6 + (width - 12) * (row.complexity - first) / max(1, last - first),
            6 + (height - 12) * (high - loss) / (high - low if high > low else 1),
        )
        for row, loss in zip(front, losses, strict=True)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if i == chosen else 2}"'
        f' fill="{"#c0392b" if i == chosen else "currentColor"}"/>'
        for i, (x, y) in enumerate(points)
    )
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="loss over complexity">'
        f'<polyline points="{line}" fill="none" stroke="currentColor" opacity="0.4"/>{circles}</svg>'
    )


def front_html(front: Front, chosen: int, title: str = "") -> str:
    """Return a front as a table with rendered formulas, the chosen row marked."""
    rows = []
    for i, row in enumerate(front):
        formula = html.escape(row.expression.latex(4))
        cells = [">>>>" if i == chosen else "", str(row.complexity), f"{row.loss:.4g}", f"{row.score:.4g}"]
        cells.append(f"{row.dl:.4g}" if math.isfinite(row.dl) else "")
        numbers = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        style = ' class="chosen"' if i == chosen else ""
        rows.append(f"<tr{style}>{numbers}<td>$\\displaystyle {formula}$</td></tr>")
    heads = "".join(f"<th>{word}</th>" for word in ("", "complexity", "loss", "score", "dl", "equation"))
    caption = f"<caption>{html.escape(title)}</caption>" if title else ""
    return (
        f'{_STYLE}<div class="balmer">{sparkline(front, chosen)}<table>{caption}'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


class Notebook:
    """The part of an estimator that a notebook shows."""

    def _html_repr(self) -> str:
        model: Any = self
        if not model.__sklearn_is_fitted__():
            from sklearn.utils import estimator_html_repr

            text: str = estimator_html_repr(model)
            return text
        places = model._chosen_places(None)
        several = model.n_outputs_ > 1
        return "".join(
            front_html(front, place, f"target {k}" if several else "")
            for k, (front, place) in enumerate(zip(model.fronts_, places, strict=True))
        )

    def _repr_html_inner(self) -> str:
        return self._html_repr()
