"""Mermaid diagrams as ordinary figures: the directive `mermaid` shows a committed drawing.

    ```{mermaid}
    :name: request-path
    :alt: A client asks Envoy; Envoy asks the endpoint picker for a pod.
    :caption: The path of a request

    flowchart LR
      client --> envoy
    ```

`nox -s diagrams` (extensions/draw.py) draws each diagram once, into diagrams/. The name of
a drawing ends in a digest of all that decides its look, so a changed diagram finds no
drawing, and the build stops. Readers need neither Node nor a browser, and the three
editions show the same picture; for print, rsvg-convert makes it a PDF.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.util.typing import ExtensionMetadata
from sphinxcontrib.mermaid import Mermaid, mermaid

FOLDER = "diagrams"
MERMAID_CLI = "11.17.0"
#: Dots per inch at which a drawing is set in print: its 15 pixels become 8.4 points.
PRINT_RESOLUTION = 128
#: Width and height in pixels beyond which print scales a drawing down until its labels
#: cannot be read.
LIMITS = (900, 1000)
#: A directive in a chapter, and the options at its beginning.
DIRECTIVE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<fence>`{3,}|:{3,})\{mermaid\}[ \t]*\n"
    r"(?P<body>.*?)^(?P=indent)(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
OPTIONS = re.compile(r"\A(?:\s*:[a-z]+:.*\n)*")


@dataclass(frozen=True)
class Source:
    """The Mermaid source of a diagram, and the chapter that holds it."""

    chapter: Path
    text: str


def sources(folder: Path) -> Iterator[Source]:
    """Yield every diagram of the chapters below a folder."""
    for chapter in sorted(folder.rglob("*.md")):
        for match in DIRECTIVE.finditer(chapter.read_text(encoding="utf-8")):
            yield Source(chapter, OPTIONS.sub("", dedent(match["body"]), count=1).strip())


def drawing_of(source: Source, folder: Path) -> Path:
    """Return where the drawing of a diagram is, or will be once it is drawn."""
    settings = (folder / "mermaid.json").read_text(encoding="utf-8")
    digest = sha256(f"{MERMAID_CLI}\n{settings}\n{source.text}".encode()).hexdigest()[:12]
    drawn = sorted(folder.glob(f"*-{digest}.svg"))
    return drawn[0] if drawn else folder / f"{source.chapter.stem}-{digest}.svg"


class Diagram(Mermaid):  # type: ignore[misc]  # it comes without types
    """sphinxcontrib-mermaid's directive, with the committed drawing in place of a live one."""

    def run(self) -> list[nodes.Node]:
        """Return the figure, or say which command draws it."""
        self.assert_has_content()
        for option in ("alt", "caption"):
            if not self.options.get(option):
                message = f"A diagram needs :{option}:, for readers who do not see it."
                raise self.error(message)
        picture = nodes.image(uri=f"/{self._drawing()}", alt=self.options["alt"])
        found: list[nodes.Node] = super().run()
        for figure in found:
            for diagram in list(figure.findall(mermaid)):
                diagram.replace_self(picture)
        return found

    def _drawing(self) -> str:
        """Return the drawing's path, relative to the sources."""
        environment = self.state.document.settings.env
        source = Source(Path(environment.doc2path(environment.docname)), "\n".join(self.content).strip())
        drawing = drawing_of(source, environment.srcdir.parent / FOLDER)
        path = os.path.relpath(drawing, environment.srcdir)
        environment.note_dependency(path)
        if not drawing.exists():
            message = (
                f"The diagram that begins with '{source.text[:40]}' has no drawing in {FOLDER}/, "
                "or changed after it was drawn: run `nox -s diagrams`."
            )
            raise self.error(message)
        return path


class DrawingToPdf(ImageConverter):
    """Turn SVG into PDF for LaTeX, with the fonts of the book."""

    conversion_rules = [("image/svg+xml", "application/pdf")]  # noqa: RUF012 (as in Sphinx)

    def is_available(self) -> bool:
        """Say yes: a missing program is named when it is needed."""
        return True

    def convert(self, _from: str | os.PathLike[str], _to: str | os.PathLike[str]) -> bool:
        """Convert one picture."""
        fonts = self.app.srcdir.parent / FOLDER / "fonts.conf"
        resolution = (f"--dpi-x={PRINT_RESOLUTION}", f"--dpi-y={PRINT_RESOLUTION}")
        command = ("rsvg-convert", "--format=pdf", *resolution, "--output", _to, _from)
        try:
            subprocess.run(command, check=True, env=os.environ | {"FONTCONFIG_FILE": str(fonts)})
        except FileNotFoundError as error:
            message = "rsvg-convert is missing: install the Debian package librsvg2-bin."
            raise ExtensionError(message) from error
        return True


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive and the converter."""
    app.setup_extension("sphinxcontrib.mermaid")
    app.add_directive("mermaid", Diagram, override=True)
    app.add_post_transform(DrawingToPdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
