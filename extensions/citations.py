"""Citations, put right and made quick.

They are items of a list, not of the role `doc-biblioentry`, which docutils gives to every entry
of the bibliography: ARIA and EPUB 3.3 withdrew it, and axe and epubcheck object.

To write one, pybtex searches all installed packages for the same plugin: here it is told.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from pybtex.backends.plaintext import Backend
from pybtex.plugin import register_plugin
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

WITHDRAWN, PRESENT = 'role="doc-biblioentry"', 'role="listitem"'


def exchange_role(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Exchange the role in a page's body."""
    if "body" in context:
        context["body"] = context["body"].replace(WITHDRAWN, PRESENT)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written; other extensions read its body after that."""
    register_plugin("pybtex.backends", "plaintext", Backend, force=True)
    app.connect("html-page-context", exchange_role, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
