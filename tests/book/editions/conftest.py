"""The three built editions, read once. `nox -s docs` builds them and runs these tests."""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pikepdf
import pytest
from bs4 import BeautifulSoup, Tag

from tests.book.editions.printed import Sheet, read_sheets

ROOT = Path(__file__).parents[3]
BOOK = ROOT / os.environ.get("BOOK", ".")  # the folder that holds source/ and examples/
BUILD = ROOT / "build" if BOOK == ROOT else ROOT / "build" / BOOK.name
HTML = BUILD / "html"
EPUB = BUILD / "epub" / "life-with-llm-d.epub"
PDF = BUILD / "pdf" / "life-with-llm-d.pdf"
#: Where text is on a page, in points: running heads and page numbers lie outside.
TEXT_BLOCK = ("-x", "0", "-y", "55", "-W", "504", "-H", "615")
GENERATED = {"404", "genindex", "nav", "search", "epub-cover"}


@dataclass(frozen=True)
class Pages:
    """The pages of an edition made of HTML, by document name."""

    pages: Mapping[str, BeautifulSoup]

    def select(self, selector: str) -> list[Tag]:
        """Return what a CSS selector finds on all pages, in the order of their names."""
        return [tag for name in sorted(self.pages) for tag in self.pages[name].select(selector)]

    def texts(self, selector: str) -> list[str]:
        """Return the bare texts of what a CSS selector finds."""
        return [bare(text_of(tag)) for tag in self.select(selector)]


@dataclass(frozen=True)
class Print:
    """The printed edition: the text of its pages, what is where on them, and the file itself."""

    pages: list[str]
    sheets: list[Sheet]
    file: pikepdf.Pdf

    @cached_property
    def text(self) -> str:
        """Return the bare text of all pages, without the signs of stamps and the pages of references."""
        return re.sub(r"\(page\d+\)|·page\d+|[✓✗](?=examples/|Excerpt)", "", bare("".join(self.pages)))


def bare(text: str) -> str:
    """Return a text without what a line break may change: spaces, hyphens, ligatures.

    In print, a line of code that is too long goes on after a hooked arrow.
    """
    return re.sub(r"↪|[\s\u00ad\u2010-]", "", unicodedata.normalize("NFKC", text))


def text_of(tag: Tag) -> str:
    """Return the text of an element without the signs that only a screen needs."""
    return "".join(
        string for string in tag.strings if not string.find_parent(class_=["headerlink", "copybtn"])
    )


@pytest.fixture(scope="session")
def html() -> Pages:
    """Return the pages on the screen, each without what is around its article."""
    return Pages(dict(html_pages()))


@pytest.fixture(scope="session")
def epub() -> Pages:
    """Return the pages of the EPUB."""
    with zipfile.ZipFile(_built(EPUB)) as book:
        names = [name for name in book.namelist() if name.endswith(".xhtml")]
        texts = {
            name.removeprefix("OEBPS/").removesuffix(".xhtml"): book.read(name).decode() for name in names
        }
    return Pages({name: _article(text) for name, text in texts.items() if name not in GENERATED})


@pytest.fixture(scope="session")
def pdf() -> Iterator[Print]:
    """Return the printed edition."""
    command = ["pdftotext", "-layout", *TEXT_BLOCK, str(_built(PDF)), "-"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    with pikepdf.open(PDF) as file:
        yield Print(text.split("\f"), list(read_sheets(PDF)), file)


def html_pages() -> Iterator[tuple[str, BeautifulSoup]]:
    """Yield name and article of every page on the screen that has a source."""
    for path in sorted(_built(HTML).rglob("*.html")):
        name = path.relative_to(HTML).with_suffix("").as_posix()
        if name not in GENERATED and not name.startswith("_"):
            yield name, _article(path.read_text(encoding="utf-8"))


def _article(text: str) -> BeautifulSoup:
    soup = BeautifulSoup(text, "html.parser")
    article = soup.select_one("article") or soup.body
    return BeautifulSoup(str(article), "html.parser")


def _built(path: Path) -> Path:
    if not path.exists():
        pytest.fail(f"{path} is not built: run `nox -s docs`, which builds it and runs these tests")
    return path
