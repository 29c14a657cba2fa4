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
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.directives.patches import Figure
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms.images import ImageConverter
from sphinx.util.typing import ExtensionMetadata, OptionSpec

FOLDER = "diagrams"
MERMAID_CLI = "11.17.0"
#: Dots per inch at which a drawing is set in print: its 15 pixels become 8.4 points.
PRINT_RESOLUTION = 128


def drawing_of(source: str, chapter: str, folder: Path) -> Path:
    """Return where the drawing of a diagram is, or would be once drawn for a chapter."""
    settings = (folder / "mermaid.json").read_text(encoding="utf-8")
    digest = sha256("\0".join((MERMAID_CLI, settings, source.strip())).encode()).hexdigest()[:12]
    drawn = sorted(folder.glob(f"*-{digest}.svg"))
    return drawn[0] if drawn else folder / f"{chapter}-{digest}.svg"


class Diagram(Figure):
    """A figure whose picture is the drawing of the Mermaid source in its content."""

    required_arguments = 0
    option_spec: ClassVar[OptionSpec] = {  # type: ignore[misc]
        "alt": directives.unchanged_required,
        "caption": directives.unchanged_required,
        "name": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Return the figure, or say which command draws it."""
        environment = self.state.document.settings.env
        source = "\n".join(self.content)
        chapter = Path(environment.docname).name
        drawing = drawing_of(source, chapter, Path(environment.app.confdir) / FOLDER)
        path = os.path.relpath(drawing, environment.srcdir)
        environment.note_dependency(path)
        if not drawing.exists():
            begin = source.strip().splitlines()[0] if source.strip() else "nothing"
            raise self.error(
                f"The diagram that begins with '{begin}' has no drawing in {FOLDER}/, "
                "or changed after it was drawn: run `nox -s diagrams`."
            )
        for option in ("alt", "caption"):
            if option not in self.options:
                raise self.error(f"A diagram needs :{option}:, for readers who do not see it.")
        self.arguments = [f"/{path}"]
        self.content = StringList([self.options.pop("caption")], source=environment.docname)
        return super().run()


class DrawingToPdf(ImageConverter):
    """Turn SVG into PDF for LaTeX, with the fonts of the book."""

    conversion_rules: ClassVar = [("image/svg+xml", "application/pdf")]

    def is_available(self) -> bool:
        """Say yes: a missing program is named when it is needed."""
        return True

    def convert(self, _from: str | os.PathLike[str], _to: str | os.PathLike[str]) -> bool:
        """Convert one picture."""
        fonts = Path(self.app.confdir) / FOLDER / "fonts.conf"
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
    app.add_directive("mermaid", Diagram)
    app.add_post_transform(DrawingToPdf)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
