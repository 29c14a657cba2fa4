"""Draw the load of a day."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

DATA = "load.csv"


def draw(figure: Figure, data: Path) -> None:
    """Draw one line."""
    numbers = [float(line) for line in data.read_text(encoding="utf-8").splitlines()]
    figure.subplots().plot(numbers)
