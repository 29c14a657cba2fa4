"""Whether a mutant that was killed before runs again exactly when something has changed.

Each test is a small project of its own, run by pytest inside pytest; none needs the lab.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from proofs.dependencies import code_of
from tests.harness.conftest import GREETS, LISTING, PROOF, Run

#: A proof that notes each of its runs in a file, with what the listing said.
NOTES = "with open('runs', 'a') as file: file.write(proof.path(GREET).read_text())\n        " + GREETS
EARLIER = "1 mutants: 1 killed (1 of them earlier, on the same files), 0 survived, 0 not run"


def test_a_killed_mutant_is_remembered_and_the_listing_proved_again(
    run: Run, project: Path, records: Path
) -> None:
    run("--record", body=NOTES).assert_outcomes(passed=2)
    recorded = records.read_text()
    again = run("--record", body=NOTES)
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines([EARLIER])
    assert (project / "runs").read_text().count("Hello") == 2
    assert (project / "runs").read_text().count("Hullo") == 1
    assert records.read_text() == recorded


@pytest.mark.parametrize("option", ["--all-mutants", "--check"])
def test_all_mutants_run_when_asked_for_and_where_a_session_only_checks(
    run: Run, project: Path, option: str
) -> None:
    run(body=NOTES)
    run(option, body=NOTES).assert_outcomes(passed=2)
    assert (project / "runs").read_text().count("Hullo") == 2


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        ("listing", 2),
        ("a listing that it does not open", 1),
        ("proof", 2),
        ("a comment in the proof", 1),
        ("mutant", 2),
    ],
)
def test_a_mutant_runs_again_when_what_its_proof_depends_on_changes(
    run: Run, project: Path, changed: str, runs: int
) -> None:
    run(body=NOTES)
    listing = project / "examples" / LISTING
    body, module = NOTES, PROOF
    if changed == "listing":
        listing.write_text(listing.read_text() + "# A comment.\n")
    elif changed == "a listing that it does not open":
        listing.with_name("other.py").write_text("pass\n")
    elif changed == "proof":
        body = f"assert proof\n        {NOTES}"
    elif changed == "a comment in the proof":
        body = f"# Of no consequence.\n        {NOTES}"
    else:
        module = PROOF.replace('"Hello", "Hullo"', '"Hello,", "Hullo,"')
    run(body=body, module=module).assert_outcomes(passed=2)
    assert (project / "runs").read_text().count("Hullo") == runs


def test_recorded_kills_are_remembered_in_another_checkout(run: Run, project: Path) -> None:
    run("--record", body=NOTES)
    shutil.rmtree(project / "home")
    run(body=NOTES).stdout.fnmatch_lines([EARLIER])


STEPS = """
def helper():
    return other()

def other():
    return 1

def unused():
    return 2
"""


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("return 1", "return 3", True),
        ("return 2", "return 3", False),
        ("def other():", "def other():\n    'Return something.'", False),
        ("def helper():", "# A comment.\ndef helper():", False),
    ],
)
def test_what_a_test_uses_of_the_steps_beside_it_counts(
    tmp_path: Path, old: str, new: str, *, counts: bool
) -> None:
    chapter = tmp_path / "tests/proofs/01-demo"
    chapter.mkdir(parents=True)
    (chapter / "test_a.py").write_text("from .steps import helper\n\ndef test_a(proof):\n    helper()\n")
    (chapter / "steps.py").write_text(STEPS)
    before = code_of(tmp_path, chapter / "test_a.py", "test_a")
    (chapter / "steps.py").write_text(STEPS.replace(old, new))
    assert (code_of(tmp_path, chapter / "test_a.py", "test_a") != before) == counts


def test_a_survivor_is_not_remembered(run: Run) -> None:
    body = "assert proof.run([sys.executable, proof.path(GREET)])"
    run(body=body).assert_outcomes(passed=1, failed=1)
    run(body=body).assert_outcomes(passed=1, failed=1)


def test_a_broken_proof_shows_nothing_about_mutants_of_earlier_days(run: Run, project: Path) -> None:
    body = f"{NOTES}\n        assert not proof.path('01-demo/greet.py').with_name('flag').exists()"
    run(body=body).assert_outcomes(passed=2)
    (project / "examples/01-demo/flag").write_text("")
    run(body=body).assert_outcomes(failed=1, skipped=1)
