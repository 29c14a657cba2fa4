"""Let the toctree entry `genindex` name the page "Index" in HTML only.

LaTeX and EPUB put an index at the end by themselves; LaTeX takes the entry for a missing
file, and EPUB would list the page twice, which is not valid. Remove the case of LaTeX
when https://github.com/sphinx-doc/sphinx/issues/13733 is closed.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def drop_index(app: Sphinx, doctree: nodes.document) -> None:
    """Take the entry out of every toctree that is read for LaTeX or EPUB."""
    if app.builder.name in {"latex", "epub"}:
        for toctree in doctree.findall(addnodes.toctree):
            toctree["includefiles"] = [page for page in toctree["includefiles"] if page != "genindex"]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Read each page with the entry gone, where it must be."""
    app.connect("doctree-read", drop_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
