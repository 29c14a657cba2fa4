"""Has every cell of the comparison a sentence, a source and a day?"""

from __future__ import annotations

import re

import pytest

from proofs.api import chapter_of

chapter = chapter_of(__file__)
CELL = re.compile(r"[A-Za-z`].*\. \{cite\}`([\w-]+)`, \d{1,2} Nov")


@pytest.mark.parametrize("name", ["tab-what-they-are", "tab-what-they-do"])
def test_every_cell_of_the_comparison_has_a_sentence_a_source_and_a_day(name: str) -> None:
    page = chapter.page.read_text(encoding="utf-8")
    table = page[page.index(f":name: {name}") :]
    _, *rows = table[: table.index("```")].split("\n* - ")[1:]
    assert len(rows) == 7
    bibliography = (chapter.root / "source/references.bib").read_text(encoding="utf-8")
    for row in rows:
        _, *cells = row.strip().split("\n  - ")
        assert len(cells) == 2, row
        for cell in cells:
            found = CELL.fullmatch(cell)
            assert found, f"sentence, source and day wanted: {cell}"
            assert f"{{{found[1]}," in bibliography, cell
