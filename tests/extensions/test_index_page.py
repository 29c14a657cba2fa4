"""The page "Index" in a toctree: a link in HTML, and no fault in the other editions."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the small book whose last toctree names the index."""
    return site("numbers")


def test_html_links_to_the_index(built: Callable[[str], Site]) -> None:
    assert 'href="genindex.html">Index</a>' in built("numbers").output("html/index.html")


def test_latex_does_not_miss_a_file(book: Site) -> None:
    assert book.build("latex") == ""


def test_epub_has_the_index_once(book: Site) -> None:
    assert book.build("epub") == ""
    package = book.output("epub/content.opf")
    entry = re.search(r'<item id="([^"]+)" href="genindex.xhtml"', package)
    assert entry
    assert package.count(f'<itemref idref="{entry[1]}"') == 1
