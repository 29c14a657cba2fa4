"""What every page of source/ must keep, checked without TeX and without a cluster."""

from __future__ import annotations

import pytest

from extensions.chapter_numbers import chapter_number
from proofs.outline import IN_PART, STATES, Chapter
from tests.book.pages import (
    LISTINGS,
    OUTLINE,
    PAGES,
    names_in_code,
    placeholders,
    shown,
    typed_code,
    typed_versions,
    unmet,
)


@pytest.mark.parametrize("page", PAGES)
def test_no_code_is_typed_in_a_page(page: str) -> None:
    found = typed_code(page, PAGES[page].read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_no_pinned_version_is_typed_in_a_page(page: str) -> None:
    found = typed_versions(page, PAGES[page].read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_no_name_of_a_version_stands_in_code(page: str) -> None:
    found = names_in_code(page, PAGES[page].read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_leaves_nothing_to_be_filled_in(page: str) -> None:
    found = placeholders(page, PAGES[page].read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_listing_that_a_page_names_exists(page: str) -> None:
    missing = shown(PAGES[page].read_text(encoding="utf-8")) - LISTINGS
    assert not missing, f"source/{page} names files that examples/ does not hold: {sorted(missing)}"


def test_every_listing_is_shown_on_a_page() -> None:
    unseen = LISTINGS.difference(*(shown(page.read_text(encoding="utf-8")) for page in PAGES.values()))
    assert not unseen, f"examples/ holds listings that no page shows: {sorted(unseen)}"


def test_the_outline_holds_all_points_once() -> None:
    topics = [topic for page in OUTLINE.pages for topic in page.topics]
    assert len(OUTLINE.chapters) == 18
    assert len([topic for chapter in OUTLINE.chapters for topic in chapter.topics]) == 107
    assert len([topic for appendix in OUTLINE.appendices for topic in appendix.topics]) == 15
    assert len(OUTLINE.requirements) == 17
    assert len({topic.id for topic in (*topics, *OUTLINE.requirements)}) == 139


def test_every_point_has_a_state_and_half_a_point_says_which_half() -> None:
    topics = [*(topic for page in OUTLINE.pages for topic in page.topics), *OUTLINE.requirements]
    assert {topic.state for topic in topics} <= set(STATES)
    assert [topic.id for topic in topics if bool(topic.planned) != (topic.state == IN_PART)] == []


@pytest.mark.parametrize("chapter", OUTLINE.pages, ids=lambda chapter: chapter.number)
def test_a_page_is_what_the_outline_says(chapter: Chapter) -> None:
    text = PAGES[f"{chapter.page}.md"].read_text(encoding="utf-8")
    assert str(chapter_number(chapter.page)) == chapter.number
    assert f"# {chapter.title}\n" in text
    found = unmet(chapter, text)
    assert not found, "\n".join(found)
