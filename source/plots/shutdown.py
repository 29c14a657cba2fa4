"""Draw what happens between the deletion of a pod and its end, on a line of seconds."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

DATA = "shutdown.json"

INK, GREY = "#14323E", "#5B6770"
#: The request's path is amber in all figures.
KINDS = {
    "busy": ("#FFF0C2", "#B7791F"),
    "end": ("#FDF6E7", "#B7791F"),
    "idle": ("#EEF4F7", "#2F6F8F"),
    "limit": ("#FFFFFF", GREY),
}
HIGH, ROW = 0.62, 1.0
#: Seconds of the pause, and how wide they are drawn.
PAUSE, WIDE = 5, 1.8


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each part, and a vertical line for each moment."""
    drawing = json.loads(data.read_text(encoding="utf-8"))
    rows = drawing["rows"]
    figure.set_size_inches(5.25, 2.35)
    axes = figure.subplots()
    bottom = -ROW * (len(rows) - 1) - HIGH / 2
    for mark in drawing["marks"]:
        at = _place(mark["at"])
        axes.plot(
            [at, at], [bottom - 0.1, 0.62], color=INK, linewidth=0.9, linestyle="-", marker="", zorder=0
        )
        axes.text(at, 0.98, mark["text"], ha="center", va="center", color=INK)
        axes.text(at, bottom - 0.36, f"{mark['at']} s", ha="center", va="center", color=GREY)
    for row, part in enumerate(rows):
        middle = -ROW * row
        axes.text(_place(-8) - 0.15, middle, part["name"], ha="right", va="center", color=INK)
        for span in part["spans"]:
            left, right = _place(span["from"]), _place(span["to"])
            fill, edge = KINDS[span["kind"]]
            corner = (left, middle - HIGH / 2)
            axes.add_patch(Rectangle(corner, right - left, HIGH, facecolor=fill, edgecolor=edge))
            axes.text((left + right) / 2, middle, span["text"], ha="center", va="center", color=INK)
    axes.axis("off")
    axes.set(xlim=(_place(-8) - 1.9, _place(60) + 0.55), ylim=(bottom - 0.6, 1.25))


def _place(second: float) -> float:
    """Return where a second is: the first five are drawn wider than the rest."""
    if second < 0:
        return second / 8 * WIDE
    return second / PAUSE * WIDE if second <= PAUSE else WIDE + (second - PAUSE) / 55 * 4.6
