"""Explain the words of the stamps: `{stamp-legend}` all of them, each page of HTML its own."""

from __future__ import annotations

from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from extensions.stamp import stamp
from proofs.records import EVIDENCE, MEANING


class Kind(NamedTuple):
    """A kind of evidence: its name in records, the words of its stamp, what they mean."""

    name: str
    words: str
    meaning: str


KINDS = tuple(Kind(name, words, MEANING[name]) for name, words in EVIDENCE.items())


class StampLegend(SphinxDirective):
    """The words of the stamps, strongest evidence first."""

    def run(self) -> list[nodes.Node]:
        """Return a definition list."""
        return [nodes.definition_list("", *map(_item, KINDS), classes=["stamp-legend"])]


def _item(kind: Kind) -> nodes.definition_list_item:
    meaning = nodes.paragraph(kind.meaning, kind.meaning)
    return nodes.definition_list_item("", nodes.term(kind.words, kind.words), nodes.definition("", meaning))


def explain_own_stamps(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Hand a page of HTML the kinds of evidence that its stamps name."""
    if app.builder.name == "html" and doctree is not None:
        named = {name for one in doctree.findall(stamp) for name in one["classes"]}
        context["stamp_legend"] = [kind for kind in KINDS if kind.name in named]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive and listen to every page."""
    app.add_directive("stamp-legend", StampLegend)
    app.connect("html-page-context", explain_own_stamps)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
