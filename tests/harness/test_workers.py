"""Do proofs in several processes leave the records that one process leaves?"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness.conftest import GREETS, PROOF, Run

#: Four proofs of four listings, each with its own mutant.
MANY = PROOF + "".join(
    PROOF.replace("greet.py", f"greet{number}.py")
    .replace("test_greets", f"test_greets{number}")
    .replace("GREET", f"GREET{number}")
    .replace("WORD", f"WORD{number}")
    .replace("{body}", GREETS.replace("GREET", f"GREET{number}"))
    for number in range(1, 4)
)
RUNS_IN = "pathlib.Path(__file__).with_name(f'{os.getpid()}.runs').open('a').write('x')"


@pytest.fixture
def many(project: Path) -> Path:
    """Return the folder of four listings."""
    folder = project / "examples/01-demo"
    for number in range(1, 4):
        (folder / f"greet{number}.py").write_text('print("Hello, llm-d")\n')
    return folder


def test_workers_leave_the_same_records(run: Run, many: Path, records: Path) -> None:
    run("--record", module=MANY).assert_outcomes(passed=8)
    before = {file.name: file.read_bytes() for file in records.parent.iterdir()}
    shutil.rmtree(records.parent)
    result = run("-n2", "--record", "--all-mutants", module=MANY)
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(
        ["4 proofs: 4 complete, 0 skipped", "4 mutants: 4 killed, 0 survived, 0 not run"]
    )
    assert {file.name: file.read_bytes() for file in records.parent.iterdir()} == before
    assert len(before) == len(list(many.iterdir())) == 4


@pytest.mark.usefixtures("many")
def test_a_proof_and_its_mutants_stay_in_one_worker(run: Run, project: Path) -> None:
    counted = MANY.replace("import sys", "import os, pathlib, sys")
    counted = counted.replace("(proof):", f"(proof):\n        {RUNS_IN}")
    run("-n4", module=counted).assert_outcomes(passed=8)
    runs = [len(file.read_text()) for file in project.glob("*.runs")]
    assert len(runs) > 1
    assert all(count % 2 == 0 for count in runs)


def test_a_failed_proof_skips_its_mutants_in_a_worker(run: Run, records: Path) -> None:
    result = run("-n2", "--record", body="assert False")
    result.assert_outcomes(failed=1, skipped=1)
    assert not records.exists()


@pytest.mark.usefixtures("many")
def test_a_killed_worker_is_an_error_and_leaves_no_record_of_its_proof(run: Run, records: Path) -> None:
    dies = "os.kill(os.getpid(), 9)"
    result = run(
        "-n2",
        "--record",
        "--max-worker-restart=0",
        module=MANY.replace("import sys", "import os, sys"),
        body=dies,
    )
    assert result.ret not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    result.stdout.fnmatch_lines(["*worker 'gw*' crashed while running '*test_greets'"])
    assert not records.exists()


def test_a_faulty_claim_stops_workers_with_its_sentence(run: Run) -> None:
    result = run("-n2", module=PROOF.replace('"computed"', '"believed"'))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*test_greets gives evidence 'believed'; choose one of ran*"])


def test_check_compares_in_the_controller(run: Run, records: Path) -> None:
    result = run("-n2", "--check")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["records/01-demo/greet.py.json: there is no record; *"])
    assert not records.exists()


@pytest.mark.parametrize("dist", ["each", "worksteal", "loadgroup"])
def test_a_distribution_that_parts_mutants_from_proofs_is_refused(run: Run, dist: str) -> None:
    result = run("-n2", "--dist", dist)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--dist {dist} would part proofs from their mutants*"])


def test_an_interrupt_in_a_worker_leaves_no_record(run: Run, records: Path) -> None:
    module = PROOF + "\n    def test_interrupt():\n        raise KeyboardInterrupt\n"
    assert run("-n2", "--record", module=module).ret == pytest.ExitCode.INTERRUPTED
    assert not records.exists()
