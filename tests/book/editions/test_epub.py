"""The EPUB has what an e-reader shows before the first page, and nothing of the day it was built."""

from __future__ import annotations

import posixpath
import tomllib
from pathlib import Path
from urllib.parse import unquote
from zipfile import ZIP_STORED, ZipFile

import pytest
from bs4 import BeautifulSoup, Tag

from proofs.outline import load_outline
from tests.book.editions.conftest import BOOK, EPUB, ROOT, Pages, bare, text_of

pytestmark = pytest.mark.editions

EDITION = tomllib.loads((Path(__file__).parents[3] / "edition.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def package() -> BeautifulSoup:
    """Return the description of the book and its files."""
    return BeautifulSoup(_read("content.opf"), "xml")


@pytest.fixture(scope="module")
def contents() -> Tag:
    """Return the contents that e-readers show."""
    found = BeautifulSoup(_read("nav.xhtml"), "xml").select_one("nav > ol")
    assert found
    return found


def _read(name: str) -> bytes:
    with ZipFile(EPUB) as archive:
        return archive.read(name)


def test_the_cover_is_declared_and_says_what_it_shows(package: BeautifulSoup) -> None:
    cover = package.select("item[properties~='cover-image']")
    page = BeautifulSoup(_read("epub-cover.xhtml"), "xml")
    assert [item["href"] for item in cover] == [image["src"] for image in page.select("img")]
    assert EDITION["book"]["title"] in str(page.select("img")[0]["alt"])
    assert (
        package.select("spine > itemref")[0]["idref"] == package.select("[href='epub-cover.xhtml']")[0]["id"]
    )


def test_the_contents_hold_parts_chapters_and_sections(contents: Tag, epub: Pages) -> None:
    names = [bare(link.get_text()) for link in contents.select("a")]
    parts = [bare(caption.get_text()) for caption in epub.pages["index"].select("p.caption .caption-text")]
    assert parts
    assert [part for part in parts if part not in names] == []
    headings = [
        bare(text_of(heading)) for heading in epub.select("h1:has(.section-number), h2:has(.section-number)")
    ]
    assert headings
    assert [heading for heading in headings if heading.replace(".", "") not in _without_stops(names)] == []


def _without_stops(names: list[str]) -> set[str]:
    return {name.replace(".", "") for name in names}


def test_every_link_of_the_contents_leads_somewhere(contents: Tag, epub: Pages) -> None:
    targets = {str(link["href"]) for link in contents.select("a")}
    assert targets
    assert [target for target in targets if not _leads_somewhere(target, epub)] == []


def test_every_link_in_the_book_leads_somewhere(epub: Pages) -> None:
    links = {
        posixpath.normpath(posixpath.join(posixpath.dirname(name), str(link["href"])))
        if not str(link["href"]).startswith("#")
        else f"{name}.xhtml{link['href']}"
        for name, page in epub.pages.items()
        for link in page.select("a.internal[href]")
    }
    assert links
    assert [link for link in links if not _leads_somewhere(link, epub)] == []


def _leads_somewhere(target: str, epub: Pages) -> bool:
    page, _, anchor = unquote(target).partition("#")
    if page == "genindex.xhtml":
        return True
    found = epub.pages.get(page.removesuffix(".xhtml"))
    return found is not None and (not anchor or bool(found.find(id=anchor)))


def test_no_file_is_packed_that_no_page_uses(package: BeautifulSoup) -> None:
    with ZipFile(EPUB) as archive:
        pages = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".xhtml"))
    files = [str(item["href"]) for item in package.select("manifest > item")]
    others = [name for name in files if not name.endswith((".xhtml", ".ncx"))]
    assert others
    assert [name for name in others if Path(name).name not in pages] == []


def test_the_date_is_that_of_the_edition_and_the_archive_has_none(package: BeautifulSoup) -> None:
    dates = [
        str(tag.string) for tag in package.find_all(["date", "meta"]) if "date" in tag.name or _is_date(tag)
    ]
    assert dates == [f"{EDITION['book']['date']}T00:00:00Z"] * 2
    with ZipFile(EPUB) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def _is_date(tag: Tag) -> bool:
    return tag.get("property") == "dcterms:modified"


def test_each_part_opens_with_its_title_and_a_sentence(epub: Pages) -> None:
    parts = load_outline(BOOK / "source").parts
    assert parts.keys() <= {title.get_text() for title in epub.select("div.part-opening p.part-title")}
    said = {about.get_text() for about in epub.select("div.part-opening p.part-about")}
    assert {about for about in parts.values() if about} <= said


def test_the_first_page_says_whose_the_book_is(epub: Pages) -> None:
    if BOOK == ROOT:
        (text,) = epub.texts("p.copyright")
        assert "CCBY4.0" in text


def test_pictures_are_light_as_the_page_is() -> None:
    with ZipFile(EPUB) as archive:
        pictures = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".svg")]
    assert pictures
    assert [text for text in pictures if "prefers-color-scheme" in text] == []


def test_the_first_entry_says_what_the_archive_is() -> None:
    with ZipFile(EPUB) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", ZIP_STORED)
        assert archive.read(first) == b"application/epub+zip"


def test_readers_who_cannot_see_learn_what_they_find(package: BeautifulSoup) -> None:
    told = {str(tag["property"]): str(tag.string) for tag in package.select("meta[property^='schema:']")}
    assert told["schema:accessModeSufficient"] == "textual"
    assert "picture" in told["schema:accessibilitySummary"]
    assert "unknown" not in {str(tag.string) for tag in package.select("metadata > *")}
