"""The EPUB has the contents, the package and the bytes that it should have."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from extensions.epub_edition import HangingLines
from tests.extensions.conftest import Site

XHTML = {"": "http://www.w3.org/1999/xhtml"}


@pytest.fixture
def epub(site: Callable[[str], Site]) -> Site:
    """Return the small book in parts, built as EPUB."""
    book = site("numbers")
    assert book.build("epub") == ""
    return book


def contents(book: Site) -> list[tuple[int, str, str]]:
    """Return the entries of the contents: depth, text and target."""
    root = ET.fromstring(book.output("epub/nav.xhtml"))  # noqa: S314 - built here
    return list(_entries(next(root.iterfind(".//ol", XHTML)), 0))


def _entries(level: ET.Element, depth: int) -> list[tuple[int, str, str]]:
    found = []
    for item in level.findall("li", XHTML):
        link = next(item.iterfind("a", XHTML))
        found.append((depth, str(link.text), link.attrib["href"]))
        below = item.find("ol", XHTML)
        found += _entries(below, depth + 1) if below is not None else []
    return found


def test_the_contents_have_parts_with_numbered_chapters_and_sections(epub: Site) -> None:
    assert [(depth, text) for depth, text, _ in contents(epub)] == [
        (0, "A book in parts"),
        (0, "Foundation"),
        (1, "1 Begin"),
        (2, "1.1 A section of 01-begin"),
        (1, "2 Go"),
        (2, "2.1 A section of 02-go-on"),
        (0, "Operations"),
        (1, "3 Operate"),
        (2, "3.1 A section of 03-operate"),
        (0, "Appendices"),
        (1, "P Proofs"),
        (2, "P.1 A section of p-proofs"),
        (0, "Books"),
        (1, "A section of bibliography"),
    ]


def test_a_part_leads_to_its_first_chapter(epub: Site) -> None:
    assert {text: target for _, text, target in contents(epub)}["Operations"] == "03-operate.xhtml"


def test_old_readers_get_numbers_too(epub: Site) -> None:
    assert "<text>3 Operate</text>" in epub.output("epub/toc.ncx")


def test_the_archive_holds_no_style_sheet_for_a_screen(epub: Site) -> None:
    packed = ZipFile(epub.root / "epub" / "Small.epub").namelist()
    static = [name for name in packed if name.startswith("_static/")]
    pages = "".join(epub.output(f"epub/{name}") for name in packed if name.endswith(".xhtml"))
    assert static
    assert [name for name in static if name not in pages] == []


def test_pages_say_their_language(epub: Site) -> None:
    assert 'lang="en" xml:lang="en"' in epub.output("epub/03-operate.xhtml")


def test_a_page_with_formulas_is_declared(site: Callable[[str], Site]) -> None:
    book = site("formulas")
    assert book.build("epub") == ""
    root = ET.fromstring(book.output("epub/content.opf"))  # noqa: S314 - built here
    items = root.findall(".//{http://www.idpf.org/2007/opf}item")
    assert {item.get("href"): item.get("properties") for item in items}["index.xhtml"] == "mathml"


def test_a_long_line_of_code_goes_on_under_its_beginning(site: Callable[[str], Site]) -> None:
    book = site("listings")
    assert book.build("epub") == ""
    code = book.output("epub/02-first.xhtml").split('<div class="highlight">')[1]
    found = re.findall(r'<span class="(\w+)" style="padding-left: (\S+); text-indent: -\2">', code)
    # The second one is emphasized; two characters further than its own beginning, of 0.6 em each.
    assert found[:4] == [("line", "1.2em"), ("hll", "1.2em"), ("line", "2.4em"), ("line", "1.2em")]


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ('<span class="linenos">14</span>    <span class="n">a</span>', "4.8em"),
        ("\t\ta", "6.0em"),
        ('<span class="w">  </span>a', "2.4em"),
    ],
)
def test_numbers_and_tabs_count_as_what_a_line_begins_with(line: str, indent: str) -> None:
    ((_, shown),) = [one for one in HangingLines().wrap(iter([(1, line)])) if one[0]]
    assert f'style="padding-left: {indent}; text-indent: -{indent}"' in shown


def test_a_line_of_code_breaks_between_the_parts_of_its_names() -> None:
    ((_, shown),) = [one for one in HangingLines().wrap(iter([(1, '<b>a_b</b> --c="d"\n')])) if one[0]]
    assert '<b>a_<wbr/>b</b> <span class="unbroken">--c=</span><wbr/>"d"\n' in shown


def test_two_builds_of_the_same_inputs_give_the_same_bytes(
    site: Callable[[str], Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    book = site("listings")
    books = []
    for processes in (1, 2):
        assert book.build("epub", processes=processes) == ""
        books.append((book.root / "epub" / "Small.epub").read_bytes())
        (book.root / "epub").rename(tmp_path / f"epub-{processes}")
        (book.root / "doctrees-epub").rename(tmp_path / f"doctrees-{processes}")
        time.sleep(2)  # an archive counts in steps of two seconds
    assert books[0] == books[1]
