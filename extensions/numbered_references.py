"""References by number: "Chapter 3", where Sphinx says "Section 3", and quick."""

from __future__ import annotations

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from extensions.chapter_numbers import chapter_number
from extensions.skeletons import Skeleton, in_place_of_pages, skeletons_of


class QuickDomain(StandardDomain):
    """Sphinx's own domain, which looks at the skeletons of pages."""

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: addnodes.pending_xref,
        contnode: nodes.Element,
    ) -> nodes.reference | None:
        """Resolve a reference; Sphinx calls this when every page has been read."""
        if typ == "numref" and not node["refexplicit"] and (word := self._word(target)):
            node["refexplicit"], contnode = True, nodes.inline("", f"{word} %s")
        with in_place_of_pages(env):
            return super().resolve_xref(env, fromdocname, builder, typ, target, node, contnode)

    def _word(self, target: str) -> str:
        """Return what a label names, if that is a whole page: "Chapter" or "Appendix"."""
        page, anchor = self.anonlabels.get(target, ("", ""))
        if not page or not _is_page(skeletons_of(self.env)[page].ids[anchor]):
            return ""
        return "Chapter" if isinstance(chapter_number(page), int) else "Appendix"


def _is_page(place: nodes.Element) -> bool:
    return isinstance(place, nodes.section) and isinstance(place.parent, Skeleton)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of Sphinx's domain."""
    app.add_domain(QuickDomain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
