"""References by number: "Chapter 3", where Sphinx says "Section 3", and quick.

To resolve a `numref`, Sphinx looks at the element that it points to, and unpickles that
element's page. A chapter with thirty references to its own listings is read thirty times,
which makes a build of the whole book take twice as long.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from extensions.chapter_numbers import chapter_number

#: Pages that are kept: the one that refers, and those that it refers to.
KEPT = 4


class PagesKept:
    """An environment that keeps the pages it has read: to look at, for no one may change them."""

    def __init__(self, env: BuildEnvironment) -> None:
        """Stand before an environment."""
        self._env = env
        self.get_doctree = lru_cache(KEPT)(env.get_doctree)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the environment has
            """Return what the environment has."""
            return getattr(self._env, name)


class QuickDomain(StandardDomain):
    """Sphinx's own domain, which looks at pages that are kept."""

    @cached_property
    def _kept(self) -> BuildEnvironment:
        return cast("BuildEnvironment", PagesKept(self.env))

    def resolve_xref(
        self,
        env: BuildEnvironment,  # noqa: ARG002 - it is the domain's own
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
        return super().resolve_xref(self._kept, fromdocname, builder, typ, target, node, contnode)

    def _word(self, target: str) -> str:
        """Return what a label names, if that is a whole page: "Chapter" or "Appendix"."""
        page, anchor = self.anonlabels.get(target, ("", ""))
        if not page or self._kept.get_doctree(page).ids[anchor].parent.parent is not None:
            return ""
        return "Chapter" if isinstance(chapter_number(page), int) else "Appendix"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of Sphinx's domain."""
    app.add_domain(QuickDomain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
