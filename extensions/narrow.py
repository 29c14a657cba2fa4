"""Drawings for narrow screens: beside `<name>.svg`, which is as wide as print, lies `<name>-narrow.svg`.

The programs that draw (tools/draw.py, tools/draw_plots.py) make both from the same source.
Print and wide screens show the first, the EPUB the second. A page of HTML names both
(extensions/screens.py), and the browser takes the one that fits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SUFFIX = "-narrow.svg"
AnyPath = TypeVar("AnyPath", str, Path)


def narrow_of(drawing: AnyPath) -> AnyPath:
    """Return where the narrow drawing that belongs to a drawing is, or would be."""
    return type(drawing)(str(drawing).removesuffix(".svg") + SUFFIX)


def collect(app: Sphinx, doctree: nodes.document) -> None:
    """Have the narrow drawings of a page copied as its pictures are."""
    for picture in doctree.findall(nodes.image):
        narrow = narrow_of(picture["uri"])
        if (app.srcdir / narrow).is_file():
            app.env.images.add_file(app.env.docname, narrow)


def choose(app: Sphinx, doctree: nodes.document, _page: str) -> None:
    """Show the narrow drawings in the EPUB, and have them beside the wide ones in HTML."""
    for picture in doctree.findall(nodes.image):
        narrow = narrow_of(picture["uri"])
        if narrow not in app.env.images:
            continue
        if app.builder.name == "epub":
            picture["uri"], picture["candidates"] = narrow, {"*": narrow}
        elif app.builder.name == "html":
            app.builder.images[narrow] = app.env.images[narrow][1]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page when it is read, and before it is written."""
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", choose)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
