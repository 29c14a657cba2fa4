"""Draw what a million tokens cost after each lever, and how wide the first number is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

DATA = "levers.json"

INK, AMBER, BLUE = "#14323E", "#B7791F", "#2F6F8F"
PLAIN: dict[str, Any] = {"linewidth": 1.2, "linestyle": "-", "marker": ""}


def draw(figure: Figure, data: Path) -> None:
    """Draw a bar for each step, with its cost above it."""
    steps = json.loads(data.read_text(encoding="utf-8"))["steps"]
    figure.set_size_inches(5.25, 2.3)
    axes = figure.subplots()
    costs = [step["cost"] for step in steps]
    axes.bar(range(len(steps)), costs, width=0.55, color="#FFF0C2", edgecolor=AMBER)
    for place, step in enumerate(steps):
        axes.text(place + 0.31, step["cost"], f"${step['cost']:.2f}", va="center", color=INK)
    first = steps[0]
    axes.plot([0, 0], [first["low"], first["high"]], color=BLUE, **PLAIN)
    for end in ("low", "high"):
        axes.plot([-0.06, 0.06], [first[end]] * 2, color=BLUE, **PLAIN)
        axes.text(0.1, first[end] + 0.1, f"${first[end]:.2f}", va="bottom", color=BLUE)
    axes.set_xticks(range(len(steps)), [step["name"] for step in steps])
    axes.set(xlim=(-0.7, len(steps) - 0.4), ylim=(0, 1.08 * first["high"]))
    axes.set_title("Dollars for a million output tokens")
