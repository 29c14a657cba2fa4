"""Grow a copy of the project to a book of full length, for the benchmark of its editions.

The chapter that is written takes the place of those that are not: its text, listings,
records and labels are repeated under other numbers, so that nothing occurs twice.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

from proofs.listings import slug_of
from proofs.outline import load_outline
from proofs.records import load_records, write_records

#: The chapter that is repeated; in print it takes 35 pages.
WRITTEN = "2"
FOLDER = "02-installation"
#: How many chapters of that length make 400 pages.
CHAPTERS = 12
LABEL = re.compile(r"^\((?P<before>[\w-]+)\)=$|^:(?:name|label): (?P<option>[\w-]+)$", re.MULTILINE)


def grow(project: Path) -> list[Path]:
    """Fill chapters of a copied project until it prints 400 pages; return all that are full."""
    outline = load_outline(project / "source")
    original = project / "source" / f"{outline.page(WRITTEN).page}.md"
    text = original.read_text(encoding="utf-8")
    records = load_records(project)
    grown = dict(records)
    others = [chapter for chapter in outline.chapters if chapter.number != WRITTEN][: CHAPTERS - 1]
    for chapter in others:
        folder = chapter.slug
        shutil.rmtree(project / "examples" / folder, ignore_errors=True)
        shutil.copytree(project / "examples" / FOLDER, project / "examples" / folder)
        grown = {listing: record for listing, record in grown.items() if slug_of(listing) != folder}
        grown |= {
            moved: replace(record, listing=moved, seal="")
            for listing, record in records.items()
            if (moved := listing.replace(FOLDER, folder)) != listing
        }
        page = project / "source" / f"{chapter.page}.md"
        page.write_text(repeated(text, folder, chapter.number), encoding="utf-8")
    write_records(project, grown)
    return [original, *(project / "source" / f"{chapter.page}.md" for chapter in others)]


def repeated(text: str, folder: str, number: str) -> str:
    """Return the text of a chapter with other listings and labels."""
    text = text.replace(FOLDER, folder).replace(f"{{planned}} {WRITTEN}", f"{{planned}} {number}")
    labels = {match["before"] or match["option"] for match in LABEL.finditer(text)}
    names = "|".join(sorted(map(re.escape, labels), key=len, reverse=True))
    return re.sub(rf"(?<![\w-])({names})(?![\w-])", rf"\1-again-{number}", text)
