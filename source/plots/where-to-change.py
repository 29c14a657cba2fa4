"""Draw steps from top to bottom in a straight line, with exits to the right."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DATA = "where-to-change.json"

INK, GREY, BLUE, AMBER = "#14323E", "#5B6770", "#2F6F8F", "#B7791F"
STEP, EXIT = "#EEF4F7", "#FFFFFF"
#: Middle of the steps, and left edge of the labels, in shares of the width.
SPINE, LABEL = 0.235, 0.49


def draw(figure: Figure, data: Path) -> None:
    """Draw the steps of a file; the line that joins them is amber where it is a request's path."""
    drawing = json.loads(data.read_text(encoding="utf-8"))
    color = AMBER if drawing.get("amber") else GREY
    figure.set_size_inches(5.25, drawing["height"])
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(drawing["steps"]) - 0.45, -0.55))
    for place, step in enumerate(drawing["steps"]):
        if place:
            _arrow(axes, (SPINE, place - 0.72), (SPINE, place - 0.3), color)
        _box(axes, SPINE, place, step["text"], STEP, "center")
        if "exit" in step:
            _arrow(axes, (SPINE, place), (drawing["exits"] - 0.012, place), GREY)
            axes.text(LABEL, place - 0.14, step["label"], color=INK, va="center")
            _box(axes, drawing["exits"], place, step["exit"], EXIT, "left")


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style, zorder=1)


def _box(axes: Axes, left: float, top: float, text: str, fill: str, side: str) -> None:
    frame = {"boxstyle": "round,pad=0.45", "facecolor": fill, "edgecolor": BLUE, "linewidth": 0.7}
    axes.text(left, top, text, ha=side, va="center", color=INK, bbox=frame, zorder=2)
