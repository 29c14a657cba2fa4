"""Draw steps or questions from top to bottom in a straight line, with exits to the right.

A file says `text` of each step, and `exit` and its `label` where there is one; `next` is the word
beside the line, of all steps or of one, and `exits` the width of the exits in inches. A step that
`ends` is drawn as an exit. In a narrow figure, a step is as wide as the figure, and its exit is
below it.
"""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

INK, BLUE, AMBER = "#14323E", "#2F6F8F", "#B7791F"
STEP, EXIT = "#FDF6E7", "#EEF4F7"
#: In inches: the height of a box per line of its text and around it.
LINE, PADDING = 0.145, 0.09
#: The width of steps with exits beside them, and the arrow from one step to the next.
STEPS, GAP = 2.42, 0.165
#: Where exits stand below, the place of that arrow, its length, and the room above an exit.
SIDE, LONG_GAP, ABOVE = 0.14, 0.21, 0.09
#: How far the word beside that arrow is above its middle, for its descenders.
RAISED = 0.045
#: Room above the first step: its label is higher than its box.
ROOM = 0.08


def draw(figure: Figure, data: Path) -> None:
    """Draw the steps of a file, with the line that joins them in amber."""
    drawing = json.loads(data.read_text(encoding="utf-8"))
    width = figure.get_figwidth()
    left = width - drawing["exits"]
    is_wide = left > STEPS
    steps, line, start, gap = (STEPS, STEPS / 2, STEPS, GAP) if is_wide else (width, SIDE, SIDE, LONG_GAP)
    heights = [_heights(step, is_wide=is_wide) for step in drawing["steps"]]
    axes = _axes(figure, width, sum(high for _, high in heights) + gap * (len(heights) - 1))
    top, bottom, word = 0.0, 0.0, ""
    for step, (own, high) in zip(drawing["steps"], heights, strict=True):
        if top:
            _arrow(axes, (line, bottom), (line, top), AMBER)
            axes.text(line + 0.08, top - gap / 2 - RAISED, word, color=INK, va="center_baseline")
        bottom = top + own
        edge = BLUE if step.get("ends") else AMBER
        _box(axes, (0, steps), top + own / 2, own, step["text"], edge)
        if "exit" in step:
            low = _height(step["exit"])
            middle = top + (high / 2 if is_wide else high - low / 2)
            _arrow(axes, (start, middle), (left, middle), BLUE)
            axes.text((start + left) / 2, middle - 0.035, step["label"], color=INK, ha="center", va="bottom")
            _box(axes, (left, drawing["exits"]), middle, low, step["exit"], BLUE)
        top, word = top + high + gap, step.get("next", drawing.get("next", ""))


def _axes(figure: Figure, width: float, height: float) -> Axes:
    """Return axes in inches from the top left, on a figure that is as high as the drawing."""
    figure.set_size_inches(width, ROOM + height + 0.02)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set(xlim=(-0.02, width + 0.02), ylim=(height + 0.02, -ROOM))
    return axes


def _heights(step: dict[str, str], *, is_wide: bool) -> tuple[float, float]:
    """Return the heights of a step's box and of all that belongs to the step."""
    own, low = _height(step["text"]), _height(step["exit"]) if "exit" in step else 0
    if is_wide:
        return max(own, low), max(own, low)
    return own, own + (ABOVE + low if low else 0)


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
