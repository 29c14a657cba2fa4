"""Citations without the role `doc-biblioentry`, which ARIA and EPUB 3.3 have withdrawn.

docutils gives it to every entry of the bibliography; axe and epubcheck object.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

WITHDRAWN = ' role="doc-biblioentry"'


def drop_role(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Take the role out of a page's body."""
    if "body" in context:
        context["body"] = context["body"].replace(WITHDRAWN, "")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written; other extensions read its body after that."""
    app.connect("html-page-context", drop_role, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
