"""Draw the seconds to the first token by turn, and the share of the prompt that was in the cache."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DATA = "real-engine.json"
NAMES = {"router": "router", "service": "Service"}
#: The request's way through the router is amber in all figures.
COLOURS = {"router": "#B7791F", "service": "#2F6F8F"}


def draw(figure: Figure, data: Path) -> None:
    """Draw two panels: what a user feels, and what explains it."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    figure.set_size_inches(5.25, 2.4)
    left, right = figure.subplots(1, 2)
    for way, turns in recorded.items():
        numbers = sorted({turn["turn"] for turn in turns})
        seconds, shares = [], []
        for number in numbers:
            mine = [turn for turn in turns if turn["turn"] == number]
            seconds.append(mean(turn["first_token"] for turn in mine))
            prompt = sum(turn["prompt_tokens"] for turn in mine)
            shares.append(100 * sum(turn["cached_tokens"] for turn in mine) / prompt)
        left.plot(numbers, seconds, label=NAMES[way], color=COLOURS[way])
        right.plot(numbers, shares, label=NAMES[way], color=COLOURS[way])
    label(left, "Seconds to the first token, mean of ten")
    left.set_ylim(bottom=0)
    label(right, "Percent of the prompt found in the cache")
    right.set(ylim=(0, 105), yticks=range(0, 101, 25))
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def label(axes: Axes, title: str) -> None:
    """Name a panel and its turns."""
    axes.set(title=title, xlabel="Turn", xticks=range(1, 7), xlim=(0.7, 6.3))
