"""Has every cell of the comparison a source and a date, and does the page print these cells?"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from proofs.api import Mutant, Proof, chapter_of, proves
from tests.programs import refusal

chapter = chapter_of(__file__)


@proves(
    chapter["platforms.toml"],
    chapter["platforms.py"],
    evidence="computed",
    mutants=[
        Mutant(
            chapter["platforms.toml"],
            '"yes, by llm-d", "kserve-tutorials"',
            '"yes, by llm-d", ""',
            because="no source",
        ),
        Mutant(
            chapter["platforms.toml"],
            '"as a tutorial", "production-stack-pd", 2026-11-26',
            '"as a tutorial", "production-stack-pd"',
            because="no date",
        ),
        Mutant(chapter["platforms.toml"], '"experimental"', '"yes"', because="the page says otherwise"),
        Mutant(
            chapter["platforms.py"],
            "case [str(text), str(source), date()] if",
            "case [str(text), str(source), *_] if",
            because="a cell without date passes",
        ),
    ],
)
def test_the_tables_of_platforms_are_made_from_cells_with_source_and_date(
    proof: Proof, tmp_path: Path
) -> None:
    program = proof.module(chapter["platforms.py"])
    data = tomllib.loads(proof.path(chapter["platforms.toml"]).read_text())
    assert list(program.faults(data)) == []
    page = chapter.page.read_text(encoding="utf-8")
    for questions in (["what", "engines", "kubernetes", "write"], ["choice", "split", "scaling"]):
        assert "\n".join(program.table(data, questions)) in page, "run `python3 platforms.py` again"
    bibliography = (chapter.root / "source/references.bib").read_text(encoding="utf-8")
    sources = {cell[1] for row in data["platforms"].values() for cell in row.values()}
    assert [source for source in sorted(sources) if f"{{{source}," not in bibliography] == []
    copy = Path(shutil.copytree(proof.path(chapter["platforms.py"]).parent, tmp_path / "copy"))
    assert_worse_cells_are_refused(copy / "platforms.py")


def assert_worse_cells_are_refused(program: Path) -> None:
    """Give the program cells that lack a part, in the file beside it, and compare its answers."""
    table = program.with_suffix(".toml")
    text = table.read_text()
    cell = '["experimental", "vllm-disagg", 2026-11-26]'
    for worse in (
        '["experimental", "vllm-disagg"]',
        '["experimental", "", 2026-11-26]',
        '["", "x", 2026-11-26]',
    ):
        table.write_text(text.replace(cell, worse))
        assert refusal(program) == "vLLM alone, split: text, source, date wanted"
    table.write_text(text.replace(f"split = {cell}\n", ""))
    assert refusal(program) == "vLLM alone, split: no answer"
    assert "is not asked" in refusal(program, "price")
