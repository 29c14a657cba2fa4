"""Fit pages to their screens: tables to phones, pictures to a window of their own, planned chapters to grey.

Each cell of a table with a head gets its column's title, which style sheets show where a row
is set as a card. No line ends within the book's name or a short piece of code. In HTML, a picture
leads to its file, so that it opens in full size, and names its narrow drawing
(extensions/narrow.py); it is fetched when a reader comes near, and its place is kept until
then; and the links to chapters that aren't written yet are grey and marked
wherever the contents are shown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util.typing import ExtensionMetadata

from extensions.narrow import narrow_of
from proofs.outline import FILE, PLANNED, load_outline

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
CELL = re.compile(r"<td\b(?=[^>]*>(?P<nothing>\s*(?:<p>\s*</p>|<p\s*/>)?\s*</td>)?)")
#: Code in running text, and its words, as Sphinx marks them.
CODE = re.compile(r'(<code class="docutils literal notranslate)(">.*?</code>)', re.DOTALL)
WORD = re.compile(r'(<span class="pre)">([^<]*)(</span>)')
#: What no name is looked for in, or the book's name.
NAME = re.compile(r"<(pre|code)\b.*?</\1>|<[^>]*>|(?P<name>\bllm-d\b)", re.DOTALL)
#: Characters for which a narrow screen has room on one line.
SHORT = 28
#: A word of code up to where a line may end in it: not after a hyphen, which may begin a flag.
CHUNK = re.compile(r"[^\s_,{/=]*[_,{/=]++(?!\s)|[^\s_,{/=]+")
UNBROKEN = '<span class="unbroken">{}</span>'
#: Screens that get the narrow drawings.
NARROW = "(max-width: 40rem)"
#: The size that tools/draw.py and tools/draw_plots.py give a drawing, in pixels.
SIZE = re.compile(r'<svg\b[^>]*? (width="\d+" height="\d+")')
PICTURE = re.compile(r'(<figure\b[^>]*>\s*)(<img\b[^>]*\bsrc="([^"]+)"[^>]*>)')


def fit(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Change the body of a page before it is written."""
    if not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    if doctree is not None:
        body = CODE.sub(_in_few_pieces, TABLE.sub(_labelled, context["body"]))
        context["body"] = NAME.sub(lambda one: UNBROKEN.format(one[0]) if one["name"] else one[0], body)
    if app.builder.name == "html":
        files = {name: Path(app.srcdir) / uri for uri, name in app.builder.images.items()}
        context["body"] = PICTURE.sub(lambda one: _opening(one, files), context.get("body", ""))
        context["planned_pages"] = planned_pages(Path(app.srcdir))


def planned_pages(source: Path) -> list[str]:
    """Return the ends of the addresses of all chapters that aren't begun."""
    if not (source / FILE).exists():
        return []
    return [f"{page.slug}.html" for page in load_outline(source).pages if page.state == PLANNED]


def breakable(text: str) -> str:
    """Return escaped code with the places where a narrow screen may break its words."""

    def chunk(found: re.Match[str]) -> str:
        is_whole = "-" in found[0] and len(html.unescape(found[0])) <= SHORT
        whole = UNBROKEN.format(found[0]) if is_whole else found[0]
        return f"{whole}<wbr/>" if found[0][-1] in "_,{/=" else whole

    return CHUNK.sub(chunk, text)


def _in_few_pieces(code: re.Match[str]) -> str:
    """Return code of running text that breaks between its words at most, but for long words."""
    if len(html.unescape(TAG.sub("", code[0]))) <= SHORT:
        return f"{code[1]} unbroken{code[2]}"

    def word(found: re.Match[str]) -> str:
        is_whole = len(html.unescape(found[2])) <= SHORT
        end, text = (' unbroken">', found[2]) if is_whole else ('">', breakable(found[2]))
        return f"{found[1]}{end}{text}{found[3]}"

    return code[1] + WORD.sub(word, code[2])


def _labelled(table: re.Match[str]) -> str:
    titles = [html.escape(html.unescape(TAG.sub("", title)).strip()) for title in HEAD.findall(table[0])]
    if len(titles) < 2:  # noqa: PLR2004 - one column needs no cards
        return table[0]

    def labelled(row: re.Match[str]) -> str:
        columns = cycle(titles)
        return CELL.sub(lambda cell: _named(cell, next(columns)), row[0])

    return ROW.sub(labelled, table[0]).replace('class="', 'class="cards ', 1)


def _named(cell: re.Match[str], title: str) -> str:
    """Return the beginning of a cell with its column's title, which would stand alone in an empty one."""
    return cell[0] if cell["nothing"] else f'{cell[0]} data-label="{title}"'


def _opening(picture: re.Match[str], files: Mapping[str, Path]) -> str:
    """Return a picture that leads to its file, and that is another one on narrow screens if there is one."""
    before, image, address = picture.groups()
    image = image.replace("<img", f'<img loading="lazy"{_size(files.get(Path(address).name))}', 1)
    narrow = narrow_of(address)
    if file := files.get(Path(narrow).name):
        image = f'<picture><source media="{NARROW}" srcset="{narrow}"{_size(file)}>{image}</picture>'
    return f'{before}<a class="full-size" href="{address}" title="Open in full size">{image}</a>'


def _size(file: Path | None) -> str:
    """Return the attributes of a drawing's size; none of another picture's, which has none in its text."""
    found = SIZE.search(file.read_text(encoding="utf-8")) if file and file.suffix == ".svg" else None
    return f" {found[1]}" if found else ""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to every page before it is written."""
    app.setup_extension("extensions.narrow")
    app.connect("html-page-context", fit)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
