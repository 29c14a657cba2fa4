"""Every page in a real browser: for every reader, on every screen, in light and dark, without the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.book.editions.browser.conftest import SCREENS
from tests.book.editions.conftest import BOOK, HTML, ROOT
from tests.book.editions.site import transferred

pytestmark = pytest.mark.browser

#: One page of every kind that the book has, and all pages of a small book.
KINDS = (
    {
        "home": "index.html",
        "chapter": "part-1-foundation/02-installation.html",
        "chapter with plots": "part-1-foundation/01-introduction.html",
        "chapter of diagrams": "part-1-foundation/03-architecture.html",
        "chapter that is planned": "part-2-personas-and-workflows/04-data-scientist.html",
        "verification record": "appendices/p-verification-record.html",
        "bibliography": "bibliography.html",
        "index": "genindex.html",
        "search": "search.html?q=endpoint+picker",
        "not found": "no/such/page.html",
    }
    if BOOK == ROOT
    else {page.stem: page.name for page in sorted(HTML.glob("*.html"))}
)
FILES = [kind for kind, page in KINDS.items() if (HTML / page).exists()]
if not FILES:
    pytest.fail(f"{HTML} is not built: run `nox -s docs kitchen_sink`", pytrace=False)
Mode = Literal["light", "dark"]
MODES: tuple[Mode, ...] = ("light", "dark")
VISITS = list(product(KINDS, MODES, SCREENS))
EVERY_VISIT = pytest.mark.parametrize("visit", VISITS, ids=" ".join, indirect=True)
#: A page, everything in it included, may ask for so much. Of the bytes, 75,000 are style sheets, most of
#: them the theme's, which are not taken apart, 155,000 are nine faces, and the longest chapter is 49,000.
REQUESTS = 20
BYTES = 330_000

#: An icon is a character of the icon font before an empty element; without it, nothing shows.
ICONS_WITHOUT_SIGN = """[...document.querySelectorAll("[class*='fa-']")]
    .filter(icon => ["none", "normal"].includes(getComputedStyle(icon, "::before").content))
    .map(icon => icon.className)"""


@dataclass(frozen=True)
class Visit:
    """What was seen of a page: faults that axe names, addresses asked for, words on the console."""

    faults: list[str]
    requests: list[str]
    console: list[str]
    sideways: int
    bare_icons: list[str]


@pytest.fixture(scope="session")
def visitor(browser: Browser, address: str) -> Callable[[str, Mode, str], Visit]:
    """Return a function that visits a page of a kind once, for all tests of it."""
    return cache(lambda kind, mode, screen: _visit(browser, f"{address}{KINDS[kind]}", mode, screen))


@pytest.fixture
def visit(request: pytest.FixtureRequest, visitor: Callable[[str, Mode, str], Visit]) -> Visit:
    """Return what was seen of a page."""
    return visitor(*request.param)


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


@pytest.mark.parametrize("kind", FILES)
def test_a_page_is_light_enough(kind: str, visitor: Callable[[str, Mode, str], Visit], address: str) -> None:
    requests = set(visitor(kind, "light", "desktop").requests)
    files = {
        unquote(urlsplit(request).path).lstrip("/") for request in requests if request.startswith(address)
    }
    sizes = {name: transferred(HTML / name) for name in files}
    assert len(sizes) <= REQUESTS, sorted(sizes)
    assert sum(sizes.values()) <= BYTES, sorted(sizes.items(), key=lambda item: -item[1])


def _visit(browser: Browser, url: str, mode: Mode, screen: str) -> Visit:
    width, height = SCREENS[screen]
    with browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=mode, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        requests: list[str] = []
        console: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on(
            "console",
            lambda message: console.extend([message.text] if message.type in {"error", "warning"} else ()),
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
