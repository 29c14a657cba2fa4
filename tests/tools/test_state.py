"""The line of the README that says how far the book is."""

from __future__ import annotations

import pytest

from proofs.outline import Chapter, Outline, Topic
from proofs.records import Record
from tools.state import state_line, with_state

OUTLINE = Outline(
    parts={},
    chapters=(
        Chapter("1", "One", "01-one", (Topic("1.1", "A", "written"),)),
        Chapter("2", "Two", "02-two", (Topic("2.1", "A", "written"), Topic("2.2", "B", "planned"))),
        Chapter("3", "Three", "03-three", (Topic("3.1", "A", "planned"),)),
        Chapter("4", "Four", "04-four", (Topic("4.1", "A", "planned"),)),
    ),
    appendices=(),
    requirements=(),
)


def record(evidence: str, date: str) -> Record:
    """Return a record of some listing."""
    return Record("a.yaml", "", evidence, {}, (), ({"date": date},))


def test_the_line_counts_chapters_and_listings() -> None:
    records = [record("refused", "2026-11-24"), record("ran", "2026-11-25"), record("ran", "2026-11-23")]
    assert state_line(OUTLINE, records) == (
        "Chapters: 1 written, 1 in part, 2 planned. "
        "Listings: 3, of them 2 “Ran on kind”, 1 “Refused, as printed”; last proof 2026-11-25."
    )


def test_without_records_it_says_that_nothing_is_proved() -> None:
    assert state_line(OUTLINE, []).endswith("Listings proved: none yet.")


def test_the_line_takes_the_place_of_the_old_one_and_of_nothing_else() -> None:
    readme = "# Book\n\n<!-- state -->\nold\n<!-- /state -->\n\nEnd.\n"
    assert with_state(readme, r"new \1") == "# Book\n\n<!-- state -->\nnew \\1\n<!-- /state -->\n\nEnd.\n"


def test_a_readme_without_markers_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="needs the lines <!-- state --> and <!-- /state -->"):
        with_state("# Book\n", "new")
