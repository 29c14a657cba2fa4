"""A picture without words is a warning, which ends a strict build: not every reader sees it."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)


def report_silent_pictures(_app: Sphinx, doctree: nodes.document) -> None:
    """Name the place of every picture of a page that has no alt text."""
    for picture in doctree.findall(nodes.image):
        if not picture.get("alt", "").strip():
            message = "%s has no alt text: say what it shows, with :alt: or between the brackets of ![]()"
            logger.warning(message, picture["uri"], location=_placed(picture), type="alt")


def _placed(node: nodes.Element) -> nodes.Element:
    """Return the innermost element around a node that knows its line: pictures in a line do not."""
    while not node.line and node.parent is not None:
        node = node.parent
    return node


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look at each page as it is read."""
    app.connect("doctree-read", report_silent_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
