"""Draw how much of each turn's prompt was found in a cache, through a Service and a router."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from matplotlib.figure import Figure

DATA = "conversations.json"


def draw(figure: Figure, data: Path) -> None:
    """Draw a line for each way, named at its end."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    axes = figure.subplots()
    for way, name in (("router", "router"), ("service", "Service")):
        cached, prompt = Counter[int](), Counter[int]()
        for turn in recorded[way]:
            cached[turn["turn"]] += turn["cached_tokens"]
            prompt[turn["turn"]] += turn["prompt_tokens"]
        numbers = sorted(prompt)
        shares = [100 * cached[number] / prompt[number] for number in numbers]
        (line,) = axes.plot(numbers, shares)
        end = (numbers[-1], shares[-1])
        axes.annotate(name, end, (6, 0), textcoords="offset points", va="center", color=line.get_color())
    axes.set(xlabel="Turn", ylabel="Found in a cache, per cent", ylim=(0, 105), xlim=(0.8, 6.9))
    axes.set(xticks=range(1, 7), yticks=range(0, 101, 25))
