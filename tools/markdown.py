"""Read the directives and the code of a chapter as MyST does, without building it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

PARSER = MarkdownIt("commonmark").use(colon_fence_plugin).use(myst_block_plugin).enable("table")
DIRECTIVE = re.compile(r"\{(?P<name>[\w-]+)\}\s*(?P<argument>.*)")


@dataclass(frozen=True)
class Fence:
    """A fenced or indented block; `directive` is empty where code is typed."""

    line: int
    directive: str
    argument: str


def fences(text: str, first_line: int = 1) -> Iterator[Fence]:
    """Yield every block of a chapter, those inside other directives included."""
    for token in PARSER.parse(text):
        if token.type not in {"fence", "colon_fence", "code_block"}:
            continue
        assert token.map
        line = first_line + token.map[0]
        directive = DIRECTIVE.fullmatch(token.info.strip())
        if not directive:
            yield Fence(line, "", token.info.strip())
            continue
        yield Fence(line, directive["name"], directive["argument"].strip())
        if directive["name"] in HOLD_MARKDOWN:
            yield from fences(token.content, line + 1)


#: The boxes: Sphinx's own, and the book's (extensions/callouts.py).
BOXES = {
    "admonition",
    "danger",
    "for-data-scientists",
    "for-sres",
    "in-production",
    "note",
    "openshift",
    "tip",
    "warning",
}
#: Directives whose content is Markdown again.
HOLD_MARKDOWN = BOXES | {"epigraph", "figure", "list-table", "glossary", "only", "table"}
#: Directives that read their content from files.
FROM_FILES = {
    "bibliography",
    "listing",
    "mermaid",
    "planned",
    "plot",
    "progress",
    "stamp-legend",
    "start-here",
    "toctree",
    "screenshot",
    "transcript",
    "verification-record",
}
#: Directives that write a whole reference page from recorded data (extensions/reference.py).
REFERENCE = {"api-reference", "http-reference", "metrics-reference", "plugin-reference", "version-matrix"}
ALLOWED = HOLD_MARKDOWN | FROM_FILES | REFERENCE | {"csv-table", "image", "index", "rubric"}
