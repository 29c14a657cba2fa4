"""Grow a copy of the project to the proofs of a whole book, for the benchmark of the proofs.

Each chapter with its listings, page and proofs is repeated under other numbers until there
are as many listings and proofs as the book is planned to have, in today's mix.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from proofs.claims import claims_of_project
from proofs.listings import listing_files
from proofs.outline import load_outline

#: What the whole book is planned to have.
LISTINGS, PROOFS = 450, 260
#: What a session of proofs reads, besides the lab and the harness.
READ_BY_PROOFS = ("edition.toml", "examples", "pyproject.toml", "records", "requirements", "source", "tests")
#: Proofs about all listings of the book: not true of one that repeats them.
ABOUT_THE_BOOK = ("test_old_names.py",)
#: Numbers of the copies of chapters lie so far apart.
STEP = 20
ENTRY = """
[[parts.chapters]]
number = "{number}"
title = "Chapter {number}"
page = "{page}"
topics = []
"""


def grow(project: Path, copy: Path) -> tuple[int, int]:
    """Copy a project into an empty folder and repeat its chapters; return its listings and proofs."""
    for name in READ_BY_PROOFS:
        origin = project / name
        (shutil.copytree if origin.is_dir() else shutil.copy2)(origin, copy / name)
    for name in ABOUT_THE_BOOK:
        for file in (copy / "tests/proofs").glob(f"*/{name}"):
            file.unlink()
    slugs = sorted(folder.name for folder in (copy / "tests/proofs").glob("[0-9]*/"))
    claims = claims_of_project(project)
    proofs = {slug: sum(f"/{slug}/" in test for test in claims) for slug in slugs}
    listings = {slug: sum(name.startswith(slug) for name in listing_files(copy)) for slug in slugs}
    there = [sum(listings.values()), sum(proofs.values())]
    turn = 0
    while there[0] < LISTINGS or there[1] < PROOFS:
        slug = slugs[turn % len(slugs)]
        _repeat(copy, slug, STEP * (1 + turn // len(slugs)))
        there = [there[0] + listings[slug], there[1] + proofs[slug]]
        turn += 1
    return there[0], there[1]


def _repeat(copy: Path, slug: str, step: int) -> None:
    """Repeat a chapter under a number that is `step` higher."""
    number = int(slug[:2]) + step
    other = f"{number}{slug[2:]}"
    page = load_outline(copy / "source").chapter(slug).page
    for folder in ("examples", "tests/proofs"):
        shutil.copytree(copy / folder / slug, copy / folder / other)
    text = (copy / "source" / f"{page}.md").read_text(encoding="utf-8")
    new = page.replace(slug, other)
    (copy / "source" / f"{new}.md").write_text(text, encoding="utf-8")
    outline = copy / "source" / "outline.toml"
    parts, begin, appendices = outline.read_text(encoding="utf-8").partition("\n[[appendices]]")
    entry = ENTRY.format(number=number, page=new)
    outline.write_text(f"{parts}{entry}{begin}{appendices}", encoding="utf-8")
