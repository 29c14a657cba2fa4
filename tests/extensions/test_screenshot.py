"""The directive {screenshot}: a numbered figure with the stamp of its proof, in each edition."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site, visible

CHAPTER = "source/02-first.md"
STAMP = "examples/02-first/queue.png · Ran on kind · 2026-11-25"


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return a page with a picture that a proof took."""
    return site("screenshots")


@pytest.mark.parametrize("builder", ["html", "epub"])
def test_a_picture_is_a_figure_with_its_stamp(book: Site, builder: str) -> None:
    assert book.build(builder) == ""
    page = book.output(f"{builder}/02-first.{'xhtml' if builder == 'epub' else 'html'}")
    assert 'alt="The queue rises to forty, and falls."' in page
    assert "Fig. 2.1 The queue of a day" in visible(page)
    assert "Fig. 2.1 shows the queue." in visible(page)
    assert STAMP in visible(page)


def test_in_print_the_stamp_floats_with_its_picture(book: Site) -> None:
    assert book.build("latex") == ""
    (text,) = (file.read_text() for file in (book.root / "latex").glob("small.tex"))
    figure = text[text.index(r"\begin{figure}") : text.index(r"\end{figure}")]
    assert r"\bookstamp" in figure
    assert "queue.png" in figure


def test_a_picture_that_nothing_proves_is_named_with_the_command(book: Site) -> None:
    (book.root / "examples/02-first/queue.png").write_bytes(b"another picture")
    report = book.build()
    assert "02-first.md:5: WARNING: examples/02-first/queue.png" in report
    assert "--record" in report


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("alt", ":alt: The queue rises to forty, and falls.\n"),
        ("caption", ":caption: The queue of a day\n"),
    ],
)
def test_a_picture_without_words_is_refused(book: Site, option: str, line: str) -> None:
    book.edit(CHAPTER, line, "")
    sentence = f"02-first.md:5: ERROR: {{screenshot}} 02-first/queue.png has no `:{option}:`"
    assert sentence in book.build()
