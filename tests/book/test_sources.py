"""What every page of source/ must keep, checked without TeX and without a cluster."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from extensions.chapter_numbers import chapter_number
from proofs.listings import listing_files
from proofs.outline import IN_PART, PLANNED, STATES, WRITTEN, Chapter, load_outline
from tests.book.markdown import ALLOWED, fences

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "source"
PAGES = {page.relative_to(SOURCE).as_posix(): page for page in sorted(SOURCE.rglob("*.md"))}
OUTLINE = load_outline(SOURCE)
LISTINGS = set(listing_files(ROOT))
EDITION = tomllib.loads((ROOT / "edition.toml").read_text(encoding="utf-8"))
PINS = {version for version in EDITION["versions"].values() if version.startswith("v")}


def typed_code(page: str, text: str) -> list[str]:
    """Return a sentence for every block of a page that is not a directive of the book."""
    return [
        f"source/{page}:{fence.line}: code is typed here; move it to a file of examples/, and show that"
        if not fence.directive
        else f"source/{page}:{fence.line}: {{{fence.directive}}} is not used in this book"
        for fence in fences(text)
        if fence.directive not in ALLOWED and not (page == "index.md" and fence.directive == "raw")
    ]


def typed_versions(page: str, text: str) -> list[str]:
    """Return a sentence for every pinned version that a page spells out."""
    return [
        f"source/{page}:{number}: {version} is typed; write its name, as in {{{{ v_router }}}}"
        for number, line in enumerate(text.splitlines(), start=1)
        for version in PINS
        if re.search(rf"(?<![\w.]){re.escape(version)}(?!\w|\.\w)", line)
    ]


def names_in_code(page: str, text: str) -> list[str]:
    """Return a sentence for every name of a version in code face, where nothing takes its place."""
    return [
        f"source/{page}:{number}: `{code}` is printed as it is; take the name out of the code face"
        for number, line in enumerate(text.splitlines(), start=1)
        for code in line.split("`")[1::2]
        if "{{" in code
    ]


def placeholders(page: str, text: str) -> list[str]:
    """Return a sentence for every line that waits to be filled in."""
    return [
        f"source/{page}:{number}: {found[0]} is a place to be filled in"
        for number, line in enumerate(text.splitlines(), start=1)
        if (found := re.search(r"\bXXX[\w-]*|\bTODO\b|\bTBD\b|\bFIXME\b", line))
    ]


def shown(text: str) -> set[str]:
    """Return the listings that a page shows."""
    return {fence.argument for fence in fences(text) if fence.directive in {"listing", "transcript"}}


def unmet(chapter: Chapter, text: str) -> list[str]:
    """Return a sentence for every point of the outline that a page does not keep."""
    found = [
        f"source/{chapter.page}.md: no section is labelled ({topic.label})= for {topic.id}, {topic.title}"
        for topic in chapter.topics
        if topic.state in {WRITTEN, IN_PART} and f"({topic.label})=\n" not in text
    ]
    owes = any(topic.state in {PLANNED, IN_PART} for topic in chapter.topics)
    planned = {fence.argument for fence in fences(text) if fence.directive == "planned"}
    if owes and chapter.number not in planned:
        found.append(f"source/{chapter.page}.md: show what it still owes with {{planned}} {chapter.number}")
    return found


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
