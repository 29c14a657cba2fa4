"""Keep the EPUB valid: docutils marks citations with a role that EPUB 3.3 has withdrawn."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

WITHDRAWN = ' role="doc-biblioentry"'


def drop_withdrawn_role(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Take the role out of a page of the EPUB."""
    if app.builder.name == "epub" and "body" in context:
        context["body"] = context["body"].replace(WITHDRAWN, "")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written."""
    app.connect("html-page-context", drop_withdrawn_role)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
