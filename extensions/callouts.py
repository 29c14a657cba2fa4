"""The boxes of this book: {openshift}, {in-production}, {for-data-scientists}, {for-sres}.

Each is an admonition with a fixed title and its directive's name as a class. HTML and
EPUB style the class; in LaTeX the box is set in an environment `sphinxclass<name>`,
where latex/lwbook.sty gives it its colours.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator
from sphinx.writers.latex import LaTeXTranslator
from sphinx.writers.text import TextTranslator

TITLES = {
    "openshift": "OpenShift",
    "in-production": "In production",
    "for-data-scientists": "For data scientists",
    "for-sres": "For SREs",
}


class callout(nodes.Admonition, nodes.Element):  # noqa: N801 - docutils writes node names small
    """A titled box of one kind; the kind is its class."""


def make_callout(kind: str, title: str, *content: nodes.Node) -> callout:
    """Return a box of a kind with a title."""
    return callout("", nodes.title(title, title), *content, classes=[kind])


class Callout(SphinxDirective):
    """A box whose title and class follow from the directive's name."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the box around the parsed content."""
        self.assert_has_content()
        return [make_callout(self.name, TITLES[self.name], *self.parse_content_to_nodes())]


def visit_callout(translator: HTML5Translator | TextTranslator, node: callout) -> None:
    """Open the box as an ordinary admonition."""
    translator.visit_admonition(node)


def depart_callout(translator: HTML5Translator | TextTranslator, node: callout) -> None:
    """Close the box."""
    translator.depart_admonition(node)


def visit_callout_latex(translator: LaTeXTranslator, node: callout) -> None:
    """Open the box inside the environment of its class."""
    translator.body.append(f"\n\\begin{{sphinxuseclass}}{{{node['classes'][0]}}}")
    translator.visit_admonition(node)


def depart_callout_latex(translator: LaTeXTranslator, node: callout) -> None:
    """Close the box and the environment of its class."""
    translator.depart_admonition(node)
    translator.body.append("\\end{sphinxuseclass}\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the node and a directive for each title."""
    plain = (visit_callout, depart_callout)
    app.add_node(callout, html=plain, text=plain, latex=(visit_callout_latex, depart_callout_latex))
    for name in TITLES:
        app.add_directive(name, Callout)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
