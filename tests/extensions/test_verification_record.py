"""The directive {verification-record}: an entry for each listing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site, visible


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the small book with all kinds of listings."""
    return site("listings")


@pytest.fixture
def shown(built: Callable[[str], Site]) -> Site:
    """Return the same book, built as HTML, to look at only."""
    return built("listings")


def test_an_entry_says_what_was_proved_where_and_what_breaks_it(shown: Site) -> None:
    page = visible(shown.output("html/p-verification-record.html"))
    assert "P. Verification record" in page
    assert "P.1. Chapter 2: First" in page
    assert "Ran on kind · 2026-11-26 · Kubernetes v1.36.1 · router v0.7.1, configuration translated" in page
    assert "Ran on kind · 2026-11-25 · Kubernetes v1.36.1 · router v0.10.0" in page
    assert "Proved by test_it in tests/proofs/test_02_first.py" in page
    assert "8000 -> 8001: nothing listens there" in page


def test_print_has_a_line_per_listing_to_which_its_stamp_refers(book: Site) -> None:
    assert book.build("latex") == ""
    (text,) = (file.read_text() for file in (book.root / "latex").glob("small.tex"))
    table = text[text.index("longtable") :]
    assert re.search(r"pool\.yaml.*?Ran on kind.*?2026.*?1 / 1", table, re.DOTALL)
    assert "nothing listens there" not in text
    assert text.count("record-02-first-pool-yaml") > 1


def test_listings_are_counted_by_evidence(shown: Site) -> None:
    page = visible(shown.output("html/p-verification-record.html"))
    assert "Listings: 3, of them 2 “Ran on kind”, 1 “Refused, as printed”." in page


def test_a_book_without_proofs_says_so(book: Site) -> None:
    shutil.rmtree(book.root / "records")
    book.build()
    assert "No listing is proved yet." in book.output("html/p-verification-record.html")


def test_a_folder_that_is_no_chapters_is_named(book: Site) -> None:
    book.edit("source/outline.toml", 'page = "02-first"', 'page = "part/02-second"')
    assert "examples/02-first has the name of no page in source/outline.toml: rename it" in book.build()


def test_a_new_record_file_is_found(book: Site) -> None:
    book.build()
    (book.root / "examples" / "02-first" / "more.yaml").write_text("kind: Service\n", encoding="utf-8")
    book.prove()
    book.build()
    assert "examples/02-first/more.yaml" in book.output("html/p-verification-record.html")


def test_a_page_is_read_again_only_when_a_record_has_changed(book: Site) -> None:
    book.build()
    written = book.root / "html" / "p-verification-record.html"
    before = written.stat().st_mtime_ns
    book.build()
    assert written.stat().st_mtime_ns == before
    book.edit("records/02-first/pool.yaml.json", "8000 -> 8001", "8000 -> 8002")
    book.build()
    assert written.stat().st_mtime_ns > before
