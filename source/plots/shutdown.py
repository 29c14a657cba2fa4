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
HIGH = 0.62
#: Distance of two rows, and the figure's height in inches: beside their names, and below them.
ROW, TALL = 1.0, 2.35
ROW_OF_NARROW, TALL_OF_NARROW = 1.3, 2.6
#: A figure of fewer inches has no room for names beside the rows.
NARROW = 4
#: Seconds of the pause, and how wide they are drawn.
PAUSE, WIDE = 5, 1.8


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each part, and a vertical line for each moment."""
    drawing = json.loads(data.read_text(encoding="utf-8"))
    rows = drawing["rows"]
    is_narrow = figure.get_figwidth() < NARROW
    step, tall = (ROW_OF_NARROW, TALL_OF_NARROW) if is_narrow else (ROW, TALL)
    figure.set_size_inches(figure.get_figwidth(), tall)
    axes = figure.subplots()
    left_end = _place(-8)
    top, bottom = 0.95 if is_narrow else 0.62, -step * (len(rows) - 1) - HIGH / 2
    for mark in drawing["marks"]:
        at = _place(mark["at"])
        axes.plot([at, at], [bottom - 0.1, top], color=INK, linewidth=0.9, linestyle="-", marker="", zorder=0)
        axes.text(at, top + 0.36, mark["text"], ha="center", va="center", color=INK)
        axes.text(at, bottom - 0.36, f"{mark['at']} s", ha="center", va="center", color=GREY)
    for row, part in enumerate(rows):
        middle = -step * row
        if is_narrow:
            axes.text(left_end, middle + HIGH / 2 + 0.08, part["short"], ha="left", va="bottom", color=INK)
        else:
            axes.text(left_end - 0.15, middle, part["name"], ha="right", va="center", color=INK)
        for span in part["spans"]:
            left, right = _place(span["from"]), _place(span["to"])
            fill, edge = KINDS[span["kind"]]
            corner = (left, middle - HIGH / 2)
            axes.add_patch(Rectangle(corner, right - left, HIGH, facecolor=fill, edgecolor=edge))
            text = span.get("short", span["text"]) if is_narrow else span["text"]
            axes.text((left + right) / 2, middle, text, ha="center", va="center", color=INK)
    axes.axis("off")
    beside = 0.1 if is_narrow else 1.9
    axes.set(xlim=(left_end - beside, _place(60) + 0.75), ylim=(bottom - 0.6, top + 0.63))


def _place(second: float) -> float:
    """Return where a second is: the first five are drawn wider than the rest."""
    if second < 0:
        return second / 8 * WIDE
    return second / PAUSE * WIDE if second <= PAUSE else WIDE + (second - PAUSE) / 55 * 4.6
