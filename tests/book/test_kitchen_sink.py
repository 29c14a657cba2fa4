"""The kitchen sink shows every element that a chapter may use, or the look of one is not tested."""

from __future__ import annotations

from proofs.listings import is_refused, listing_files
from proofs.outline import load_outline
from proofs.records import EVIDENCE, faults, load_records
from tests.book.kitchen_sink.prove import SITE, records
from tests.book.pages import shown
from tools.markdown import ALLOWED, REFERENCE, fences

PAGES = [page.read_text(encoding="utf-8") for page in sorted((SITE / "source").glob("*.md"))]
LISTINGS = listing_files(SITE)


def test_it_uses_every_directive_that_a_chapter_may_use() -> None:
    used = {fence.directive for page in PAGES for fence in fences(page)}
    owed = ALLOWED - REFERENCE  # these pages have a small book of their own (test_reference.py)
    assert used >= owed, f"show in the kitchen sink: {sorted(owed - used)}"


def test_it_shows_each_of_its_listings_and_both_kinds() -> None:
    assert set().union(*map(shown, PAGES)) == set(LISTINGS)
    assert {is_refused(listing) for listing in LISTINGS} == {True, False}
    assert any(listing.endswith(".console") for listing in LISTINGS)


def test_it_has_a_stamp_of_each_kind() -> None:
    assert {record.evidence for record in load_records(SITE).values()} == set(EVIDENCE)


def test_its_records_are_those_that_are_pretended() -> None:
    assert faults(SITE) == [], "run `python -m tests.book.kitchen_sink.prove`"
    found = load_records(SITE)
    for listing, record in records().items():
        assert found[listing].environments == record.environments, listing
        assert found[listing].evidence == record.evidence, listing


def test_its_chapters_are_those_of_its_outline() -> None:
    for chapter in load_outline(SITE / "source").pages:
        assert (SITE / "source" / f"{chapter.page}.md").exists()
