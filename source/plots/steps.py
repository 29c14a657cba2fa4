"""Draw steps or questions from top to bottom in a straight line, with exits to the right.

A file says `text` of each step, and `exit` and its `label` where there is one; `next` is the word
beside the line, of all steps or of one, and `exits` the width of the exits in inches.
"""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

INK, BLUE, AMBER = "#14323E", "#2F6F8F", "#B7791F"
STEP, EXIT = "#FDF6E7", "#EEF4F7"
#: In inches: the drawing's width, that of the steps, the height of a box per line of its
#: text and around it, and the arrow between two steps.
WIDTH, STEPS, LINE, PADDING, GAP = 5.25, 2.42, 0.145, 0.09, 0.165
#: Room above the first step: its label is higher than its box.
ROOM = 0.08


def draw(figure: Figure, data: Path) -> None:
    """Draw the steps of a file, with the line that joins them in amber."""
    drawing = json.loads(data.read_text(encoding="utf-8"))
    heights = [max(map(_height, (step["text"], step.get("exit", "")))) for step in drawing["steps"]]
    height = sum(heights) + GAP * (len(heights) - 1)
    figure.set_size_inches(WIDTH, ROOM + height + 0.02)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set(xlim=(-0.02, WIDTH + 0.02), ylim=(height + 0.02, -ROOM))
    top, word = 0.0, ""
    for step, high in zip(drawing["steps"], heights, strict=True):
        if top:
            _arrow(axes, (STEPS / 2, top - GAP), (STEPS / 2, top), AMBER)
            axes.text(STEPS / 2 + 0.08, top - GAP / 2, word, color=INK, va="center_baseline")
        middle = top + high / 2
        _box(axes, (0, STEPS), middle, high, step["text"], AMBER)
        if "exit" in step:
            left = WIDTH - drawing["exits"]
            _arrow(axes, (STEPS, middle), (left, middle), BLUE)
            axes.text((STEPS + left) / 2, middle - 0.035, step["label"], color=INK, ha="center", va="bottom")
            _box(axes, (left, drawing["exits"]), middle, _height(step["exit"]), step["exit"], BLUE)
        top, word = top + high + GAP, step.get("next", drawing.get("next", ""))


def _height(text: str) -> float:
    """Return the height of a box in inches."""
    return PADDING + LINE * len(text.split("\n"))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    style = {"arrowstyle": "-|>", "color": color, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style, zorder=1)


def _box(axes: Axes, place: tuple[float, float], middle: float, high: float, text: str, edge: str) -> None:
    left, width = place
    fill = STEP if edge == AMBER else EXIT
    rounded = "round,pad=0,rounding_size=0.04"
    corner = (left, middle - high / 2)
    axes.add_patch(
        FancyBboxPatch(corner, width, high, boxstyle=rounded, facecolor=fill, edgecolor=edge, linewidth=0.8)
    )
    axes.text(left + width / 2, middle, text, ha="center", va="center", color=INK)
