"""Keep the page "Index" out of the LaTeX table of contents, where it has no source.

HTML and EPUB make that page themselves, and a toctree may name it (`genindex`). LaTeX
prints the index at the end, and takes the same entry for a missing file. Remove this
module when https://github.com/sphinx-doc/sphinx/issues/13733 is closed.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def drop_index(app: Sphinx, doctree: nodes.document) -> None:
    """Take the entry out of every toctree that is read for LaTeX."""
    if app.builder.format == "latex":
        for toctree in doctree.findall(addnodes.toctree):
            toctree["includefiles"] = [page for page in toctree["includefiles"] if page != "genindex"]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Read each page with the entry gone, if it is for LaTeX."""
    app.connect("doctree-read", drop_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
