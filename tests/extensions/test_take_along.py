"""What a page of HTML gives to take along: all listings, its text, and what its stamps say."""

from __future__ import annotations

from collections.abc import Callable
from zipfile import ZipFile

import pytest

from extensions.markdown_twin import twin
from proofs.records import EVIDENCE, MEANING
from tests.extensions.conftest import Site, visible


@pytest.fixture
def shown(built: Callable[[str], Site]) -> Site:
    """Return a book with all kinds of listings, built as HTML."""
    return built("listings")


def test_the_archive_of_a_chapter_holds_its_folder_as_it_is(shown: Site) -> None:
    with ZipFile(shown.root / "html/_downloads/02-first.zip") as archive:
        names = archive.namelist()
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert archive.read("02-first/pool.yaml").decode() == shown.output("examples/02-first/pool.yaml")
    assert sorted(names) == names
    assert "02-first/refused/no-port.refusal" in names


def test_a_twin_holds_listing_caption_answer_and_stamp(shown: Site) -> None:
    page = shown.output("html/02-first.md")
    assert "Listing 2.1 A pool\n\n```yaml\n" in page
    assert shown.output("examples/02-first/pool.yaml").rstrip() in page
    assert "The API server answers\n\n```\n" in page
    assert "(p-verification-record.md)" in page
    assert "¶" not in page


def test_a_twin_quotes_a_box_and_keeps_the_source_of_a_formula() -> None:
    box = '<div class="admonition note"><p class="admonition-title">Note</p><p>Mind.</p><p>It.</p></div>'
    assert twin(box) == "> **Note**\n>\n> Mind.\n>\n> It.\n"
    assert twin('<p>At <math alttext="x &lt; y" display="inline"><mi>x</mi></math>.</p>') == "At $x < y$.\n"
    assert twin('<div><math alttext="x" display="block"><mi>x</mi></math></div>') == "$$x$$\n"


def test_a_twin_links_to_twins_and_leaves_links_to_other_sites_alone() -> None:
    page = '<p><a href="../a.html#b">A</a>, <a href="#c">C</a>, <a href="genindex.html">D</a></p>'
    assert twin(page) == "[A](../a.md), C, [D](genindex.html)\n"
    elsewhere = '<p><a href="https://x.org/d.html">D</a></p>'
    assert twin(elsewhere) == "[D](https://x.org/d.html)\n"


def test_llms_txt_names_each_page_with_its_number_and_sections(shown: Site) -> None:
    text = shown.output("html/llms.txt")
    assert text.startswith("# Small\n\n> ")
    assert "- [2. First](02-first.md)" in text


def test_the_legend_gives_every_word_of_a_stamp_its_meaning(site: Callable[[str], Site]) -> None:
    assert list(MEANING) == list(EVIDENCE)
    book = site("listings")
    book.edit("source/index.md", "book\n", "book\n\n```{stamp-legend}\n```\n")
    book.build()
    page = visible(book.output("html/index.html"))
    assert [words for words in EVIDENCE.values() if words not in page] == []
