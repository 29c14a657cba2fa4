"""Chapter 15: no listing uses a name of an earlier release of llm-d, and the program finds them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import charts, programs
from lab.errors import NotAvailable
from proofs.api import CommandFailed, Mutant, Proof, chapter_of, proves
from proofs.listings import is_picture, listing_files

chapter = chapter_of(__file__)
NAMES = chapter["old-names.toml"]
FIND = chapter["old_names.py"]
FOUND = chapter["old-names.console"]
OLD_VALUES = chapter["refused/values-of-an-older-chart.yaml"]
#: Listings that are about old names: the list itself, what must be refused, what is upgraded.
ABOUT_OLD_NAMES = {
    NAMES,
    FOUND,
    OLD_VALUES,
    chapter["older-picker-config.yaml"],
}


def listings() -> Iterator[tuple[str, str]]:
    """Yield path and text of every listing that is not about old names."""
    for listing, file in listing_files(chapter.root).items():
        if listing not in ABOUT_OLD_NAMES and not is_picture(listing):
            yield listing, file.read_text(encoding="utf-8")


@proves(
    NAMES,
    FIND,
    FOUND,
    evidence="computed",
    mutants=[
        Mutant(NAMES, 'source = "llmd-blog-0.2"', 'source = "nobody"', because="no such source"),
        Mutant(NAMES, 'words = ["llm-d-infra"]', 'words = ["llm-d-"]', because="today's names have it"),
        Mutant(NAMES, 'gone = "2025-07"\nnew = "router', 'new = "router', because="a cell is empty"),
        Mutant(FIND, "if not row.get(key)", "if row.get(key)", because="full rows are refused"),
        Mutant(FIND, "start=1", "start=0", because="lines count from 1"),
        Mutant(FIND, "sys.exit(found)", "sys.exit(0)", because="a pipeline asks the status"),
        Mutant(FOUND, "yaml:7:", "yaml:8:", because="it is in line 7"),
    ],
)
def test_no_listing_uses_a_name_of_an_earlier_release(proof: Proof, tmp_path: Path) -> None:
    program, names = proof.module(FIND), tomllib.loads(proof.path(NAMES).read_text())["names"]
    assert list(program.faults(names)) == []
    used = [(listing, *one) for listing, text in listings() for one in program.findings(text, names)]
    assert used == []
    page = chapter.page.read_text(encoding="utf-8")
    assert "\n".join(program.table(names)) in page, "run `python3 old_names.py --table` again"
    bibliography = (chapter.root / "source/references.bib").read_text(encoding="utf-8")
    sources = [source for row in names for source in row["source"].split(",")]
    assert [source for source in sources if f"{{{source}," not in bibliography] == []
    proof.transcript(FOUND, failing={1})
    for arguments, said in (
        ([], "Name the files or folders to search."),
        (["nowhere"], "nowhere does not exist"),
    ):
        with pytest.raises(CommandFailed, match=said):
            proof.run(["python3", "old_names.py", *arguments])
    undated = [{**names[0], "read": "yesterday"}]
    assert list(program.faults(undated)) == [f"{names[0]['old']}: 'yesterday' is no day"]
    (tmp_path / "script.sh").write_text("git clone https://github.com/llm-d/llm-d-deployer\n")
    with pytest.raises(CommandFailed, match="exited with 1"):
        proof.run(["python3", "old_names.py", tmp_path])


@proves(
    OLD_VALUES,
    evidence="refused",
    uses=["helm"],
    router=">=0.10",
    mutants=[
        Mutant(OLD_VALUES, "inferenceExtension:", "other:", because="that key is not refused"),
    ],
)
def test_values_of_the_older_chart_are_refused(proof: Proof, tmp_path: Path) -> None:
    try:
        chart = charts.packaged("llm-d-router-standalone")
    except NotAvailable as error:
        pytest.skip(str(error))
    homes = {f"HELM_{what}_HOME": str(tmp_path) for what in ("CACHE", "CONFIG", "DATA")}
    environment = {"PATH": f"{programs.build('helm')}{os.pathsep}{os.environ['PATH']}", **homes}
    with pytest.raises(CommandFailed) as failed:
        proof.run(
            ["helm", "template", "chat", chart, f"--values={proof.path(OLD_VALUES)}"], environment=environment
        )
    proof.answered(OLD_VALUES, str(failed.value).partition(": ")[2], by="The chart")
