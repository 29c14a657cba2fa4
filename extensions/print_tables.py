"""Tables in print: one with set widths may run over the page, and takes its caption along."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata


class TablesInPrint(SphinxPostTransform):
    """Give LaTeX its breakable kind of table, except in boxes, where that kind cannot stand."""

    default_priority = 400
    formats = ("latex",)

    def run(self, **_options: object) -> None:
        """Mark the tables of one page."""
        for table in self.document.findall(nodes.table):
            if "colwidths-given" in table["classes"] and not _is_boxed(table):
                table["classes"].append("longtable")


def _is_boxed(node: nodes.Element) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, nodes.Admonition):
        parent = parent.parent
    return parent is not None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the transform."""
    app.add_post_transform(TablesInPrint)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
