"""The parts of the book: what the captions of the home page's toctrees say."""

from __future__ import annotations

from collections.abc import Mapping

from sphinx import addnodes
from sphinx.environment import BuildEnvironment


def pages_by_part(env: BuildEnvironment) -> Mapping[str, list[str]]:
    """Return the title of each part -> its pages, in the order of the book.

    A numbered toctree without a caption continues the part before it. What is
    outside the parts, such as the bibliography, is under the empty title.
    """
    parts: dict[str, list[str]] = {}
    caption = ""
    for toctree in env.get_doctree(env.config.root_doc).findall(addnodes.toctree):
        caption = toctree["caption"] or (caption if toctree["numbered"] else "")
        parts.setdefault(caption, []).extend(toctree["includefiles"])
    return parts
