"""Draw the seconds to the first token by turn, and the share of the prompt that was in the cache."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DATA = "real-engine.json"
NAMES = {"router": "router", "service": "Service"}
#: From this width in inches on, the two panels stand side by side.
WIDE = 4
#: The request's way through the router is amber in all figures.
COLOURS = {"router": "#B7791F", "service": "#2F6F8F"}


def draw(figure: Figure, data: Path) -> None:
    """Draw two panels: what a user feels, and what explains it; one above the other where it is narrow."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    is_wide = figure.get_figwidth() > WIDE
    figure.set_figheight(2.4 if is_wide else 4.2)
    felt, found = figure.subplots(*((1, 2) if is_wide else (2, 1)))
    for way, turns in recorded.items():
        numbers = sorted({turn["turn"] for turn in turns})
        seconds, shares = [], []
        for number in numbers:
            mine = [turn for turn in turns if turn["turn"] == number]
            seconds.append(mean(turn["first_token"] for turn in mine))
            prompt = sum(turn["prompt_tokens"] for turn in mine)
            shares.append(100 * sum(turn["cached_tokens"] for turn in mine) / prompt)
        felt.plot(numbers, seconds, label=NAMES[way], color=COLOURS[way])
        found.plot(numbers, shares, label=NAMES[way], color=COLOURS[way])
    label(felt, "Seconds to the first token, mean of ten")
    felt.set_ylim(bottom=0)
    label(found, "Percent of the prompt found in the cache")
    found.set(ylim=(0, 105), yticks=range(0, 101, 25))
    handles, labels = felt.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def label(axes: Axes, title: str) -> None:
    """Name a panel and its turns."""
    axes.set(title=title, xlabel="Turn", xticks=range(1, 7), xlim=(0.7, 6.3))
