"""What is where on the printed pages, read from the file with PDFium, and rules for it."""

from __future__ import annotations

import ctypes
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pypdfium2
from pypdfium2 import raw as pdfium

WIDTH, HEIGHT = 504, 720
INNER, OUTER = 68.4, 57.6  # margins, in points
#: Running heads are above the block of text, page numbers of openings below it.
HEAD, FOOT = 665, 60
CODE_SIZE = 7.9
LISTING = "F6F4EF"
CAPTION = re.compile(r"(Listing|Table) [0-9A-Z]+\.\d+ ")
#: Lines that stay together on either side of a break (latex/lwbook.lua).
TOGETHER = 3
#: Levels of bookmarks down to chapters: those below are of sections.
CHAPTERS = 2
CALLOUTS = {"EEF4F7", "EFF6F0", "FDF6E7", "FBEEEE", "FAF0EE", "F1F3F4", "F4F0F9", "ECF6F5"}


@dataclass(frozen=True)
class Area:
    """A rectangle on a page, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    def holds(self, other: Area) -> bool:
        """Tell whether the middle of another rectangle lies in this one."""
        return self.left <= (other.left + other.right) / 2 <= self.right and (
            self.bottom <= (other.bottom + other.top) / 2 <= self.top
        )


@dataclass(frozen=True)
class Piece(Area):
    """Words of one font on one line."""

    text: str
    face: str
    size: float


@dataclass(frozen=True)
class Ground(Area):
    """A filled rectangle; `colour` is hexadecimal."""

    colour: str


@dataclass(frozen=True)
class Line:
    """Pieces side by side."""

    pieces: tuple[Piece, ...]

    @cached_property
    def text(self) -> str:
        """Return the words of the line."""
        return " ".join(piece.text.strip() for piece in self.pieces)

    @property
    def top(self) -> float:
        """Return the height of the line's upper edge."""
        return max(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        """Return the height of the line's lower edge."""
        return min(piece.bottom for piece in self.pieces)

    @property
    def is_heading(self) -> bool:
        """Tell whether it is a heading of a section: sans, bold, and not small."""
        return all(piece.face == "SourceSans3-Semibold" and piece.size > 9.9 for piece in self.pieces)


@dataclass(frozen=True)
class Sheet:
    """A printed page; `index` counts from 1, `label` is the number that readers see."""

    index: int
    label: str
    pieces: tuple[Piece, ...]
    grounds: tuple[Ground, ...]
    pictures: tuple[Area, ...]

    @property
    def edges(self) -> tuple[float, float]:
        """Return left and right edge of the block of text: odd pages lie on the right."""
        left = INNER if self.index % 2 else OUTER
        return left, left + WIDTH - INNER - OUTER

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Return the lines of the page from top to bottom, the running head included."""
        lines: list[list[Piece]] = []
        for piece in sorted(self.pieces, key=lambda one: -(one.top + one.bottom)):
            if lines and (piece.top + piece.bottom) / 2 > lines[-1][0].bottom:
                lines[-1].append(piece)
            else:
                lines.append([piece])
        return tuple(Line(tuple(sorted(line, key=lambda one: one.left))) for line in lines)

    @property
    def body(self) -> tuple[Line, ...]:
        """Return the lines of the block of text."""
        return tuple(line for line in self.lines if FOOT < line.top < HEAD)

    @property
    def text(self) -> str:
        """Return the words of the page."""
        return "\n".join(line.text for line in self.lines)

    def inside(self, ground: Ground) -> list[Line]:
        """Return the lines on a ground."""
        return [line for line in self.lines if ground.holds(line.pieces[0])]


def read_sheets(file: Path) -> Iterator[Sheet]:
    """Yield the pages of a file."""
    document = pypdfium2.PdfDocument(file)
    for index in range(len(document)):
        page = document[index]
        found: dict[int, list[pypdfium2.PdfObject]] = defaultdict(list)
        for item in page.get_objects(max_depth=1, textpage=page.get_textpage()):
            found[item.type].append(item)
        yield Sheet(
            index + 1,
            document.get_page_label(index),
            tuple(_piece(item) for item in found[pdfium.FPDF_PAGEOBJ_TEXT] if item.extract().strip()),
            tuple(_ground(item) for item in found[pdfium.FPDF_PAGEOBJ_PATH]),
            tuple(
                Area(*item.get_bounds())
                for item in found[pdfium.FPDF_PAGEOBJ_FORM] + found[pdfium.FPDF_PAGEOBJ_IMAGE]
            ),
        )


def openings(file: Path) -> dict[str, int]:
    """Return what the bookmarks call each part, chapter and appendix -> the index of its first page."""
    marks = [mark for mark in pypdfium2.PdfDocument(file).get_toc() if mark.level < CHAPTERS]
    return {mark.get_title(): goal.get_index() for mark in marks if (goal := mark.get_dest())}


def pages_of_chapters(file: Path) -> dict[str, int]:
    """Return the number of each chapter -> its pages, without those left blank."""
    document, tops = pypdfium2.PdfDocument(file), openings(file)
    ends = [*list(tops.values())[1:], len(document)]
    return {
        title.split()[0]: sum(bool(document[page].get_textpage().count_chars()) for page in range(start, end))
        for (title, start), end in zip(tops.items(), ends, strict=True)
        if not title.startswith(("Bibliography", "Index"))
    }


def widowed_headings(sheets: list[Sheet]) -> list[str]:
    """Return the headings that have neither a picture nor two lines below them on their page."""
    headings = ((sheet, line) for sheet in sheets for line in sheet.body if line.is_heading)
    return _named(headings, _is_widowed)


def _is_widowed(sheet: Sheet, heading: Line) -> bool:
    lines = [one for one in sheet.body if one.top < heading.bottom]
    return len(lines) < 2 and not any(one.top < heading.bottom for one in sheet.pictures)


def short_halves(sheets: list[Sheet]) -> list[str]:
    """Return the halves of broken listings and callouts that have too few lines."""
    return [
        f"page {sheet.label}: {len(sheet.inside(ground))} of {sheet.inside(ground)[0].text}"
        for sheet, ground in broken(sheets, {LISTING} | CALLOUTS)
        if len(sheet.inside(ground)) < TOGETHER
    ]


def captions(sheets: list[Sheet]) -> Iterator[tuple[Sheet, Line]]:
    """Yield the captions of listings and tables."""
    for sheet in sheets:
        for line in sheet.body:
            if CAPTION.match(line.text) and line.pieces[0].face == "SourceSans3-Semibold":
                yield sheet, line


def captions_alone(sheets: list[Sheet]) -> list[str]:
    """Return the captions that are parted from what they name."""
    return _named(captions(sheets), lambda sheet, line: not _is_followed(sheet, line))


def continuations(sheets: list[Sheet]) -> Iterator[Sheet]:
    """Yield the pages that say of a table that it continues on the next one."""
    for sheet in sheets:
        if any(line.text == "continues on next page" for line in sheet.body):
            yield sheet


def continuations_alone(sheets: list[Sheet]) -> list[str]:
    """Return the pages that say so, though the next one does not begin with the rest of a table."""
    return [
        f"page {sheet.label}"
        for sheet in continuations(sheets)
        if not sheets[sheet.index].body[0].text.endswith("continued from previous page")
    ]


def stamps(sheets: list[Sheet]) -> Iterator[tuple[Sheet, Line]]:
    """Yield the first lines of the stamps."""
    for sheet in sheets:
        for line in sheet.body:
            path = line.pieces[1:2]  # after the sign
            if path and path[0].text.startswith("examples/") and path[0].size < CODE_SIZE - 1:
                yield sheet, line


def stamps_alone(sheets: list[Sheet]) -> list[str]:
    """Return the stamps that are parted from their listings, or from the captions of their pictures."""
    return _named(
        stamps(sheets),
        lambda sheet, line: not (_is_under_code(sheet, line) or _is_under_caption(sheet, line)),
    )


def _named(places: Iterable[tuple[Sheet, Line]], is_faulty: Callable[[Sheet, Line], bool]) -> list[str]:
    """Return the page and the words of each faulty line."""
    return [f"page {sheet.label}: {line.text}" for sheet, line in places if is_faulty(sheet, line)]


def _is_followed(sheet: Sheet, caption: Line) -> bool:
    """Tell whether a listing's ground, or two lines of a table, come right below a caption."""
    if caption.text.startswith("Listing"):
        return any(0 < caption.bottom - one.top < 20 for one in sheet.grounds if one.colour == LISTING)
    return len([line for line in sheet.body if 0 < caption.bottom - line.top < 50]) > 1


def _is_under_code(sheet: Sheet, stamp: Line) -> bool:
    return any(0 < one.bottom - stamp.top < 12 for one in sheet.grounds if one.colour == LISTING)


def _is_under_caption(sheet: Sheet, stamp: Line) -> bool:
    return any(line.text.startswith("Figure") and 0 < line.bottom - stamp.top < 14 for line in sheet.body)


def broken(sheets: list[Sheet], colours: set[str]) -> Iterator[tuple[Sheet, Ground]]:
    """Yield both halves of every box that breaks over two pages."""
    for before, after in pairwise(sheets):
        last = min((one for one in before.grounds if one.colour in colours), key=_bottom, default=None)
        first = max((one for one in after.grounds if one.colour in colours), key=_bottom, default=None)
        if last and first and last.colour == first.colour and _ends(before, last) and _begins(after, first):
            yield before, last
            yield after, first


def _bottom(ground: Ground) -> float:
    return ground.bottom


def _ends(sheet: Sheet, ground: Ground) -> bool:
    """Tell whether nothing but a hint follows a ground."""
    below = [line for line in sheet.body if line.top < ground.bottom]
    return all(line.text == "continues on next page" for line in below)


def _begins(sheet: Sheet, ground: Ground) -> bool:
    """Tell whether nothing but a hint comes before a ground, and no title begins it."""
    above = [line for line in sheet.body if line.bottom > ground.top]
    inside = sheet.inside(ground)
    return all(line.text == "continued from previous page" for line in above) and not _is_title(inside)


def _is_title(lines: list[Line]) -> bool:
    return bool(lines) and lines[0].pieces[0].face == "BookSigns"


def _piece(item: pypdfium2.PdfTextObj) -> Piece:
    face = item.get_font().get_base_name().split("+")[-1]
    left, bottom, right, top = item.get_bounds()
    return Piece(left, bottom, right, top, item.extract(), face, round(item.get_font_size(), 1))


def _ground(item: pypdfium2.PdfObject) -> Ground:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)
    left, bottom, right, top = item.get_bounds()
    return Ground(left, bottom, right, top, f"{red.value:02X}{green.value:02X}{blue.value:02X}")
