"""References by number, without reading a whole page again for each of them.

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
        return super().resolve_xref(self._kept, fromdocname, builder, typ, target, node, contnode)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of Sphinx's domain."""
    app.add_domain(QuickDomain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
