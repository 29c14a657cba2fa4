"""The three editions hold the same listings, stamps, diagrams, tables, boxes and sources."""

from __future__ import annotations

from collections import Counter

import pikepdf
import pytest
from bs4 import BeautifulSoup, Tag

from extensions.excerpt import MARK
from extensions.stamp import EXCERPT
from proofs.outline import load_outline
from tests.book.editions.conftest import BOOK, HTML, Pages, Print, bare, text_of

pytestmark = pytest.mark.editions

#: What is counted, and how HTML and EPUB mark it.
ELEMENTS = {
    "answers to refused listings": "div.refusal",
    "boxes": "div.admonition",
    "citations": "a.reference.internal[href*='bibliography']",
    "diagrams and figures": "figure img, div.figure img",
    "listings": "div.listing",
    "marks of cuts": "span.c-Cut",
    "stamps": "p.stamp",
    "tables": "table",
    "transcripts": "div.transcript",
}
#: What print must hold too, word for word. Its own lines break elsewhere.
IN_PRINT = {
    "boxes": "div.admonition > p:nth-of-type(2)",
    "captions of figures": "figcaption .caption-text",
    "captions of listings": "div.code-block-caption .caption-text",
    "captions of tables": "table caption .caption-text",
    "stamps": "p.stamp",
}
#: Captions with numbers, and what they number.
NUMBERED = ":is(.code-block-caption, caption, figcaption):has(.caption-number)"
KINDS = {"Figure", "Listing", "Table"}
NOTHING = pikepdf.Dictionary()


@pytest.mark.parametrize("element", ELEMENTS)
def test_html_and_epub_hold_the_same_number(element: str, html: Pages, epub: Pages) -> None:
    selector = ELEMENTS[element]
    per_page = {name: len(page.select(selector)) for name, page in html.pages.items()}
    assert per_page == {name: len(page.select(selector)) for name, page in epub.pages.items()}
    assert sum(per_page.values()) > 0, f"the book has no {element}"


@pytest.mark.parametrize("element", IN_PRINT)
def test_print_holds_each_at_least_as_often(element: str, html: Pages, pdf: Print) -> None:
    # In print, the number of a footnote with the address follows a link.
    wanted = Counter(bare(before_link(tag)) for tag in html.select(IN_PRINT[element]))
    assert wanted
    text = pdf.text
    missing = {words: count for words, count in wanted.items() if text.count(words) < count}
    assert not missing


def test_captions_have_the_same_numbers_in_the_three_editions(html: Pages, epub: Pages, pdf: Print) -> None:
    captions = html.texts(NUMBERED)
    assert {kind for kind in KINDS if any(caption.startswith(kind) for caption in captions)} == KINDS
    assert captions == epub.texts(NUMBERED)
    text = pdf.text
    assert [caption for caption in captions if caption not in text] == []


def test_headings_have_the_same_numbers_on_screen_and_in_the_epub(html: Pages, epub: Pages) -> None:
    numbers = html.texts("h1 .section-number, h2 .section-number, h3 .section-number")
    assert {f"{page.number}." for page in load_outline(BOOK / "source").pages} | {"P."} <= set(numbers)
    assert numbers == epub.texts("h1 .section-number, h2 .section-number, h3 .section-number")


def test_print_holds_every_line_of_every_listing(html: Pages, pdf: Print) -> None:
    lines = {line for block in html.select("div.highlight pre") for line in text_of(block).splitlines()}
    assert lines
    assert {line for line in lines if bare(line) not in pdf.text} == set()


def test_print_holds_every_stamp_exactly_as_often(html: Pages, pdf: Print) -> None:
    wanted = Counter(html.texts("p.stamp"))
    found = {stamp: pdf.text.count(stamp) for stamp in wanted}
    # The stamp of an excerpt ends like that of the whole file.
    longer = {
        stamp: sum(found[one] for one in wanted if one != stamp and one.endswith(stamp)) for stamp in wanted
    }
    assert {stamp: found[stamp] - longer[stamp] for stamp in wanted} == wanted


def test_print_holds_every_drawing(html: Pages, pdf: Print) -> None:
    drawings = {image["src"] for image in html.select(ELEMENTS["diagrams and figures"])}
    pictures = {
        picture.objgen
        for page in pdf.file.pages
        for picture in page.get("/Resources", NOTHING).get("/XObject", NOTHING).values()
    }
    assert len(pictures) >= len(drawings) > 0


@pytest.mark.parametrize("line", ["---", MARK])
def test_hyphens_and_marks_of_cuts_are_lines_of_print(line: str, html: Pages, pdf: Print) -> None:
    shown = [line.strip() for block in html.select("pre") for line in text_of(block).splitlines()]
    printed_lines = [line.strip() for page in pdf.pages for line in page.splitlines()]
    assert printed_lines.count(line) == shown.count(line) > 0


def test_what_is_cut_says_where_the_whole_file_is(html: Pages) -> None:
    boxes = html.select("div.listing, div.transcript")
    cut = [box for box in boxes if box.select_one("span.c-Cut")]
    assert cut == [box for box in boxes if bare(EXCERPT) in bare(box.select("p.stamp")[0].text)]


def test_index_entries_of_the_screen_are_in_print(pdf: Print) -> None:
    soup = BeautifulSoup((HTML / "genindex.html").read_text(encoding="utf-8"), "html.parser")
    entries = {bare(next(entry.stripped_strings)) for entry in soup.select("table.genindextable li")}
    start = max(number for number, page in enumerate(pdf.pages) if page.strip().startswith("Index"))
    index = bare("".join(pdf.pages[start:]))
    assert entries
    assert {entry for entry in entries if entry not in index} == set()


def test_cited_sources_are_in_every_bibliography(html: Pages, epub: Pages, pdf: Print) -> None:
    sources = cited(html)
    assert sources
    assert sources == cited(epub)
    assert [source for source in sources if source not in pdf.text] == []


def cited(edition: Pages) -> list[str]:
    """Return each source up to its address, which HTML shortens and print breaks."""
    return [bare(before_link(entry)) for entry in edition.select("div.citation p")]


def before_link(entry: Tag) -> str:
    """Return the text of an element up to its first link to another site."""
    text, link = text_of(entry), entry.select_one("a.external")
    return text.split(link.get_text())[0] if link else text
