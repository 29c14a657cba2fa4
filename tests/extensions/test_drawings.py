"""Diagrams: each has a drawing made from just this source, and every drawing is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from extensions.drawings import FOLDER, LIMITS, drawing_of, sources
from tests.extensions.conftest import Site, visible

ROOT = Path(__file__).parents[2]
DRAWINGS = sorted((ROOT / FOLDER).glob("*.svg"))
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
NO_DRAWING = "has no drawing in diagrams/, or changed after it was drawn: run `nox -s diagrams`."


def _draw(book: Site) -> None:
    for source in sources(book.root / "source"):
        drawing_of(source, book.root / FOLDER).write_text(SVG, encoding="utf-8")


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return a page with two diagrams, drawn."""
    book = site("drawings")
    _draw(book)
    return book


@pytest.mark.parametrize("builder", ["html", "epub"])
def test_a_diagram_becomes_a_figure_with_its_drawing(book: Site, builder: str) -> None:
    assert book.build(builder) == ""
    page = book.output(f"{builder}/index.{'xhtml' if builder == 'epub' else 'html'}")
    assert re.search(r'<img alt="A client asks Envoy." src="_images/index-[0-9a-f]{12}.svg"', page)
    assert "Fig. 1 shows the path of a request." in visible(page)
    assert len(list((book.root / builder / "_images").glob("*.svg"))) == 2


def test_a_diagram_without_a_drawing_is_reported_where_it_stands(book: Site) -> None:
    for drawing in (book.root / FOLDER).glob("*.svg"):
        drawing.unlink()
    report = book.build()
    assert (
        "source/index.md:5: ERROR: The diagram that begins with 'flowchart LR\n  client --> envoy'" in report
    )
    assert report.count(NO_DRAWING) == 2


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [("source/index.md", "client --> envoy", "client ==> envoy"), (f"{FOLDER}/mermaid.json", "base", "dark")],
)
def test_a_drawing_of_another_source_or_look_is_stale(book: Site, path: str, old: str, new: str) -> None:
    assert book.build() == ""
    book.edit(path, old, new)
    (book.root / "source" / "index.md").touch()
    assert NO_DRAWING in book.build()


def test_a_diagram_drawn_after_a_failed_build_is_found(book: Site) -> None:
    book.edit("source/index.md", "client --> envoy", "client ==> envoy")
    assert NO_DRAWING in book.build()
    _draw(book)
    assert book.build() == ""


@pytest.mark.parametrize("option", ["alt", "caption"])
def test_a_diagram_needs_words(book: Site, option: str) -> None:
    text = (book.root / "source" / "index.md").read_text(encoding="utf-8")
    line = re.search(rf"^:{option}:.*\n", text, re.MULTILINE)
    assert line
    book.edit("source/index.md", line[0], "")
    assert f"A diagram needs :{option}:, for readers who do not see it." in book.build()


def test_every_diagram_of_the_book_is_drawn_and_every_drawing_used() -> None:
    expected = {drawing_of(source, ROOT / FOLDER) for source in sources(ROOT / "source")}
    assert set(DRAWINGS) == expected, "run `nox -s diagrams`"


def test_every_drawing_is_fit_for_print_and_for_epub() -> None:
    for drawing in DRAWINGS:
        svg = drawing.read_text(encoding="utf-8")
        assert "foreignObject" not in svg
        size = re.match(r'<svg [^>]*width="(\d+)" height="(\d+)"', svg)
        assert size, drawing.name
        assert int(size[1]) <= LIMITS[0], drawing.name
        assert int(size[2]) <= LIMITS[1], drawing.name
        labels = re.findall(r"<(?:text|tspan)\b[^>]*>", svg)
        assert labels, drawing.name
        assert all('xml:space="preserve"' in label for label in labels), drawing.name
