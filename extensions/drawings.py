"""Mermaid diagrams as ordinary figures: the directive `mermaid` shows a committed drawing.

    ```{mermaid}
    :name: request-path
    :alt: A client asks Envoy; Envoy asks the endpoint picker for a pod.
    :caption: The path of a request

    flowchart LR
      client --> envoy
    ```

`nox -s diagrams` (tools/draw.py) draws each diagram once, into source/diagrams/ beside
source/, and once more for narrow screens, from top to bottom (extensions/narrow.py). The
name of a drawing ends in a digest of all that decides its look, so a changed diagram finds
no drawing, and the build stops. Readers need neither Node nor a browser; for print,
rsvg-convert makes the drawing a PDF.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path
from textwrap import dedent
from typing import ClassVar

from docutils import nodes
from myst_parser.parsers.directives import parse_directive_text
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.util.nodes import set_source_info
from sphinx.util.typing import ExtensionMetadata, OptionSpec
from sphinxcontrib.mermaid import Mermaid, mermaid

from extensions.narrow import narrow_of

MERMAID_CLI = "11.17.0"
MERMAID = "11.17.2"
ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "source" / "diagrams" / "mermaid.json"
#: The colours that take the place of those of the settings on dark pages.
DARK = ROOT / "source" / "diagrams" / "dark.json"
#: Lets Chromium and rsvg-convert find the fonts of the book.
FONTS = ROOT / "source" / "diagrams" / "fonts.conf"
#: Dots per inch at which a drawing is set in print: its 15 pixels become 8.4 points.
PRINT_RESOLUTION = 128
#: Width and height in pixels beyond which print scales a drawing down, and its type with it.
LIMITS = (672, 1000)
#: A directive in a chapter.
DIRECTIVE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|:{3,})\{mermaid\}[ \t]*\n"
    r"(?P<body>.*?)^(?P=indent)(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Source:
    """The Mermaid source of a diagram, the chapter that holds it, and the line where it begins."""

    chapter: Path
    line: int
    text: str

    @property
    def place(self) -> str:
        """Return where to look."""
        return f"{self.chapter}:{self.line}"


def sources(book: Path) -> Iterator[Source]:
    """Yield every diagram of the chapters of a book, as MyST will read it."""
    for chapter in sorted((book / "source").rglob("*.md")):
        text = chapter.read_text(encoding="utf-8")
        for match in DIRECTIVE.finditer(text):
            parsed = parse_directive_text(Diagram, "", dedent(match["body"]))
            line = text.count("\n", 0, match.start()) + 1
            yield Source(chapter, line, "\n".join(parsed.body).strip())


def drawing_of(source: Source, book: Path) -> Path:
    """Return where the drawing of a diagram of a book is, or will be once it is drawn."""
    look = [SETTINGS.read_text(encoding="utf-8"), DARK.read_text(encoding="utf-8")]
    digest = sha256("\n".join([MERMAID_CLI, MERMAID, *look, source.text]).encode()).hexdigest()[:12]
    folder = book / "source" / "diagrams"
    drawn = sorted(folder.glob(f"*-{digest}.svg"))
    return drawn[0] if drawn else folder / f"{source.chapter.stem}-{digest}.svg"


def drawings_of(source: Source, book: Path) -> tuple[Path, Path]:
    """Return where the drawing of a diagram and the narrow one are, or will be."""
    drawing = drawing_of(source, book)
    return drawing, narrow_of(drawing)


def drawings_below(book: Path) -> set[Path]:
    """Return every drawing that lies in the folder of a book."""
    return set((book / "source" / "diagrams").glob("*.svg"))


def size(svg: str) -> tuple[int, int]:
    """Return width and height of a drawing, in whole pixels."""
    box = re.search(r'viewBox="\S+ \S+ (?P<width>\S+) (?P<height>[^"]+)"', svg)
    if box is None:
        message = "mermaid-cli wrote an SVG without a viewBox."
        raise ExtensionError(message)
    return ceil(float(box["width"])), ceil(float(box["height"]))


class Diagram(Mermaid):  # type: ignore[misc]  # it comes without types
    """sphinxcontrib-mermaid's directive, with the committed drawing in place of a live one."""

    optional_arguments = 0  # the chapter holds the diagram
    option_spec: ClassVar[OptionSpec] = {
        name: Mermaid.option_spec[name] for name in ("alt", "align", "caption", "name")
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure, or say which command draws it."""
        self.assert_has_content()
        if not self.options.get("alt"):
            message = "A diagram needs :alt:, for readers who do not see it."
            raise self.error(message)
        picture = nodes.image(uri=f"/{self._drawing()}", alt=self.options["alt"], classes=["drawing"])
        set_source_info(self, picture)
        diagram = nodes.Element("", *super().run())
        for drawn_live in list(diagram.findall(mermaid)):
            drawn_live.replace_self(picture)
        return diagram.children

    def _drawing(self) -> str:
        """Return the drawing's path, relative to the sources."""
        environment = self.state.document.settings.env
        chapter = Path(environment.doc2path(environment.docname))
        source = Source(chapter, self.lineno, "\n".join(self.content).strip())
        drawings = drawings_of(source, environment.srcdir.parent)
        paths = [os.path.relpath(drawing, environment.srcdir) for drawing in drawings]
        for path in paths:
            environment.note_dependency(path)
        if not all(drawing.exists() for drawing in drawings):
            message = (
                f"The diagram that begins with '{source.text[:40]}' has no drawing in source/diagrams/, "
                "or changed after it was drawn: run `nox -s diagrams`."
            )
            raise self.error(message)
        return paths[0]


class DrawingToPdf(ImageConverter):
    """Turn SVG into PDF for LaTeX, with the fonts of the book."""

    conversion_rules = [("image/svg+xml", "application/pdf")]  # noqa: RUF012 (as in Sphinx)

    def is_available(self) -> bool:
        """Say yes: a missing program is named when it is needed."""
        return True

    def convert(self, _from: str | os.PathLike[str], _to: str | os.PathLike[str]) -> bool:
        """Convert one picture."""
        resolution = (f"--dpi-x={PRINT_RESOLUTION}", f"--dpi-y={PRINT_RESOLUTION}")
        command = ("rsvg-convert", "--format=pdf", *resolution, "--output", _to, _from)
        fonts = os.environ | {"FONTCONFIG_FILE": str(FONTS)}
        try:
            result = subprocess.run(command, check=False, capture_output=True, text=True, env=fonts)
        except FileNotFoundError as error:
            message = "rsvg-convert is missing. Install it with: sudo apt-get install librsvg2-bin"
            raise ExtensionError(message) from error
        if result.returncode:
            message = f"{_from} is no picture that rsvg-convert can read: {result.stderr.strip()}"
            raise ExtensionError(message)
        return True


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive and the converter."""
    app.setup_extension("sphinxcontrib.mermaid")
    app.add_directive("mermaid", Diagram, override=True)
    app.add_post_transform(DrawingToPdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
