"""Chapters keep the numbers of their file names, across parts and in every place."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site, visible


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the small book in parts."""
    return site("numbers")


@pytest.fixture
def shown(built: Callable[[str], Site]) -> Site:
    """Return the same book, built as HTML, to look at only."""
    return built("numbers")


def test_a_chapter_of_the_second_part_goes_on_counting(shown: Site) -> None:
    page = visible(shown.output("html/03-operate.html"))
    assert "3. Operate" in page
    assert "3.1. A section of 03-operate" in page
    assert "Table 3.1" in page


def test_an_appendix_has_the_letter_of_its_file(shown: Site) -> None:
    page = visible(shown.output("html/p-proofs.html"))
    assert "P. Proofs" in page
    assert "P.1. A section of p-proofs" in page
    assert "Table P.1" in page


def test_tables_of_contents_and_references_agree(shown: Site) -> None:
    home = visible(shown.output("html/index.html"))
    for entry in ("1. Begin", "2. Go", "3. Operate", "3.1. A section", "P. Proofs"):
        assert entry in home
    assert "Table 3.1" in visible(shown.output("html/02-go-on.html"))


def test_a_reference_says_what_it_leads_to(shown: Site, book: Site) -> None:
    sentence = "Table 3.1 is in Chapter 3, after Section 1.1; Appendix P proves it."
    assert sentence in visible(shown.output("html/02-go-on.html"))
    assert book.build("latex") == ""
    for word in ("Chapter", "Section", "Appendix"):
        assert re.search(rf"{word} \\ref", book.output("latex/small.tex"))


def test_a_page_outside_the_numbered_parts_has_no_number(shown: Site) -> None:
    assert "<h1>Books" in shown.output("html/bibliography.html")


def test_a_second_build_writes_nothing_again(book: Site) -> None:
    book.build()
    page = book.root / "html" / "03-operate.html"
    written = page.stat().st_mtime_ns
    book.edit("source/01-begin.md", "# Begin", "# Begin here")
    book.build()
    assert page.stat().st_mtime_ns == written


def test_epub_has_the_same_numbers(book: Site) -> None:
    assert book.build("epub") == ""
    assert "3.1. A section of 03-operate" in visible(book.output("epub/03-operate.xhtml"))


def test_pages_are_read_in_parallel_to_the_same_end(book: Site) -> None:
    assert book.build(processes=2) == ""
    assert "P.1. A section of p-proofs" in visible(book.output("html/p-proofs.html"))
