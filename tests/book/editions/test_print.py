"""The PDF is one that a publisher signs and a printer takes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from itertools import groupby, pairwise
from math import ceil
from pathlib import Path

import pikepdf
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from extensions.lab_archive import ADDRESS, NAME
from proofs.outline import PLANNED, load_outline
from tests.book.editions.conftest import BOOK, BUILD, HTML, PDF, Pages, Print, bare, text_of
from tests.book.editions.printed import (
    CODE_SIZE,
    HEIGHT,
    LISTING,
    Area,
    Line,
    Sheet,
    broken,
    captions,
    captions_alone,
    continuations,
    continuations_alone,
    openings,
    pages_of_chapters,
    short_halves,
    stamps,
    stamps_alone,
    widowed_headings,
)

pytestmark = pytest.mark.editions

ROOT = Path(__file__).parents[3]
EDITION = tomllib.loads((ROOT / "edition.toml").read_text(encoding="utf-8"))
OUTLINE = load_outline(BOOK / "source")
#: Type of the title of a chapter to come (latex/lwbook.sty).
COMPACT = 13.9
LOG = BUILD / "latex" / "life-with-llm-d.log"
STYLE = ROOT / "latex" / "lwbook.sty"
TEX = LOG.with_suffix(".tex")
#: The font files of latex/fonts: nothing is set in a font that the system happens to have.
#: Cover and the blank page behind it.
COVER = ("_static/cover.png",)
BEFORE_TITLE = 2
FACES = {font.stem for font in (ROOT / "latex" / "fonts").glob("*.[ot]tf")}
#: How far a letter or a hyphen may hang into the margin, for an even edge (microtype).
HANGING = 3


def fonts(file: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every font of a file, those inside pictures included."""
    for item in file.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font":
            yield item


def is_embedded(font: pikepdf.Object) -> bool:
    """Tell whether a font carries its own shapes."""
    inner = font.get("/DescendantFonts", [font])[0]
    descriptor = inner.get("/FontDescriptor", pikepdf.Dictionary())
    return any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3"))


def face(font: pikepdf.Object) -> str:
    """Return the name of a font without the mark of a subset."""
    return str(font.get("/BaseFont")).removeprefix("/").split("+")[-1]


def places(pattern: str) -> list[str]:
    """Return what LaTeX reports, each with the place in the sources that it is about."""
    log = LOG.read_text(encoding="utf-8", errors="replace")
    tex = TEX.read_text(encoding="utf-8").splitlines()
    return [f"{_source(tex, int(found['line']))}: {found[0]}" for found in re.finditer(pattern, log)]


def _source(tex: list[str], line: int) -> str:
    """Return the comment of extensions/print_edition.py that comes before a line."""
    comments = [text for text in tex[:line] if text.startswith("% source/")]
    return comments[-1].removeprefix("% ") if comments else "before the first chapter"


# -- The file


def test_every_page_measures_seven_by_ten_inches(pdf: Print) -> None:
    sizes = {tuple(round(float(edge)) for edge in page.mediabox) for page in pdf.file.pages}
    assert sizes == {(0, 0, 504, 720)}


def test_every_font_is_embedded_and_one_of_the_books_own(pdf: Print) -> None:
    found = list(fonts(pdf.file))
    assert found
    assert {face(font) for font in found if not is_embedded(font)} == set()
    assert {face(font) for font in found if face(font) not in FACES} == set()


def test_the_face_of_code_tells_alike_letters_apart(pdf: Print) -> None:
    assert {piece.face for sheet in pdf.sheets for piece in sheet.pieces if piece.size == CODE_SIZE} <= {
        "SourceCodePro-Regular",
        "SourceCodePro-It",
        "SourceCodePro-Semibold",
        "SourceCodePro-SemiboldIt",
    }
    font = TTFont(ROOT / "latex" / "fonts" / "SourceCodePro-Regular.otf")
    outlines = font["CFF "].cff[0].CharStrings
    for alike in ("0O", "1lI"):
        shapes = {str(_outline(outlines[font.getBestCmap()[ord(letter)]])) for letter in alike}
        assert len(shapes) == len(alike)


def _outline(glyph: object) -> object:
    glyph.decompile()  # type: ignore[attr-defined]
    return glyph.program  # type: ignore[attr-defined]


def test_drawings_are_vectors(pdf: Print, html: Pages) -> None:
    screenshots = {image["src"] for image in html.select("img") if not str(image["src"]).endswith(".svg")}
    images = [item for item in pdf.file.objects if _kind(item) == "/Image"]
    masks = {item.SMask.objgen for item in images if "/SMask" in item}
    assert any(_kind(item) == "/Form" for item in pdf.file.objects)
    assert len([item for item in images if item.objgen not in masks]) == len(screenshots) + len(COVER)


def _kind(item: pikepdf.Object) -> str:
    return str(item.get("/Subtype")) if isinstance(item, pikepdf.Stream) else ""


def test_the_file_says_what_it_is(pdf: Print) -> None:
    about = pdf.file.docinfo
    assert str(about["/Title"]) == EDITION["book"]["title"]
    assert str(about["/Subject"]) == EDITION["book"]["subtitle"]
    assert "llm-d" in str(about["/Keywords"])
    assert pdf.file.Root.Lang == "en"


def test_the_file_carries_the_date_of_the_edition_and_no_other(pdf: Print) -> None:
    about = pdf.file.docinfo
    date = f"D:{EDITION['book']['date']:%Y%m%d}000000Z"
    assert {str(about["/CreationDate"]), str(about["/ModDate"])} == {date}
    assert "/ID" not in pdf.file.trailer


def test_bookmarks_name_every_part_chapter_and_section_with_its_number(pdf: Print, html: Pages) -> None:
    with pdf.file.open_outline() as outline:
        bookmarks = {bare(item.title) for item in _flat(outline.root)}
    headings = html.select("article > section > h1, article > section > section > h2")
    wanted = {bare(_numbered(heading)) for heading in headings if heading.select_one(".section-number")}
    captions = BeautifulSoup((HTML / "index.html").read_text(encoding="utf-8"), "html.parser").select(
        "article .toctree-wrapper p.caption .caption-text"
    )
    assert wanted
    assert wanted - bookmarks == set()
    assert [part.get_text() for part in captions if not _ends_with(bookmarks, bare(part.get_text()))] == []
    assert {"Bibliography", "Index"} <= bookmarks


def _flat(items: list[pikepdf.OutlineItem]) -> Iterator[pikepdf.OutlineItem]:
    for item in items:
        yield item
        yield from _flat(item.children)


def _numbered(heading: object) -> str:
    """Return a heading of HTML as print has it: without the full stop after its number."""
    return re.sub(r"^([0-9A-Z.]+)\. ", r"\1", text_of(heading))  # type: ignore[arg-type]


def _ends_with(texts: set[str], end: str) -> bool:
    return any(text.endswith(end) for text in texts)


def test_every_page_is_numbered_as_the_file_says(pdf: Print) -> None:
    labels = [sheet.label for sheet in pdf.sheets]
    assert len(set(labels)) == len(labels)
    printed = {sheet.index: _folio(sheet) for sheet in pdf.sheets}
    shown = {sheet.index: sheet.label for sheet in pdf.sheets if printed[sheet.index]}
    assert len(shown) > len(labels) / 3
    assert {index: printed[index] for index in shown} == shown


def _folio(sheet: Sheet) -> str:
    """Return the page number that a reader sees in the running head or at the foot."""
    outside = [line for line in sheet.lines if line not in sheet.body]
    found = [piece for line in outside for piece in line.pieces if piece.face == "SourceSans3-Semibold"]
    return found[0].text.strip() if found else ""


def test_the_copyright_page_has_the_edition_and_every_pin(pdf: Print) -> None:
    title, copyright_page = (bare(sheet.text) for sheet in pdf.sheets[BEFORE_TITLE : BEFORE_TITLE + 2])
    book = EDITION["book"]
    assert bare(book["title"]) in title
    for words_ in (f"Edition {book['edition']}", f"{book['date']:%-d %B %Y}", "Copyright ©", "CC BY 4.0"):
        assert bare(words_) in copyright_page
    pins = [f"{name} {pin}" for name, pin in EDITION["versions"].items()]
    assert [pin for pin in pins if bare(pin) not in copyright_page] == []


# -- The page


def test_no_character_is_missing_from_a_font() -> None:
    log = LOG.read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"Missing character: .*", log) == []


def test_a_space_follows_a_note_with_a_link() -> None:
    swallowed = r"\\end\{footnotetext\}\\ignorespaces[ \n]+(?!\{)\w.*"
    assert re.findall(swallowed, TEX.read_text(encoding="utf-8")) == []


def test_no_line_and_no_table_is_too_wide_or_too_high() -> None:
    wide = r"Overfull \\hbox \((?:[1-9]|\d\d)[\d.]*pt too wide\)[^\n]*? lines? (?P<line>\d+)"
    high = r"Overfull \\vbox \((?:[4-9]|\d\d)[\d.]*pt too high\)[^\n]*? lines? (?P<line>\d+)"
    found = [*places(wide), *places(high)]
    assert not found, "too large for print; shorten it, or give a table other :widths:\n" + "\n".join(found)


def test_no_name_is_hyphenated(pdf: Print) -> None:
    (names,) = re.findall(r"\\booknames\}\{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)
    rows = [row.strip() for page in pdf.pages for row in page.splitlines()]
    ends = [(row.split()[-1], below) for row, below in pairwise(rows) if row.endswith(("-", "\u2010"))]
    joined = [f"{end[:-1]}{below}" for end, below in ends if end[:-1]]
    assert joined
    assert [one for one in joined if one.startswith(tuple(re.split(r"[,%\s]+", names)))] == []


def test_all_text_and_every_picture_stays_inside_the_margins(pdf: Print) -> None:
    assert [
        f"page {sheet.label}: {item}"
        for sheet in pdf.sheets[BEFORE_TITLE:]
        for item in (*sheet.pieces, *sheet.pictures)
        if not _is_inside(sheet, item)
    ] == []


def _is_inside(sheet: Sheet, item: Area) -> bool:
    left, right = sheet.edges
    across = left - HANGING <= item.left and item.right <= right + HANGING
    return across and item.bottom > 28 and item.top < HEIGHT - 28


def test_openings_stand_on_right_hand_pages_after_blank_ones(pdf: Print) -> None:
    openings = [
        sheet for sheet in pdf.sheets if any(_is_opening(piece.face, piece.size) for piece in sheet.pieces)
    ]
    assert len(openings) > len([page for page in OUTLINE.pages if page.state != PLANNED])
    assert [sheet.label for sheet in openings if sheet.index % 2 == 0] == []
    before = {sheet.index - 1 for sheet in openings} - {0}
    assert [
        sheet.label for sheet in pdf.sheets if not sheet.body and sheet.pieces and not _is_plain(sheet)
    ] == []
    assert any(not sheet.pieces for sheet in pdf.sheets if sheet.index in before)


def _is_opening(name: str, size: float) -> bool:
    return name == "SourceSerif4Display-Semibold" and size > 20


def _is_plain(sheet: Sheet) -> bool:
    """Tell whether a page without lines holds a picture."""
    return bool(sheet.pictures)


def test_no_chapter_is_over_its_budget_of_pages() -> None:
    taken = pages_of_chapters(PDF)
    over = [
        f"source/{page.page}.md: {taken[page.number]} printed pages, {page.budget} in source/outline.toml"
        for page in OUTLINE.chapters
        if page.state != PLANNED and page.budget and taken[page.number] > page.budget
    ]
    assert {page.number for page in OUTLINE.chapters} <= set(taken)
    assert not over, "cut by choosing what teaches most:\n" + "\n".join(over)


def test_chapters_to_come_share_their_pages(pdf: Print) -> None:
    planned = [bare(page.title) for page in OUTLINE.chapters if page.state == PLANNED]
    lines = [(sheet.label, line) for sheet in pdf.sheets for line in sheet.body]
    found = {page for page, line in lines if bare(line.text).endswith(tuple(planned)) and _is_to_come(line)}
    assert bool(found) == bool(planned)
    # Seven to a page, and each row of them between written chapters begins on one.
    rows = groupby(OUTLINE.chapters, key=lambda page: page.state == PLANNED)
    assert len(found) <= sum(ceil(len(list(row)) / 7) for is_planned, row in rows if is_planned)


def _is_to_come(line: Line) -> bool:
    return line.pieces[-1].face == "SourceSerif4Display-Semibold" and line.pieces[-1].size == COMPACT


def test_the_lab_is_attached_as_it_is_on_the_site(pdf: Print) -> None:
    attached = pdf.file.attachments[f"{NAME}.zip"].get_file().read_bytes()
    assert attached == (HTML / ADDRESS).read_bytes()


def test_headings_have_text_below_them(pdf: Print) -> None:
    assert any(line.is_heading for sheet in pdf.sheets for line in sheet.body)
    assert widowed_headings(pdf.sheets) == []


def test_listings_and_callouts_break_only_between_three_lines(pdf: Print) -> None:
    assert any(broken(pdf.sheets, {LISTING}))
    assert short_halves(pdf.sheets) == []


def test_captions_stay_with_what_they_name(pdf: Print) -> None:
    assert {line.text.split()[0] for _, line in captions(pdf.sheets)} == {"Listing", "Table"}
    assert captions_alone(pdf.sheets) == []


def test_a_table_that_continues_does(pdf: Print) -> None:
    assert any(continuations(pdf.sheets))
    assert continuations_alone(pdf.sheets) == []


def test_stamps_stay_with_their_listings(pdf: Print) -> None:
    assert any(stamps(pdf.sheets))
    assert stamps_alone(pdf.sheets) == []


# -- Cross-references


def test_stamps_give_the_page_of_their_record(pdf: Print, html: Pages) -> None:
    by_label = {sheet.label: bare(sheet.text) for sheet in pdf.sheets}
    found = re.findall(r"(examples/\S+) (?:(?!examples/).){0,300}?· p\. (\d+)", _running_text(pdf))
    assert len(found) > len(html.select("p.stamp")) / 2  # some are broken over lines in mid-word
    # The record is by chapters, and has a listing's name in the folder of its chapter.
    names = [(path.split("/", maxsplit=2)[2], page) for path, page in found]
    assert [(name, page) for name, page in names if bare(name) not in by_label[page]] == []


def test_page_references_lead_to_what_they_name(pdf: Print) -> None:
    by_label = {sheet.label: bare(sheet.text) for sheet in pdf.sheets}
    numbered = re.findall(
        r"((?:Listing|Table|Figure|Section) [0-9A-Z.]+\d) \(page (\d+)\)", _running_text(pdf)
    )
    assert numbered
    assert [
        (name, page) for name, page in numbered if bare(name.removeprefix("Section ")) not in by_label[page]
    ] == []


def test_chapters_in_the_text_are_given_with_their_pages(pdf: Print, html: Pages) -> None:
    text = bare(_running_text(pdf))
    labels = {
        bare(title.split(maxsplit=1)[-1]): pdf.sheets[index].label for title, index in openings(PDF).items()
    }
    links = {
        bare(link.get_text())
        for link in html.select("a.internal:has(span.doc)")
        if not link.find_parent("li") and not link.find_parent(class_="start-reading")
    }
    assert links
    assert [title for title in links if f"{title}(page{labels[title]})" not in text] == []


def _running_text(pdf: Print) -> str:
    """Return the text of the pages with its lines put together."""
    return " ".join(line.text.replace("\x02", "") for sheet in pdf.sheets for line in sheet.body)


@pytest.mark.parametrize("title", ["Contents", "Bibliography", "Index"])
def test_the_book_has_what_every_book_has(title: str, pdf: Print) -> None:
    assert any(sheet.body and sheet.body[0].text == title for sheet in pdf.sheets)
