"""The contract of the book, `source/outline.toml`: its points, and how far each is written."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

FILE = "outline.toml"
WRITTEN, IN_PART, PLANNED = STATES = ("written", "in part", "planned")


@dataclass(frozen=True)
class Topic:
    """One point of the outline; `planned` says what an "in part" still lacks."""

    id: str
    title: str
    state: str
    planned: str = ""

    @property
    def label(self) -> str:
        """Return the label of the section that answers the point."""
        return f"topic-{self.id.replace('.', '-')}"


@dataclass(frozen=True)
class Chapter:
    """A chapter or an appendix; `number` is "2" or "A", `page` its document name, `budget` in printed pages.

    The last part of `page`, the slug, also names its folders in examples/, tests/proofs/
    and records/.
    """

    number: str
    title: str
    page: str
    topics: tuple[Topic, ...]
    budget: int = 0

    @property
    def slug(self) -> str:
        """Return the name that the chapter has everywhere."""
        return PurePosixPath(self.page).name

    @property
    def state(self) -> str:
        """Return how far the chapter is written, from its topics."""
        states = {topic.state for topic in self.topics}
        return states.pop() if len(states) == 1 else IN_PART


@dataclass(frozen=True)
class Outline:
    """The whole contract; `parts` has what each is about, `requirements` hold for no page but the book."""

    parts: Mapping[str, str]
    chapters: tuple[Chapter, ...]
    appendices: tuple[Chapter, ...]
    requirements: tuple[Topic, ...]

    @property
    def pages(self) -> tuple[Chapter, ...]:
        """Return chapters and appendices, in order."""
        return self.chapters + self.appendices

    def page(self, number: str) -> Chapter:
        """Return the chapter or appendix of a number; raise KeyError with a sentence."""
        for page in self.pages:
            if page.number == number:
                return page
        message = f"{FILE} has no chapter or appendix {number!r}"
        raise KeyError(message)

    def chapter(self, slug: str) -> Chapter:
        """Return the chapter or appendix of a slug; raise KeyError with a sentence."""
        found = {page.slug: page for page in self.pages}
        if slug not in found:
            near = get_close_matches(slug, found, n=1) or [", ".join(found)]
            message = f"source/{FILE} has no chapter {slug!r}; did you mean {near[0]}?"
            raise KeyError(message)
        return found[slug]

    def chapters_by_state(self) -> Mapping[str, int]:
        """Return how many chapters are written, written in part, and planned."""
        counts = Counter(chapter.state for chapter in self.chapters)
        return {state: counts[state] for state in STATES}


def load_outline(source: Path) -> Outline:
    """Return the contract kept in a folder of chapters."""
    data = tomllib.loads((source / FILE).read_text(encoding="utf-8"))
    return Outline(
        parts={part["title"]: part.get("about", "") for part in data["parts"]},
        chapters=tuple(_chapter(entry) for part in data["parts"] for entry in part["chapters"]),
        appendices=tuple(_chapter(entry) for entry in data["appendices"]),
        requirements=tuple(Topic(**topic) for group in data["requirements"] for topic in group["topics"]),
    )


def _chapter(entry: Mapping[str, Any]) -> Chapter:
    return Chapter(**{**entry, "topics": tuple(Topic(**topic) for topic in entry["topics"])})
