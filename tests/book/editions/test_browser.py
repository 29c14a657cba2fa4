"""The HTML in a real browser: for every reader, on every screen, without the network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pdfplumber
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.book.editions.conftest import HTML
from tests.book.editions.site import served, transferred

CHAPTER = "part-1-foundation/02-installation-and-setup.html"
#: One page of every kind.
KINDS = {
    "home": "index.html",
    "chapter": CHAPTER,
    "chapter that is planned": "part-1-foundation/03-understanding-the-architecture.html",
    "verification record": "appendices/p-verification-record.html",
    "bibliography": "bibliography.html",
    "index": "genindex.html",
    "search": "search.html?q=endpoint+picker",
    "not found": "no/such/page.html",
}
MODES = ("light", "dark")
SCREENS = {"desktop": (1400, 900), "phone": (390, 844)}
VISITS = list(product(KINDS, MODES, SCREENS))
EVERY_VISIT = pytest.mark.parametrize("visit", VISITS, ids=" ".join, indirect=True)
#: A page, everything in it included, may ask for so much.
REQUESTS = 20
BYTES = 300_000

#: An icon is a character of the icon font before an empty element; without it, nothing shows.
ICONS_WITHOUT_SIGN = """[...document.querySelectorAll("[class*='fa-']")]
    .filter(icon => ["none", "normal"].includes(getComputedStyle(icon, "::before").content))
    .map(icon => icon.className)"""
CUT_OFF = """[...document.querySelectorAll("article pre, article table, article img")]
    .filter(element => element.scrollWidth > element.clientWidth + 1)
    .map(element => element.textContent.slice(0, 60))"""


@dataclass(frozen=True)
class Visit:
    """What was seen of a page: faults that axe names, addresses asked for, words on the console."""

    faults: list[str]
    requests: list[str]
    console: list[str]
    sideways: int
    bare_icons: list[str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is missing: sudo apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        # A container's root may not have the sandbox, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Return where the built pages are served."""
    if not (HTML / "index.html").exists():
        pytest.fail(f"{HTML} is not built: run `nox -s docs`")
    with served(HTML) as root:
        yield root


@pytest.fixture(scope="session")
def visitor(browser: Browser, address: str) -> Callable[[str, str, str], Visit]:
    """Return a function that visits a page of a kind once, for all tests of it."""
    return cache(lambda kind, mode, screen: _visit(browser, f"{address}{KINDS[kind]}", mode, screen))


@pytest.fixture
def visit(request: pytest.FixtureRequest, visitor: Callable[[str, str, str], Visit]) -> Visit:
    """Return what was seen of a page."""
    return visitor(*request.param)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a window as wide as a desktop's."""
    with browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context.new_page()


@EVERY_VISIT
def test_axe_finds_nothing(visit: Visit) -> None:
    assert visit.faults == []


@EVERY_VISIT
def test_no_request_leaves_the_site(visit: Visit, address: str) -> None:
    assert [request for request in visit.requests if not request.startswith((address, "data:"))] == []


@EVERY_VISIT
def test_the_browser_has_nothing_to_report(visit: Visit) -> None:
    assert visit.console == []


@EVERY_VISIT
def test_no_page_moves_sideways(visit: Visit) -> None:
    assert visit.sideways == 0


@EVERY_VISIT
def test_every_icon_has_its_sign(visit: Visit) -> None:
    assert visit.bare_icons == []


def test_a_chapter_is_light_enough(visitor: Callable[[str, str, str], Visit], address: str) -> None:
    requests = set(visitor("chapter", "light", "desktop").requests)
    files = {
        unquote(urlsplit(request).path).lstrip("/") for request in requests if request.startswith(address)
    }
    sizes = {name: transferred(HTML / name) for name in files}
    assert len(sizes) <= REQUESTS, sorted(sizes)
    assert sum(sizes.values()) <= BYTES, sorted(sizes.items(), key=lambda item: -item[1])


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
    page.wait_for_selector("ul.search li")
    assert "Installation and setup" in page.locator("ul.search").inner_text()


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


def _visit(browser: Browser, url: str, mode: str, screen: str) -> Visit:
    width, height = SCREENS[screen]
    with browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=mode, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        requests: list[str] = []
        console: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on(
            "console", lambda message: message.type in {"error", "warning"} and console.append(message.text)
        )
        page.on("pageerror", lambda error: console.append(str(error)))
        page.goto(url, wait_until="networkidle")
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(500)  # the theme measures blocks of code 300 ms after a change
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return Visit(
            faults=[
                f"{rule['id']}: {node['target']}: {node['html']}" for rule in found for node in rule["nodes"]
            ],
            requests=requests,
            console=console,
            sideways=page.evaluate("document.documentElement.scrollWidth - innerWidth"),
            bare_icons=page.evaluate(ICONS_WITHOUT_SIGN),
        )
