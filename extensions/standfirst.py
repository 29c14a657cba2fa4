"""Set the question that a section answers, its first paragraph, apart: as a standfirst."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata


class Standfirsts(SphinxTransform):
    """Give the first paragraph of a section the class `standfirst` where it is one question."""

    default_priority = 800

    def apply(self, **_options: object) -> None:
        """Mark the paragraphs."""
        for section in self.document.findall(nodes.section):
            blocks = [child for child in section if not isinstance(child, (nodes.Invisible, nodes.title))]
            first = blocks[0] if blocks else None
            if isinstance(first, nodes.paragraph) and first.astext().endswith("?"):
                first["classes"].append("standfirst")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the transform."""
    app.add_transform(Standfirsts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
