"""Numbering needs no page that has not changed."""

from __future__ import annotations

from collections.abc import Callable

from tests.extensions.conftest import Site, visible


def test_a_build_after_an_edit_reads_only_the_pages_that_it_writes(site: Callable[[str], Site]) -> None:
    book = site("numbers")
    assert book.build() == ""
    unread = book.root / "doctrees-html" / "03-operate.doctree"
    unread.write_bytes(b"no page")
    book.edit("source/02-go-on.md", "# Go\n", "# Go further\n")
    assert book.build() == ""
    page = visible(book.output("html/02-go-on.html"))
    assert "2. Go further" in page
    assert "Table 3.1 is in Chapter 3" in page
    assert unread.read_bytes() == b"no page"
