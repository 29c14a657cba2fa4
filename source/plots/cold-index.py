"""Draw the cached share and the first token of four runs of the same conversations."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

from matplotlib.figure import Figure

DATA = "cold-index.json"
AMBER, INK = "#B7791F", "#14323E"
NAMES = {
    "cold": "first\nrun",
    "warm": "second\nrun",
    "restarted": "after the\nrestart",
    "again": "once\nmore",
}


def draw(figure: Figure, data: Path) -> None:
    """Draw two panels of bars, one bar for each run."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    figure.set_size_inches(5.25, 2.2)
    left, right = figure.subplots(1, 2)
    runs = [recorded[name] for name in NAMES]
    shares = [
        100 * sum(one["cached_tokens"] for one in run) / sum(one["prompt_tokens"] for one in run)
        for run in runs
    ]
    waits = [mean(one["first_token"] for one in run) for run in runs]
    for axes, values, form, title in (
        (left, shares, "{:.0f}", "Percent of the prompts in a cache"),
        (right, waits, "{:.2f}", "Seconds to the first token"),
    ):
        bars = axes.bar(range(len(runs)), values, width=0.6, color="#FFF0C2", edgecolor=AMBER)
        axes.bar_label(bars, [form.format(value) for value in values], color=INK)
        axes.set_xticks(range(len(runs)), list(NAMES.values()))
        axes.set(title=title, ylim=(0, 1.18 * max(values)))
