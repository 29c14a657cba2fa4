"""The PDF is one that a printer takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pikepdf

from tests.book.editions.conftest import BUILD, Print

LOG = BUILD / "latex" / "life-with-llm-d.log"


def fonts(file: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Yield every font of a file, those inside pictures included."""
    for item in file.objects:
        if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Font":
            yield item


def is_embedded(font: pikepdf.Object) -> bool:
    """Tell whether a font carries its own shapes."""
    inner = font.get("/DescendantFonts", [font])[0]
    descriptor = inner.get("/FontDescriptor", {})
    return any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3"))


def test_every_page_measures_seven_by_ten_inches(pdf: Print) -> None:
    sizes = {tuple(round(float(edge)) for edge in page.mediabox) for page in pdf.file.pages}
    assert sizes == {(0, 0, 504, 720)}


def test_every_font_is_embedded(pdf: Print) -> None:
    found = list(fonts(pdf.file))
    assert found
    assert {str(font.get("/BaseFont")) for font in found if not is_embedded(font)} == set()


def test_the_outline_of_the_file_has_parts_and_chapters(pdf: Print) -> None:
    with pdf.file.open_outline() as outline:
        titles = [item.title for item in outline.root]
        chapters = [child.title for item in outline.root for child in item.children]
    assert "Foundation" in " ".join(titles)
    assert any("Installation and setup" in title for title in chapters)


def test_the_file_says_what_it_is(pdf: Print) -> None:
    assert str(pdf.file.docinfo["/Title"]) == "Life with llm-d"
    assert pdf.file.Root.Lang == "en"


def test_no_character_is_missing_from_a_font() -> None:
    log = LOG.read_text(encoding="utf-8", errors="replace")
    assert re.findall(r"Missing character: .*", log) == []


def test_no_line_reaches_into_the_margin() -> None:
    log = LOG.read_text(encoding="utf-8", errors="replace")
    overfull = re.findall(r"Overfull \\hbox \((\d+\.\d+)pt too wide\)[^\n]*", log)
    assert [width for width in overfull if float(width) > 1] == []
