"""Fit pages to their screens: tables to phones, pictures to a window of their own, planned chapters to grey.

Each cell of a table with a head gets its column's title, which style sheets show where a row
is set as a card. In EPUB, wide drawings keep a size in which their words can be read. In HTML,
a picture leads to its file, so that it opens in full size, and the links to chapters that
aren't written yet are grey and marked wherever the contents are shown.
"""

from __future__ import annotations

import html
import re
from itertools import cycle
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from proofs.outline import FILE, PLANNED, load_outline

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
#: In pixels: a narrower drawing fits a phone, and words in a smaller one can't be read.
PHONE, READABLE = 340, 0.8
WIDTH = re.compile(r'<svg\b[^>]*? width="(\d+)')
PICTURE = re.compile(r'(<figure\b[^>]*>\s*)(<img\b[^>]*\bsrc="([^"]+)"[^>]*>)')


def fit(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Change the body of a page before it is written."""
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    if doctree is not None:
        context["body"] = TABLE.sub(_labelled, context["body"])
    if app.builder.name == "html":
        context["body"] = PICTURE.sub(_opening, context.get("body", ""))
        context["planned_pages"] = planned_pages(Path(app.srcdir))
    elif app.builder.name == "epub":
        widths = {
            name: _width(Path(app.srcdir) / picture)
            for picture, (_, name) in app.env.images.items()
            if picture.endswith(".svg")
        }
        context["body"] = PICTURE.sub(lambda one: _readable(one, widths), context.get("body", ""))


def planned_pages(source: Path) -> list[str]:
    """Return the ends of the addresses of all chapters that aren't begun."""
    if not (source / FILE).exists():
        return []
    return [f"{page.slug}.html" for page in load_outline(source).pages if page.state == PLANNED]


def _labelled(table: re.Match[str]) -> str:
    titles = [html.escape(html.unescape(TAG.sub("", title)).strip()) for title in HEAD.findall(table[0])]
    if len(titles) < 2:  # noqa: PLR2004 - one column needs no cards
        return table[0]

    def labelled(row: re.Match[str]) -> str:
        columns = cycle(titles)
        return re.sub(r"<td\b", lambda _: f'<td data-label="{next(columns)}"', row[0])

    return ROW.sub(labelled, table[0]).replace('class="', 'class="cards ', 1)


def _opening(picture: re.Match[str]) -> str:
    before, image, address = picture.groups()
    return f'{before}<a class="full-size" href="{address}" title="Open in full size">{image}</a>'


def _width(drawing: Path) -> int:
    found = WIDTH.search(drawing.read_text(encoding="utf-8"))
    return int(found[1]) if found else 0


def _readable(picture: re.Match[str], widths: dict[str, int]) -> str:
    """Keep a wide drawing from shrinking to a narrow page: it is moved sideways."""
    before, image, address = picture.groups()
    least = round(READABLE * widths.get(Path(address).name, 0))
    if least <= PHONE:
        return picture[0]
    image = image.replace("<img ", f'<img style="min-width: {least}px" ', 1)
    return f'{before}<div class="wide">{image}</div>'


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written."""
    app.connect("html-page-context", fit)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
