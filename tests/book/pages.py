"""What the pages of the book are, and what is wrong with one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from proofs.listings import listing_files
from proofs.outline import IN_PART, PLANNED, WRITTEN, Chapter, load_outline
from tools.markdown import ALLOWED, fences

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
    return {
        fence.argument for fence in fences(text) if fence.directive in {"listing", "screenshot", "transcript"}
    }


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
