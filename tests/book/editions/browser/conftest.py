"""A browser, and the built pages served to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.book.editions.conftest import HTML
from tests.book.editions.site import served

SCREENS = {"desktop": (1400, 900), "phone": (390, 844)}


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
    with served(HTML) as root:
        yield root


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a window as wide as a desktop's."""
    with browser.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        yield context.new_page()
