"""Draw seven questions as a straight spine, with the exits to the right."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

DATA = "when-to-choose.json"
INK, BLUE, AMBER = "#14323E", "#2F6F8F", "#B7791F"
#: Left edges and widths of questions and exits, and the height of all boxes.
QUESTION, EXIT, HEIGHT = (0.0, 4.9), (6.0, 4.4), 0.68


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each question, and the last box at the end of the spine."""
    figure.set_size_inches(5.25, 3.9)
    rows = json.loads(data.read_text(encoding="utf-8"))
    axes = figure.subplots()
    middle = QUESTION[0] + QUESTION[1] / 2
    for row, (question, answer, leaf) in enumerate(rows):
        box(axes, QUESTION, row, fill(question, 36), AMBER)
        if leaf:
            box(axes, EXIT, row, fill(leaf, 32), BLUE)
            arrow(axes, (QUESTION[1], row), (EXIT[0], row), BLUE)
            axes.text((QUESTION[1] + EXIT[0]) / 2, row - 0.14, answer, ha="center", fontsize=8.4)
            arrow(axes, (middle, row + HEIGHT / 2), (middle, row + 1 - HEIGHT / 2), AMBER)
            axes.text(middle + 0.15, row + 0.5, "yes", va="center", fontsize=8.4)
    axes.set(xlim=(-0.1, 10.5), ylim=(len(rows) - 0.6, -0.45))
    axes.set_axis_off()


def box(axes: Axes, place: tuple[float, float], row: int, text: str, edge: str) -> None:
    """Draw a box with a text in its middle."""
    left, width = place
    fill_colour = "#FDF6E7" if edge == AMBER else "#EEF4F7"
    place = (left, row - HEIGHT / 2)
    rounded = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(place, width, HEIGHT, boxstyle=rounded, facecolor=fill_colour, edgecolor=edge)
    )
    axes.text(left + width / 2, row, text, ha="center", va="center", fontsize=8.4, color=INK)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    """Draw an arrow."""
    look = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look)
