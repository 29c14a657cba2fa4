"""The book's own boxes, and the box of what is still to be written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from extensions.callouts import TITLES
from tests.extensions.conftest import Site, visible


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the page of boxes."""
    return site("boxes")


@pytest.fixture
def shown(built: Callable[[str], Site]) -> Site:
    """Return the same book, built as HTML, to look at only."""
    return built("boxes")


@pytest.mark.parametrize("builder", ["html", "epub", "latex", "text"])
def test_every_edition_builds_without_a_warning(book: Site, builder: str) -> None:
    assert book.build(builder) == ""


@pytest.mark.parametrize(("kind", "title"), TITLES.items())
def test_a_box_has_its_title_and_its_class(shown: Site, kind: str, title: str) -> None:
    page = shown.output("html/index.html")
    assert f'<div class="{kind} admonition">\n<p class="admonition-title">{title}</p>' in page


def test_print_has_each_box_in_the_environment_of_its_kind(book: Site) -> None:
    book.build("latex")
    tex = book.output("latex/small.tex")
    for kind, title in TITLES.items():
        environment = rf"\begin{{sphinxuseclass}}{{{kind}}}"
        assert environment + "\n" + rf"\begin{{sphinxadmonition}}{{note}}{{{title}}}" in tex


def test_an_empty_box_is_reported(book: Site) -> None:
    book.edit("source/index.md", "A Route takes the place of an Ingress.\n", "")
    assert "openshift" in book.build("dummy")


def test_what_is_planned_is_listed_and_what_is_written_is_not(shown: Site) -> None:
    page = visible(shown.output("html/index.html"))
    assert page.count("Still to be written") == 1
    assert "2.2 Installation: OpenShift" in page
    assert "2.3 A first model" in page
    assert "2.1" not in page


def test_a_topic_that_is_written_leaves_the_box(book: Site) -> None:
    book.build()
    book.edit("source/outline.toml", 'model", state = "planned"', 'model", state = "written"')
    assert book.build() == ""
    assert "2.3" not in visible(book.output("html/index.html"))


def test_a_chapter_that_the_outline_lacks_is_reported(book: Site) -> None:
    book.edit("source/index.md", "{planned} 3", "{planned} 19")
    assert "outline.toml has no chapter or appendix '19'" in book.build("dummy")
