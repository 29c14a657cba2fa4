"""Draw two prompts as rows of blocks, each with the hash of itself and of all before it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

DATA = "prefix-blocks.json"

INK, GREY, AMBER = "#14323E", "#5B6770", "#B7791F"
EQUAL, OTHER = "#FFF0C2", "#EEF4F7"
FOUND, NEW = "equal hashes: 4 of 6 blocks are found", "one block differs: new hashes"
#: From this width in inches on, the names of the prompts stand at the left.
WIDE = 4


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each prompt; blocks whose hash both have are amber."""
    prompts = json.loads(data.read_text(encoding="utf-8"))["prompts"]
    hashes = [_hashes(prompt["blocks"]) for prompt in prompts]
    known = set(hashes[0]) & set(hashes[1])
    is_wide = figure.get_figwidth() > WIDE
    row_height = 1.45 if is_wide else 1.85
    figure.set_figheight(2.1 if is_wide else 2.5)
    axes = figure.subplots()
    axes.axis("off")
    for row, (prompt, keys) in enumerate(zip(prompts, hashes, strict=True)):
        top = -row * row_height
        _name(axes, top, prompt["name"], is_wide=is_wide)
        for place, (text, key) in enumerate(zip(prompt["blocks"], keys, strict=True)):
            fill, edge = (EQUAL, AMBER) if key in known else (OTHER, GREY)
            axes.add_patch(Rectangle((place, top), 0.94, 0.7, facecolor=fill, edgecolor=edge))
            words = text if is_wide else text.replace(" ", "\n")
            axes.text(place + 0.47, top + 0.35, words, ha="center", va="center", color=INK)
            axes.text(place + 0.47, top - 0.22, key, ha="center", va="center", color=GREY)
    bottom = -row_height - 0.62
    if is_wide:
        axes.text(1.95, bottom, FOUND, ha="center", color=AMBER)
        axes.text(5.0, bottom, NEW, ha="center", color=INK)
        axes.set(xlim=(-1.35, 6.05), ylim=(bottom - 0.15, 0.85))
    else:
        axes.text(0, bottom - 0.05, FOUND, color=AMBER)
        axes.text(5.94, bottom - 0.42, NEW, ha="right", color=INK)
        axes.set(xlim=(-0.05, 6), ylim=(bottom - 0.55, 1.2))


def _name(axes: Axes, top: float, name: str, *, is_wide: bool) -> None:
    """Write the name of a prompt beside its row, or above it."""
    if is_wide:
        axes.text(-0.15, top + 0.35, name, ha="right", va="center", color=INK)
    else:
        axes.text(0, top + 0.82, name, color=INK)


def _hashes(blocks: list[str]) -> list[str]:
    """Return four digits for each block: of its text and of the hash before it."""
    keys, before = [], ""
    for block in blocks:
        before = sha256((before + block).encode()).hexdigest()
        keys.append(before[:4])
    return keys
