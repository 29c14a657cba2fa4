"""Does CI prove what a change reaches, and all the rest within ten submissions?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from proofs.claims import Claim
from proofs.selection import SLICES, in_turn, taken_from_records
from tests.harness.conftest import GREETS, PROOF, Run

OTHER = PROOF.replace("greet.py", "other.py").replace("test_greets", "test_other").replace("GREET", "OTHER")
TWO = PROOF.replace("{body}", GREETS) + OTHER.replace("{body}", GREETS.replace("GREET", "OTHER"))
AN_EARLIER_DAY = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}


def commit(root: Path, **variables: str) -> None:
    """Commit all files of a project."""
    who = {
        f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--allow-empty", "-m", "All"]):
        subprocess.run(
            ["git", *words], cwd=root, env={"PATH": "/usr/bin:/bin", **who, **variables}, check=True
        )


def test_what_a_change_does_not_reach_is_taken_from_its_record(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = project / "examples/01-demo/other.py"
    other.write_text('print("Hello, llm-d")\n')
    run("--record", module=TWO).assert_outcomes(passed=4)
    commit(project, **AN_EARLIER_DAY)
    commit(project)
    monkeypatch.setenv("CI", "true")
    result = run(module=TWO)
    result.assert_outcomes(deselected=4)
    result.stdout.fnmatch_lines(["from the record: not reached by the change since * (2 proofs)"])
    run("--all", module=TWO).assert_outcomes(passed=4)
    other.write_text('print("Hello, llm-d")  # changed\n')
    result = run(module=TWO)
    result.assert_outcomes(passed=2, deselected=2)
    result.stdout.fnmatch_lines(["records/01-demo/other.py.json: it holds another version of the listing; *"])


def test_a_reached_proof_takes_the_kills_of_its_mutants_from_the_record(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "examples/01-demo/other.py").write_text('print("Hello, llm-d")\n')
    commit(project, **AN_EARLIER_DAY)
    run("--record", module=TWO).assert_outcomes(passed=4)
    commit(project)
    monkeypatch.setenv("CI", "true")
    run(module=TWO).stdout.fnmatch_lines(["2 mutants: 2 killed (2 of them earlier, *), 0 survived, *"])
    run("--all", module=TWO).stdout.fnmatch_lines(["2 mutants: 2 killed, 0 survived, *"])
    for _ in range(8):  # the tenth commit is the first proof's turn
        commit(project)
    run(module=TWO).stdout.fnmatch_lines(["2 mutants: 2 killed (1 of them earlier, *), 0 survived, *"])


def test_ten_submissions_prove_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    claims = {f"test_{number}": Claim(("01-demo/greet.py",), "computed") for number in range(23)}
    monkeypatch.setattr("proofs.selection._holds", lambda *_: True)
    proved = []
    for turn in range(7, 7 + SLICES):
        says = {"rev-list": str(turn), "rev-parse": "abc", "diff": ""}
        monkeypatch.setattr("proofs.selection._git", lambda _, *words, says=says: says[words[0]])
        proved += sorted(
            claims.keys() - taken_from_records(tmp_path, claims, in_turn(tmp_path, claims), "abc").keys()
        )
    assert sorted(proved) == sorted(claims)
