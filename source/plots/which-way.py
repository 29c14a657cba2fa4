"""Draw the questions before an installation as a straight spine, with the exits to the right."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DATA = "which-way.json"
INK, GREY, BLUE = "#14323E", "#5B6770", "#2F6F8F"
QUESTION, END = "#EEF4F7", "#FFFFFF"
#: Middle of the spine and left edge of the exits, in shares of the width.
SPINE, EXITS = 0.225, 0.58
OTHER = {"yes": "no", "no": "yes"}


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each question, and what is left after the last one."""
    figure.set_size_inches(5.25, 2.75)
    rows = json.loads(data.read_text(encoding="utf-8"))
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.55, -0.45))
    for row, (text, answer, end) in enumerate(rows):
        _box(axes, SPINE, row, text, QUESTION if end else END)
        if end:
            _arrow(axes, (SPINE, row), (EXITS - 0.012, row))
            axes.text(0.51, row - 0.16, answer, color=INK, ha="center", va="center")
            _box(axes, EXITS, row, end, END, "left")
            _arrow(axes, (SPINE, row), (SPINE, row + (0.68 if "\n" in rows[row + 1][0] else 0.78)))
            axes.text(SPINE + 0.015, row + 0.48, OTHER[answer], color=INK, va="center")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style, zorder=1)


def _box(axes: Axes, left: float, row: int, text: str, fill: str, side: str = "center") -> None:
    frame = {"boxstyle": "round,pad=0.3", "facecolor": fill, "edgecolor": BLUE, "linewidth": 0.7}
    axes.text(left, row, text, ha=side, va="center", color=INK, bbox=frame, zorder=2)
