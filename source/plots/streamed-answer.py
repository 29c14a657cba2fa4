"""Draw when the pieces of a streamed answer arrived, from the engine itself and through the router."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

DATA = "streamed-answer.json"
#: Each way with its name, color and the place of its first line, from the top.
WAYS = (("router", "through the router", "#B7791F"), ("engine", "the engine itself", "#0072B2"))


def draw(figure: Figure, data: Path) -> None:
    """Draw a line of marks for each answer, sorted by its last piece, and the median of the first pieces."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    axes = figure.subplots()
    top = 0
    for way, name, color in WAYS:
        answers = sorted(recorded[way], key=lambda answer: answer[-1])
        for row, answer in enumerate(answers):
            place = [top + row] * len(answer)
            axes.plot(answer, place, "-", color=color, marker="|", markersize=6, linewidth=0.6)
        first = median(answer[0] for answer in answers)
        axes.plot(
            [first] * 2, [top - 0.6, top + len(answers) - 0.4], "-", color="#14323E", marker="", linewidth=1
        )
        axes.annotate(
            f"{name}: first piece after {first:.2f} s (median)",
            (first, top - 0.8),
            (2, 2),
            textcoords="offset points",
            color=color,
        )
        top += len(answers) + 3
    axes.set(xlabel="Seconds after the question", ylim=(top - 2, -2.5), yticks=[])
    axes.set_xlim(left=0)
