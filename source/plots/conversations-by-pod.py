"""Draw which pod answered each turn of ten conversations, through a Service and a router."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DATA = "conversations.json"
#: From this width in inches on, the two grids stand side by side.
WIDE = 4
#: Colour and mark of each pod, told apart in grey too.
PODS = {1: ("#0072B2", "o"), 2: ("#D55E00", "s"), 3: ("#14323E", "^")}


def draw(figure: Figure, data: Path) -> None:
    """Draw a grid for each of the two ways, side by side where the figure is wide enough."""
    recorded = json.loads(data.read_text(encoding="utf-8"))
    is_wide = figure.get_figwidth() > WIDE
    figure.set_figheight(2.4 if is_wide else 4.4)
    first, second = figure.subplots(*((1, 2) if is_wide else (2, 1)), sharey=True)
    draw_grid(first, "Through the Service", recorded["service"])
    draw_grid(second, "Through the router", recorded["router"])
    for axes in (first,) if is_wide else (first, second):
        axes.set_ylabel("Conversation")
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(PODS))


def draw_grid(axes: Axes, title: str, turns: list[dict[str, int]]) -> None:
    """Draw a mark for each turn: a row is a conversation, a column a turn."""
    for pod, (colour, mark) in PODS.items():
        mine = [turn for turn in turns if turn["pod"] == pod]
        place = [turn["turn"] for turn in mine], [turn["conversation"] for turn in mine]
        axes.scatter(*place, color=colour, marker=mark, s=22, label=f"pod {pod}")
    axes.set(title=title, xlabel="Turn", xticks=range(1, 7), yticks=range(1, 11), ylim=(10.7, 0.3))
    axes.grid(visible=False)
