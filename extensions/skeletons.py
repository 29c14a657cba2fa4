"""What numbering needs of each page: its sections, figures, tables, listings and their titles.

To number figures and to resolve a reference by number, Sphinx looks at the pages that hold
them. In each build that changes one page it unpickles all of them, and a chapter with
thirty references to its own listings is unpickled thirty times. A skeleton is noted when
its page is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import clean_astext
from sphinx.util.typing import ExtensionMetadata

#: Sphinx, which looks at whole pages when it numbers, listens at 500.
BEFORE, AFTER = 100, 900


class Skeleton(nodes.Element):
    """The skeleton of a page."""

    def __init__(self, ids: Mapping[str, nodes.Element] | None = None) -> None:
        """Begin with what a page names: elements that have no number."""
        super().__init__()
        self.ids = dict(ids or {})


def skeletons_of(env: BuildEnvironment) -> dict[str, Skeleton]:
    """Return page -> skeleton."""
    if not hasattr(env, "skeletons"):
        env.skeletons = {}  # type: ignore[attr-defined]
    return env.skeletons  # type: ignore[attr-defined,no-any-return]


def _note(app: Sphinx, page: nodes.document) -> None:
    skeleton = Skeleton(dict.fromkeys(page.ids, nodes.inline()))
    _grow(skeleton, page, skeleton, app.env)
    skeletons_of(app.env)[app.env.docname] = skeleton


def _grow(skeleton: Skeleton, page: nodes.Element, into: nodes.Element, env: BuildEnvironment) -> None:
    """Add what a part of a page holds to the part of the skeleton that represents it."""
    for child in page.children:
        if isinstance(child, (nodes.title, nodes.caption)):
            into += type(child)("", clean_astext(child))
        elif isinstance(child, nodes.Element):
            place = into
            if isinstance(child, addnodes.toctree) or _has_number(child, env):
                place = child.copy()
                into += place
                skeleton.ids.update(dict.fromkeys(child["ids"], place))
            if isinstance(child, nodes.container) and "literal_block" in child:
                place += nodes.literal_block()  # it makes the container a listing
            _grow(skeleton, child, place, env)


def _has_number(node: nodes.Element, env: BuildEnvironment) -> bool:
    return any(domain.get_enumerable_node_type(node) for domain in env.domains.sorted())


def _purge(_app: Sphinx, env: BuildEnvironment, page: str) -> None:
    skeletons_of(env).pop(page, None)


def _merge(_app: Sphinx, env: BuildEnvironment, pages: set[str], other: BuildEnvironment) -> None:
    skeletons_of(env).update({page: skeletons_of(other)[page] for page in pages})


@contextmanager
def in_place_of_pages(env: BuildEnvironment) -> Iterator[None]:
    """Let an environment give skeletons to all that ask for pages."""
    _show_skeletons(None, env)
    try:
        yield
    finally:
        _show_pages(None, env)


def _show_skeletons(_app: Sphinx | None, env: BuildEnvironment) -> list[str]:
    env.get_doctree = skeletons_of(env).__getitem__  # type: ignore[method-assign,assignment]
    return []


def _show_pages(_app: Sphinx | None, env: BuildEnvironment) -> list[str]:
    del env.get_doctree
    return []


def setup(app: Sphinx) -> ExtensionMetadata:
    """Note skeletons, and show them to what numbers."""
    app.connect("doctree-read", _note, priority=AFTER)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-get-updated", _show_skeletons, priority=BEFORE)
    app.connect("env-get-updated", _show_pages, priority=AFTER)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
