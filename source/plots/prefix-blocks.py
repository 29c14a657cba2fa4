"""Draw two prompts as rows of blocks, each with the hash of itself and of all before it."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

DATA = "prefix-blocks.json"

INK, GREY, AMBER = "#14323E", "#5B6770", "#B7791F"
EQUAL, OTHER = "#FFF0C2", "#EEF4F7"
ROW = 1.45


def draw(figure: Figure, data: Path) -> None:
    """Draw a row for each prompt; blocks whose hash both have are amber."""
    prompts = json.loads(data.read_text(encoding="utf-8"))["prompts"]
    hashes = [_hashes(prompt["blocks"]) for prompt in prompts]
    known = set(hashes[0]) & set(hashes[1])
    figure.set_size_inches(5.25, 2.1)
    axes = figure.subplots()
    axes.axis("off")
    for row, (prompt, keys) in enumerate(zip(prompts, hashes, strict=True)):
        top = -row * ROW
        axes.text(-0.15, top + 0.35, prompt["name"], ha="right", va="center", color=INK)
        for place, (text, key) in enumerate(zip(prompt["blocks"], keys, strict=True)):
            fill, edge = (EQUAL, AMBER) if key in known else (OTHER, GREY)
            axes.add_patch(Rectangle((place, top), 0.94, 0.7, facecolor=fill, edgecolor=edge))
            axes.text(place + 0.47, top + 0.35, text, ha="center", va="center", color=INK)
            axes.text(place + 0.47, top - 0.22, key, ha="center", va="center", color=GREY)
    bottom = -ROW - 0.62
    axes.text(1.95, bottom, "equal hashes: 4 of 6 blocks are found", ha="center", color=AMBER)
    axes.text(5.0, bottom, "one block differs: new hashes", ha="center", color=INK)
    axes.set(xlim=(-1.35, 6.05), ylim=(bottom - 0.15, 0.85))


def _hashes(blocks: list[str]) -> list[str]:
    """Return four digits for each block: of its text and of the hash before it."""
    keys, before = [], ""
    for block in blocks:
        before = sha256((before + block).encode()).hexdigest()
        keys.append(before[:4])
    return keys
