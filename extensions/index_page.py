"""Keep the page "Index" of the table of contents to HTML.

A toctree may name that page (`genindex`), though it has no source. But LaTeX, which
prints the index at the end, takes the entry for a missing file, and EPUB, which has the
page at its end anyway, gets it twice, which is an error. Remove this module when
https://github.com/sphinx-doc/sphinx/issues/13733 is closed and EPUB copes.
"""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def drop_index(app: Sphinx, doctree: nodes.document) -> None:
    """Take the entry out of every toctree that is read for another edition than HTML."""
    if app.builder.name != "html":
        for toctree in doctree.findall(addnodes.toctree):
            toctree["entries"] = [entry for entry in toctree["entries"] if entry[1] != "genindex"]
            toctree["includefiles"] = [page for page in toctree["includefiles"] if page != "genindex"]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Drop the entry as each page is read."""
    app.connect("doctree-read", drop_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
