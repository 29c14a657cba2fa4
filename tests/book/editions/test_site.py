"""The HTML edition as files: links, downloads, twins for machines, links from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from extensions.bundle import ICON_FONT, ICONS
from proofs.listings import is_picture, listing_files
from tests.book.editions.conftest import BOOK, HTML, ROOT, Pages

pytestmark = pytest.mark.editions

SPHINX = (sys.executable, "-m", "sphinx", "--quiet", f"--conf-dir={ROOT}", str(BOOK / "source"))
FONTS = ROOT / "_static" / "fonts"
PAGES = [page for page in sorted(HTML.rglob("*.html")) if "_static" not in page.parts]
#: Addresses in style sheets and scripts that a browser would ask for.
ASKED_FOR = re.compile(r"""(?:url\(\s*["']?|@import\s+["']|import[^"'();]*["'])((?:https?:)?//[^"')]+)""")


@cache
def soup(page: Path) -> BeautifulSoup:
    """Return a whole page."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@cache
def ids(page: Path) -> set[str]:
    """Return what a link to a page can name."""
    return {str(tag["id"]) for tag in soup(page).select("[id]")}


def local_links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield every link of a page to this site, as it is written, with its file and its anchor."""
    for tag in soup(page).select("[href], [src]"):
        link = str(tag.get("href") or tag.get("src"))
        place = urlsplit(urljoin(page.as_uri(), link))
        if place.scheme == "file":
            yield link, Path(unquote(place.path)), unquote(place.fragment)


def is_dead(file: Path, anchor: str) -> bool:
    """Tell whether a link leads to no file, or to no place in its page."""
    return not file.exists() or bool(anchor and file.suffix == ".html" and anchor not in ids(file))


# The page for missing pages is seen at any address, so its links begin at the root of the site.
def test_every_link_leads_somewhere() -> None:
    dead = [
        f"{page.relative_to(HTML)}: {link}"
        for page in PAGES
        if page.name != "404.html"
        for link, file, anchor in local_links(page)
        if is_dead(file, anchor)
    ]
    assert dead == []


def test_the_404_page_finds_its_files_from_everywhere() -> None:
    links = [
        str(tag.get("href") or tag.get("src")) for tag in soup(HTML / "404.html").select("[href], [src]")
    ]
    inside = [urlsplit(link).path for link in links if not link.startswith(("http", "#"))]
    assert inside
    assert [link for link in inside if not link.startswith("/")] == []
    assert [link for link in inside if not (HTML / unquote(link).lstrip("/")).exists()] == []


def test_no_script_or_style_sheet_asks_another_host() -> None:
    outside = {
        f"{file.relative_to(HTML)}: {address}"
        for kind in ("html", "css", "js")
        for file in HTML.rglob(f"*.{kind}")
        for address in ASKED_FOR.findall(file.read_text(encoding="utf-8"))
    }
    assert outside == set()


def test_a_chapter_gives_all_its_listings_in_one_file(html: Pages) -> None:
    chapters = {name.split("/")[0] for name in listing_files(BOOK)}
    assert chapters
    for chapter in chapters:
        with ZipFile(HTML / "_downloads" / f"{chapter}.zip") as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        names = [tag.get_text() for tag in html.select("p.stamp a.download")]
        shown = {name for name in names if f"/{chapter}/" in name and not is_picture(name)}
        assert {f"examples/{name}" for name in files} >= shown
        assert files == {name: (BOOK / "examples" / name).read_bytes() for name in files}


def test_every_page_has_a_twin_with_its_listings_and_stamps(html: Pages) -> None:
    for name, page in html.pages.items():
        twin = (HTML / f"{name}.md").read_text(encoding="utf-8")
        assert twin.startswith("# "), name
        lines = {line for block in page.select("div.highlight pre") for line in block.get_text().splitlines()}
        assert {line for line in lines if line not in twin} == set(), name
        assert twin.count("```") == 2 * len(page.select("div.highlight pre")), name


def test_llms_txt_leads_to_every_twin(html: Pages) -> None:
    text = (HTML / "llms.txt").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)]+\.md)\)", text))
    assert {f"{name}.md" for name in html.pages} - links == {"index.md"}
    assert [link for link in links if not (HTML / link).exists()] == []


def test_the_sitemap_names_every_page_that_has_a_source(html: Pages) -> None:
    addresses = [place.text or "" for place in ET.parse(HTML / "sitemap.xml").findall(".//{*}loc")]  # noqa: S314 - ours
    canonical = {
        str(soup(HTML / f"{name}.html").select("link[rel=canonical]")[0]["href"]) for name in html.pages
    }
    assert set(addresses) == canonical
    assert len(addresses) == len(canonical)


def test_every_page_says_what_a_link_to_it_shows(html: Pages) -> None:
    for name in html.pages:
        page = soup(HTML / f"{name}.html")
        shown = {str(tag["property"]): str(tag["content"]) for tag in page.select("meta[property^='og:']")}
        assert shown["og:title"]
        assert shown["og:description"], name
        assert urlsplit(shown["og:image"]).path.endswith("_static/cover.png")


def test_the_faces_hold_every_character(html: Pages) -> None:
    # Browsers have another face for formulas.
    shown = {
        character
        for page in html.pages.values()
        for text in page.find_all(string=lambda text: text.find_parent("math") is None)
        for character in text
    }
    held = {font.stem: set(TTFont(font).getBestCmap()) for font in FONTS.glob("*.woff2")}
    sets = [characters | held["book-sans-regular"] for characters in held.values()]  # the fallback
    missing = {one for one in shown if one.isprintable() and not all(ord(one) in known for known in sets)}
    assert missing == set(), "add them to CHARACTERS in latex/webfonts.py and run it"


def test_two_builds_are_the_same_to_the_byte(tmp_path: Path) -> None:
    # In another order of sets and with another number of processes. Not build/html: Sphinx
    # leaves pages alone that did not change, and what they say of its other files with them.
    builds = {
        jobs: subprocess.Popen(
            [*SPHINX, f"--jobs={jobs}", f"--doctree-dir={tmp_path}/doctrees-{jobs}", f"{tmp_path}/{jobs}"],
            env=os.environ | {"PYTHONHASHSEED": jobs},
        )
        for jobs in ("1", "2")
    }
    assert [build.wait() for build in builds.values()] == [0, 0]
    first, second = (contents(tmp_path / jobs) for jobs in builds)
    assert first
    assert [name for name in sorted({*first, *second}) if first.get(name) != second.get(name)] == []


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a built site by its name."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_the_icon_font_holds_every_icon() -> None:
    sizes = {"fa-fw", "fa-lg", "fa-solid"}
    names = {name for page in PAGES for icon in soup(page).select(".fa-solid") for name in icon["class"]}
    icons = {name.removeprefix("fa-") for name in names - sizes if name.startswith("fa-")}
    assert icons
    assert icons - set(ICONS) == set(), "add them to ICONS in extensions/bundle.py"
    held = set(TTFont(HTML / "_static" / ICON_FONT).getBestCmap())
    own = re.findall(r'"\\(f[0-9a-f]{3})"', (ROOT / "_static" / "book.css").read_text(encoding="utf-8"))
    assert own
    assert held == set(ICONS.values()) >= {int(code, 16) for code in own}
