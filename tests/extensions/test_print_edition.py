"""What print needs: tables that break, answers that keep their line, messages that name a line."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.extensions.conftest import Site

ROW = "* - cell\n  - cell\n"
TABLE = "```{list-table} A table\n:widths: 1 2\n\n%s```\n"


@pytest.fixture
def book(site: Callable[[str], Site]) -> Site:
    """Return the book of listings with a long and a short table in its text and a long one in a box."""
    book = site("listings")
    chapter = book.root / "source" / "02-first.md"
    long, short = TABLE % (20 * ROW), TABLE % ROW
    boxed = f"::::{{note}}\nWords.\n\n{long}::::\n"
    chapter.write_text(chapter.read_text(encoding="utf-8") + f"\n{long}\n{short}\n{boxed}", encoding="utf-8")
    assert book.build("latex") == ""
    return book


def test_only_a_long_table_outside_of_boxes_may_run_over_the_page(book: Site) -> None:
    tex = book.output("latex/small.tex").partition("Verification record")[0]
    box = tex[tex.index(r"\begin{sphinxadmonition}") : tex.index(r"\end{sphinxadmonition}")]
    assert tex.count(r"\begin{longtable}") == 1
    assert r"\begin{longtable}" not in box
    assert r"\begin{tabular" in box
    assert tex.count(r"\begin{tabular") == 2


def test_the_line_over_an_answer_has_an_environment(book: Site) -> None:
    tex = book.output("latex/small.tex")
    assert re.search(r"\\begin\{bookanswer\}\s+\\sphinxAtStartPar\s+The API server answers", tex)


def test_each_block_is_preceded_by_its_place_in_the_sources(book: Site) -> None:
    lines = (book.root / "source" / "02-first.md").read_text(encoding="utf-8").splitlines()
    tex = book.output("latex/small.tex")
    line = lines.index("```{list-table} A table") + 1
    assert tex.index(f"% source/02-first.md:{line}\n") < tex.index(r"\begin{longtable}")


def test_labels_stay_next_to_what_they_name(book: Site) -> None:
    chapter = book.root / "source" / "02-first.md"
    below = (
        f"\n## Above\n\nWords.\n\n### Below\n\nWords.\n\n(labelled)=\n## After what is below\n\n{TABLE % ROW}"
    )
    chapter.write_text(chapter.read_text(encoding="utf-8") + below, encoding="utf-8")
    assert book.build("latex") == ""
    tex = book.output("latex/small.tex")
    labels = re.findall(r"\\label\{\\detokenize\{([^}]*)\}\}", tex)
    assert labels
    assert len(labels) == len(set(labels))


def test_a_page_is_given_for_what_is_not_in_view(book: Site) -> None:
    chapter = book.root / "source" / "02-first.md"
    far = "A line.\n\n" * 50
    text = f"\nNear ends. {{ref}}`here <spot>`\n\n(spot)=\n## Spot\n\n{far}Far off: {{ref}}`there <spot>`\n"
    chapter.write_text(chapter.read_text(encoding="utf-8") + text, encoding="utf-8")
    assert book.build("latex") == ""
    tex = book.output("latex/small.tex")
    assert re.search(r"Near ends\. \\booknear\{\}\{\\hyperref\[.*?spot\}", tex)
    assert re.search(r"Far off: \{\\hyperref\[.*?spot\}", tex)


def test_short_code_of_several_words_stays_on_a_line_but_not_in_headings_and_columns(book: Site) -> None:
    chapter = book.root / "source" / "02-first.md"
    code, long = "`maxUnavailable: 1`", "`kubectl get inferencepools`"
    table = (TABLE % ROW).replace("cell", code, 1)
    text = f"\n## With {code}\n\nText, {code}, {long}.\n\n{table}"
    chapter.write_text(chapter.read_text(encoding="utf-8") + text, encoding="utf-8")
    assert book.build("latex") == ""
    tex = book.output("latex/small.tex")
    assert tex.count(r"\mbox{") == 1
    assert r"Text, \mbox{\sphinxcode{\sphinxupquote{maxUnavailable: 1}}}" in tex
