"""Diagrams: each has a drawing made from just this source, and every drawing is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from extensions import drawings
from extensions.drawings import drawings_below, drawings_of, size, sources
from tests.extensions.conftest import BOOKS, Site, visible
from tools.draw import NARROW_LIMITS

ROOT = Path(__file__).parents[2]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
NARROW = [drawings_of(source, root)[1] for root in BOOKS for source in sources(root)]
NO_DRAWING = "has no drawing in source/diagrams/, or changed after it was drawn: run `nox -s diagrams`."


def _draw(book: Site) -> None:
    (book.root / "source" / "diagrams").mkdir(exist_ok=True)
    for source in sources(book.root):
        for drawing in drawings_of(source, book.root):
            drawing.write_text(SVG, encoding="utf-8")


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
    assert re.search(r'<img alt="A client asks Envoy." class="drawing" src="_images/index-\w{12}.svg"', page)
    assert "Fig. 1 shows the path of a request." in visible(page)
    assert len(list((book.root / builder / "_images").glob("*.svg"))) == 2


def test_a_diagram_without_a_drawing_is_reported_where_it_stands(book: Site) -> None:
    for drawing in drawings_below(book.root):
        drawing.unlink()
    report = book.build()
    assert (
        "source/index.md:5: ERROR: The diagram that begins with 'flowchart LR\n  client --> envoy'" in report
    )
    assert report.count(NO_DRAWING) == 2


def test_a_drawing_of_another_source_is_stale(book: Site) -> None:
    assert book.build() == ""
    book.edit("source/index.md", "client --> envoy", "client ==> envoy")
    assert NO_DRAWING in book.build()


@pytest.mark.parametrize(("name", "value"), [("MERMAID", "0.0.1"), ("SETTINGS", Path(__file__))])
def test_a_drawing_of_another_look_is_stale(
    book: Site, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert book.build() == ""
    monkeypatch.setattr(drawings, name, value)
    (book.root / "source" / "index.md").touch()
    assert NO_DRAWING in book.build()


def test_a_diagram_drawn_after_a_failed_build_is_found(book: Site) -> None:
    book.edit("source/index.md", "client --> envoy", "client ==> envoy")
    assert NO_DRAWING in book.build()
    _draw(book)
    assert book.build() == ""


def test_a_diagram_needs_words(book: Site) -> None:
    book.edit("source/index.md", ":alt: A client asks Envoy.\n", "")
    report = book.build()
    assert "source/index.md:5: ERROR" in report
    assert "A diagram needs :alt:, for readers who do not see it." in report


def test_an_option_that_would_change_nothing_is_reported(book: Site) -> None:
    book.edit("source/index.md", ":alt: A client asks Envoy.\n", ":alt: A client asks Envoy.\n:title: Path\n")
    assert "source/index.md:8: WARNING: 'mermaid': Unknown option key: 'title'" in book.build()


def test_options_may_be_written_as_yaml(book: Site) -> None:
    book.edit(
        "source/index.md",
        ":alt: Envoy asks the endpoint picker.\n:caption: The choice\n",
        "---\nalt: Envoy asks the endpoint picker.\n---\n",
    )
    _draw(book)
    assert book.build() == ""
    assert 'alt="Envoy asks the endpoint picker."' in book.output("html/index.html")


@pytest.mark.parametrize("root", BOOKS, ids=lambda root: root.name)
def test_every_diagram_of_a_book_is_drawn_and_every_drawing_used(root: Path) -> None:
    expected = {drawing for source in sources(root) for drawing in drawings_of(source, root)}
    assert expected
    assert drawings_below(root) == expected, "run `nox -s diagrams`"


@pytest.mark.parametrize("drawing", NARROW)
def test_a_phone_shows_the_words_of_a_narrow_drawing_well(drawing: Path) -> None:
    width, height = size(drawing.read_text(encoding="utf-8"))
    assert (width <= NARROW_LIMITS[0], height <= NARROW_LIMITS[1]) == (True, True)


@pytest.mark.parametrize("drawing", [drawing for root in BOOKS for drawing in drawings_below(root)])
def test_a_drawing_is_fit_for_print_and_for_epub(drawing: Path) -> None:
    svg = drawing.read_text(encoding="utf-8")
    assert "foreignObject" not in svg
    # Its size is a question of `nox -s lint -- prose`, which names the page.
    assert re.match(r'<svg [^>]*width="(\d+)" height="(\d+)"', svg)
    labels = re.findall(r"<(?:text|tspan)\b[^>]*>", svg)
    assert labels
    assert all('xml:space="preserve"' in label for label in labels)
