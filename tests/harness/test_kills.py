"""Whether a mutant that was killed before runs again exactly when something has changed.

Each test is a small project of its own, run by pytest inside pytest; none needs the lab.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.claims import Mutant
from tests.harness.conftest import GREETS, LISTING, PROOF, Run
from tests.harness.kills import kill_of

#: A proof that notes each of its runs in a file, with what the listing said.
NOTES = "with open('runs', 'a') as file: file.write(proof.path(GREET).read_text())\n        " + GREETS
EARLIER = "1 mutants: 1 killed (1 of them earlier, on the same files), 0 survived, 0 not run"


def test_a_killed_mutant_is_remembered_and_the_listing_proved_again(
    run: Run, project: Path, records: Path
) -> None:
    run(body=NOTES).assert_outcomes(passed=2)
    recorded = records.read_text()
    again = run(body=NOTES)
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


@pytest.mark.parametrize("changed", ["listing", "another listing of the chapter", "proof", "mutant"])
def test_a_change_has_a_mutant_run_again(run: Run, project: Path, changed: str) -> None:
    run(body=NOTES)
    listing = project / "examples" / LISTING
    body, module = NOTES, PROOF
    if changed == "listing":
        listing.write_text(listing.read_text() + "# A comment.\n")
    elif changed == "another listing of the chapter":
        listing.with_name("other.py").write_text("pass\n")
    elif changed == "proof":
        body = f"assert proof\n        {NOTES}"
    else:
        module = PROOF.replace('"Hello", "Hullo"', '"Hello,", "Hullo,"')
    run(body=body, module=module).assert_outcomes(passed=2)
    assert (project / "runs").read_text().count("Hullo") == 2


def test_modules_that_a_proof_imports_and_chapters_that_they_name_count(tmp_path: Path) -> None:
    chapter = tmp_path / "examples/02-demo"
    chapter.mkdir(parents=True)
    (chapter / "pool.yaml").write_text("kind: Pool\n")
    module, imported = tmp_path / "test_a.py", tmp_path / "test_b.py"
    module.write_text("from tests.examples.test_b import POOL\n")
    imported.write_text("POOL = '02-demo/pool.yaml'\n")

    def key(environment: str = "v1") -> str:
        mutant = Mutant("01-demo/a", "old", "new", because="it differs")
        return kill_of(tmp_path, module, "test_a", mutant, {"router": environment}).key

    keys = [key(), key("v2")]
    imported.write_text("POOL = '02-demo/pool.yaml'  # changed\n")
    keys.append(key())
    (chapter / "pool.yaml").write_text("kind: Pond\n")
    keys.append(key())
    assert len(set(keys)) == 4
    assert key() == keys[-1]


def test_a_survivor_is_not_remembered(run: Run) -> None:
    body = "assert proof.run([sys.executable, proof.path(GREET)])"
    run(body=body).assert_outcomes(passed=1, failed=1)
    run(body=body).assert_outcomes(passed=1, failed=1)


def test_a_broken_proof_shows_nothing_about_mutants_of_earlier_days(run: Run, project: Path) -> None:
    body = f"{NOTES}\n        assert not proof.path('01-demo/greet.py').with_name('flag').exists()"
    run(body=body).assert_outcomes(passed=2)
    (project / "examples/01-demo/flag").write_text("")
    run(body=body).assert_outcomes(failed=1, skipped=1)
