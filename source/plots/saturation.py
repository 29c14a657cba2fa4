"""Draw what was answered and how long people waited, over the rate that was offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

DATA = "saturation.json"
#: Simulators are amber, as what comes through the router in all figures.
AMBER, BLUE, GREY = "#B7791F", "#2F6F8F", "#5B6770"
#: A figure of fewer inches has its panels below each other.
NARROW = 4
LINE: dict[str, Any] = {"linestyle": "-", "marker": "o", "markersize": 3}


def draw(figure: Figure, data: Path) -> None:
    """Draw two panels, and the prediction as a dashed line in both."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    predicted, steps = recorded["predicted"], recorded["steps"]
    offered = [step["offered"] for step in steps]
    width = figure.get_figwidth()
    if width < NARROW:
        figure.set_size_inches(width, 4.2)
        left, right = figure.subplots(2, 1)
    else:
        figure.set_size_inches(width, 2.3)
        left, right = figure.subplots(1, 2)
    left.plot(offered, [step["answered"] for step in steps], color=AMBER, **LINE)
    left.axhline(predicted, color=GREY, linestyle="--", linewidth=0.9, marker="")
    left.text(min(offered), predicted, f"predicted: {predicted:.2f}", color=GREY, va="bottom")
    left.set(title="Answered a second", xlabel="Offered a second", ylim=(0, 1.25 * predicted))
    right.plot(offered, [step["first_token"] for step in steps], color=AMBER, **LINE)
    right.axvline(predicted, color=GREY, linestyle="--", linewidth=0.9, marker="")
    right.set(title="Seconds to the first token, p95", xlabel="Offered a second")
    right.set_ylim(bottom=0)
    if engine := recorded.get("engine"):
        rates = [step["offered"] for step in engine]
        left.plot(rates, [step["answered"] for step in engine], color=BLUE, **LINE)
        right.plot(rates, [step["first_token"] for step in engine], color=BLUE, **LINE)
        left.text(rates[-1], engine[-1]["answered"], " vLLM", color=BLUE, va="center")
