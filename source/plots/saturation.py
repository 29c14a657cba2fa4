"""Draw what was answered and how long people waited, over the rate that was offered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
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
    left.text(min(offered), predicted, f"predicted limit: {predicted:.2f}", color=GREY, va="bottom")
    left.set(title="Requests answered a second", xlabel="Requests offered a second")
    left.set_ylim(0, 1.25 * predicted)
    _name(left, "simulated pool,\n15 slots", (offered[1], steps[1]["answered"]), AMBER, (6, -4), va="top")
    right.plot(offered, [step["first_token"] for step in steps], color=AMBER, **LINE)
    right.axvline(predicted, color=GREY, linestyle="--", linewidth=0.9, marker="")
    right.set(title="Seconds to the first token, p95", xlabel="Requests offered a second")
    right.set_ylim(0, 1.1 * max(step["first_token"] for step in steps))
    _name(right, "simulated pool", (offered[0], steps[0]["first_token"]), AMBER, (0, 6), va="bottom")
    if engine := recorded.get("engine"):
        rates = [step["offered"] for step in engine]
        left.plot(rates, [step["answered"] for step in engine], color=BLUE, **LINE)
        right.plot(rates, [step["first_token"] for step in engine], color=BLUE, **LINE)
        _name(left, "vLLM, SmolLM2", (rates[-1], engine[-1]["answered"]), BLUE, (6, 0))
        high = max(step["first_token"] for step in engine)
        _name(right, f"vLLM, to {high:.0f} s", (rates[-2], right.get_ylim()[1]), BLUE, (8, -8), va="top")


def _name(
    axes: Axes, text: str, point: tuple[float, float], color: str, offset: tuple[float, float], **place: str
) -> None:
    """Write what a curve is, some points beside one of its ends."""
    style: dict[str, Any] = {"va": "center", "ha": "left", **place}
    axes.annotate(text, point, xytext=offset, textcoords="offset points", color=color, **style)
