"""Draw the time to first token against load, for three settings of the router."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from matplotlib.figure import Figure

DATA = "first-token-by-load.csv"


def draw(figure: Figure, data: Path) -> None:
    """Draw a line for each setting, named at its end."""
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with data.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            series[row["setting"]].append((float(row["requests_per_second"]), float(row["seconds"])))
    axes = figure.subplots()
    for setting, points in series.items():
        (line,) = axes.plot(*zip(*points, strict=True))
        axes.annotate(
            setting,
            points[-1],
            color=line.get_color(),
            textcoords="offset points",
            va="center",
            xytext=(6, 0),
        )
    axes.set(xlabel="Requests per second", ylabel="Time to first token, seconds", ylim=(0, None))
    axes.set(xlim=(1.6, 18), xticks=range(2, 15, 2))  # the names are at the right
