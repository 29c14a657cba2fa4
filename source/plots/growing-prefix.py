"""Draw the prompts of one conversation as rows of blocks: what the pod knew, and what was new."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

DATA = "real-engine.json"
#: Tokens that one drawn block stands for.
BLOCK = 64
#: Blocks that the width holds, and those of a narrow figure, whose words take more of it.
WIDE, END, END_OF_NARROW = 4, 25.5, 35
#: Colours of the inside and the edge.
KNOWN, NEW = ("#FFF0C2", "#B7791F"), ("#EEF4F7", "#2F6F8F")


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each turn of the first conversation through the router."""
    figure.set_figheight(2.1)
    recorded = json.loads(data.read_text(encoding="utf-8"))["router"]
    turns = [turn for turn in recorded if turn["conversation"] == 1]
    axes = figure.subplots()
    for turn in turns:
        known, prompt = turn["cached_tokens"] / BLOCK, turn["prompt_tokens"] / BLOCK
        for start in range(int(prompt) + 1):
            end = min(start + 1, prompt)
            middle = min(max(known, start), end)
            for left, right, (face, edge) in ((start, middle, KNOWN), (middle, end, NEW)):
                if right > left:
                    place = (left, turn["turn"] - 0.34)
                    axes.add_patch(Rectangle(place, right - left, 0.68, facecolor=face, edgecolor=edge))
        new = turn["prompt_tokens"] - turn["cached_tokens"]
        text = f"{new:,} tokens are new"
        axes.text(prompt + 0.4, turn["turn"], text, va="center", fontsize=8.4)
    end = END if figure.get_figwidth() > WIDE else END_OF_NARROW
    axes.set(xlim=(0, end), ylim=(len(turns) + 0.6, 0.4), yticks=[turn["turn"] for turn in turns])
    axes.set_yticklabels([f"turn {turn['turn']}" for turn in turns])
    axes.xaxis.set_visible(False)
    axes.grid(visible=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
