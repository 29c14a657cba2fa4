"""Plots of recorded data as ordinary figures: the directive `plot` shows a committed drawing.

    ```{plot} first-token-by-load
    :name: fig-first-token
    :alt: The time to first token stays at 0.3 s up to 12 requests a second, then grows fast.
    :caption: Time to first token against load, as the lab recorded it
    ```

source/plots/first-token-by-load.py draws it: `DATA` names the file beside it with the
numbers, and `draw(figure, data)` puts them on a matplotlib figure, in the look of
source/plots/book.mplstyle. A program for several plots has no `DATA`: the file of each,
which has its name, says `program`. `nox -s plots` (tools/draw_plots.py) runs each twice, on
a figure as wide as print and on one as wide as a phone (extensions/narrow.py). As with
diagrams, the name of a drawing ends in a digest of all that decides its look, so the build
stops when program, numbers or style have changed since.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec

from extensions.drawings import DARK
from extensions.narrow import narrow_of

ROOT = Path(__file__).parents[1]
STYLE = ROOT / "source" / "plots" / "book.mplstyle"
DATA = re.compile(r'^DATA = "(?P<file>[^"]+)"$', re.MULTILINE)


class PlotError(Exception):
    """Say what a plot lacks, and where."""


@dataclass(frozen=True)
class Plot:
    """Data and the program that draws them, in source/plots/ of a book."""

    book: Path
    name: str

    @property
    def program(self) -> Path:
        """Return the program's file: the plot's own, or the one that its data name."""
        own = self._beside(f"{self.name}.py")
        return own if own.exists() else self._beside(_program(self._beside(f"{self.name}.json")) or own.name)

    @property
    def data(self) -> Path:
        """Return the file with the numbers; raise PlotError when there is none."""
        if not self.program.exists():
            message = f"{self.program} does not exist: write it, as extensions/plots.py says"
            raise PlotError(message)
        found = DATA.search(self.program.read_text(encoding="utf-8"))
        if found is None and self.program.stem == self.name:
            message = f'{self.program}: no line says DATA = "<file>", with the file of the numbers'
            raise PlotError(message)
        file = self._beside(found["file"] if found else f"{self.name}.json")
        if not file.exists():
            message = f"{self.program}: its DATA, {file.name}, does not exist: record it first"
            raise PlotError(message)
        return file

    @property
    def drawing(self) -> Path:
        """Return where the drawing is, or will be once it is drawn."""
        look = b"\n".join(file.read_bytes() for file in (self.program, self.data, STYLE, DARK))
        return self._beside(f"{self.name}-{sha256(look).hexdigest()[:12]}.svg")

    @property
    def drawings(self) -> tuple[Path, Path]:
        """Return the wide drawing and the narrow one."""
        return self.drawing, narrow_of(self.drawing)

    def _beside(self, name: str) -> Path:
        return self.book / "source" / "plots" / name


def plots(book: Path) -> list[Plot]:
    """Return every plot of a book."""
    folder = book / "source" / "plots"
    programs = {file: _program(file) for file in folder.glob("*.json")}
    own = {file.stem for file in folder.glob("*.py") if file.name not in programs.values()}
    return [Plot(book, name) for name in sorted(own | {file.stem for file, name in programs.items() if name})]


def _program(data: Path) -> str:
    """Return the name of the program that a file of data names; empty where none does."""
    content = json.loads(data.read_text(encoding="utf-8")) if data.exists() else None
    return str(content.get("program", "")) if isinstance(content, dict) else ""


class ShownPlot(SphinxDirective, Figure):
    """A figure whose picture is the drawing of a plot."""

    has_content = False
    option_spec: ClassVar[OptionSpec] = {
        "align": lambda word: directives.choice(word, Figure.align_h_values),
        "alt": directives.unchanged_required,
        "caption": directives.unchanged_required,
        "class": directives.class_option,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure, or say which command draws it."""
        if not self.options.get("alt"):
            raise self.error("A plot needs :alt:, for readers who do not see it.")
        self.arguments[0] = f"/{self._drawing(Plot(self.env.srcdir.parent, self.arguments[0]))}"
        caption = self.options.pop("caption", "")
        self.content = StringList([caption] if caption else [], source=self.get_source_info()[0])
        self.options["class"] = [*self.options.get("class", []), "drawing"]
        return super().run()

    def _drawing(self, plot: Plot) -> str:
        """Return the drawing's path, relative to the sources."""
        try:
            drawings = plot.drawings
        except PlotError as error:
            raise self.error(str(error)) from error
        for file in (plot.program, plot.data, *drawings):
            self.env.note_dependency(os.path.relpath(file, self.env.srcdir))
        if not all(drawing.exists() for drawing in drawings):
            message = (
                f"source/plots/{plot.name}.py, its data or the style changed after it was drawn, "
                "or it never was: run `nox -s plots`."
            )
            raise self.error(message)
        return os.path.relpath(plot.drawing, self.env.srcdir)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("plot", ShownPlot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
