"""Write each page once more as Markdown, beside it: for programs that read, and for notes.

The twin is made from the finished page, so that listings, stamps, numbers and references
are in it as a reader sees them.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from bs4 import BeautifulSoup, Tag
from docutils import nodes
from markdownify import ATX, MarkdownConverter
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

#: What only a screen needs: the signs that link to a heading or a caption.
SCREEN_ONLY = "a.headerlink"
WITHOUT_TWIN = {"genindex", "search"}  # Sphinx makes them without a source
PAGE = re.compile(r"(?P<path>[^:#]+)\.html(?:#.*)?")
CODE = re.compile(r"highlight-(?P<language>[\w+-]+)")


class TwinConverter(MarkdownConverter):
    """What the book's own elements are in Markdown."""

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Link to the twin of a page; a reference within the page is text."""
        address = str(el.get("href", ""))
        if address.startswith("#"):
            return text
        page = PAGE.fullmatch(address)
        if page and PurePosixPath(page["path"]).name not in WITHOUT_TWIN:
            el["href"] = f"{page['path']}.md"
        return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]  # its types leave it out

    def convert_div(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Quote a box."""
        if "admonition" in el.get_attribute_list("class"):
            lines = re.sub(r"\n{3,}", "\n\n", text.strip()).splitlines()
            return "\n\n" + "\n".join(f"> {line}".rstrip() for line in lines) + "\n\n"
        return str(super().convert_div(el, text, parent_tags))  # type: ignore[misc]  # its types leave it out

    def convert_p(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Write the title of a box in bold."""
        if "admonition-title" in el.get_attribute_list("class"):
            text = f"**{text.strip()}**"
        return str(super().convert_p(el, text, parent_tags))  # type: ignore[misc]  # its types leave it out

    def convert_math(self, el: Tag, text: str, parent_tags: set[str]) -> str:  # noqa: ARG002 - all have the same
        """Write a formula as it is in the source, where the page carries that along."""
        sign = "$$" if el.get("display") == "block" else "$"
        return f"{sign}{el['alttext']}{sign}" if el.get("alttext") else text


def twin(page: str) -> str:
    """Return the Markdown of a page's body."""
    soup = BeautifulSoup(page, "html.parser")
    for sign in soup.select(SCREEN_ONLY):
        sign.decompose()
    converter = TwinConverter(heading_style=ATX, bullets="-", code_language_callback=_language)
    text = str(converter.convert_soup(soup))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _language(block: Tag) -> str:
    """Return what a block of code is written in; empty where it is plain text."""
    around = [name for parent in block.parents for name in parent.get_attribute_list("class") if name]
    found = next(filter(None, map(CODE.fullmatch, around)), None)
    return "" if found is None or found["language"] in {"default", "text"} else found["language"]


def write_twin(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write the twin of a page with a source, and say in the page where it is."""
    if app.builder.name != "html" or doctree is None:
        return
    file = app.outdir / f"{page}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(twin(context["body"]), encoding="utf-8")
    address = context["pathto"](f"{page}.md", 1)
    context["metatags"] += f'\n<link rel="alternate" type="text/markdown" href="{address}" />'


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written."""
    app.connect("html-page-context", write_twin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
