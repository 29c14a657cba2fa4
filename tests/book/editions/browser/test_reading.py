"""The book in a real browser, as its readers use it: from a file, without scripts, on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pdfplumber
import pytest
from playwright.sync_api import Browser, Page

from tests.book.editions.browser.conftest import SCREENS
from tests.book.editions.conftest import HTML

pytestmark = pytest.mark.browser

CHAPTER = "part-1-foundation/02-installation.html"
CUT_OFF = """[...document.querySelectorAll("article pre, article table, article img")]
    .filter(element => element.scrollWidth > element.clientWidth + 1)
    .map(element => element.textContent.slice(0, 60))"""


def test_a_chapter_is_read_from_the_file_system(page: Page) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.goto((HTML / CHAPTER).as_uri(), wait_until="networkidle")
    assert failed == []
    assert page.evaluate("document.fonts.check('1em \"Book Serif\"')")


def test_the_search_finds_pages_from_the_file_system(page: Page) -> None:
    page.goto((HTML / "index.html").as_uri())
    page.keyboard.press("Control+K")
    page.locator("#pst-search-dialog input").fill("endpoint picker")
    page.keyboard.press("Enter")
    page.locator("ul.search li", has_text="Installation and setup").first.wait_for()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_chapter_is_read_without_scripts(screen: str, browser: Browser, address: str) -> None:
    width, height = SCREENS[screen]
    with browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": height}
    ) as context:
        page = context.new_page()
        page.goto(f"{address}{CHAPTER}")
        for part in ("h1", "div.listing pre", "p.stamp", "figure img", ".bd-links a", "a.right-next"):
            assert page.locator(f"{part}:visible").count(), f"{part} is not seen"
        assert page.locator("button:visible").all_inner_texts() == [], "buttons that do nothing"


def test_the_search_names_the_sections_that_hold_the_words(page: Page, address: str) -> None:
    page.goto(f"{address}/search.html?q=sidecar")
    links = page.locator("p.sections-found a")
    links.first.wait_for()
    assert "" not in links.all_inner_texts()
    links.first.click()
    assert "sidecar" in page.locator("section:target").inner_text().lower()


def test_the_copy_button_leaves_the_prompt_out(page: Page, address: str) -> None:
    page.goto(f"{address}{CHAPTER}")
    box = page.locator("div.transcript").first
    lines = re.findall(r"^\$ (.*)", box.locator("pre").inner_text(), re.MULTILINE)
    box.hover()
    box.locator("button.copybtn").click()
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == lines
    assert lines


def test_dark_mode_is_chosen_and_kept(page: Page, address: str) -> None:
    page.goto(address)
    page.locator(".theme-switch-button").click()
    page.locator("button[data-mode=dark]").click()
    page.goto(f"{address}{CHAPTER}")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_contents_open_on_a_phone(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{address}{CHAPTER}")
        page.locator(".primary-toggle").click()
        page.locator("#pst-primary-sidebar-modal a", has_text="The SRE perspective").click()
        assert page.locator("h1:visible").inner_text().startswith("5. The SRE perspective")


def test_a_phone_shows_the_whole_of_narrow_drawings(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{address}{CHAPTER}")
        drawings = page.locator("figure img.drawing")
        for drawing in drawings.all():
            drawing.scroll_into_view_if_needed()  # where it is fetched
        page.wait_for_load_state("networkidle")
        shown = drawings.evaluate_all("all => all.map(one => [one.currentSrc, one.width])")
        assert shown
        assert [one for one in shown if not one[0].endswith("-narrow.svg") or one[1] > 390] == []


def test_a_chapter_is_printed_whole_and_alone(page: Page, address: str) -> None:
    page.goto(f"{address}{CHAPTER}")
    page.set_viewport_size({"width": 700, "height": 1000})  # as wide as paper
    page.emulate_media(media="print")
    assert page.evaluate(CUT_OFF) == []
    assert page.locator("nav:visible, button:visible, form:visible").count() == 0
    assert page.locator("h1:visible").count() == 1


def test_a_page_in_dark_mode_is_printed_dark_on_white(page: Page, address: str, tmp_path: Path) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(address)
    page.pdf(path=tmp_path / "home.pdf", format="A4")
    with pdfplumber.open(tmp_path / "home.pdf") as paper:
        colours = {letter["non_stroking_color"] for sheet in paper.pages for letter in sheet.chars}
    assert colours
    assert [colour for colour in colours if max(colour) > 0.7] == []
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
