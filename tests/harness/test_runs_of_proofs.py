"""Whether the harness runs mutants, refuses bad claims, and keeps records honest.

Each test is a small project of its own, run by pytest inside pytest; none needs the lab.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.records import digest, load_records, write_records
from tests.harness.conftest import GREETS, LISTING, PROOF, Run


def test_a_proof_is_run_once_more_for_each_mutant(run: Run, records: Path) -> None:
    result = run("-v", "--record")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*::test_greets PASSED*", "*::test_greets?mutant: the greeting changes? PASSED*"]
    )
    assert records.is_file()


def test_the_record_says_what_was_proven(run: Run, project: Path) -> None:
    run("--record")
    record = load_records(project)[LISTING]
    assert record.sealed
    assert record.sha256 == digest(project / "examples" / LISTING)
    assert record.evidence == "computed"
    assert {name: one.opened for name, one in record.proofs.items()} == {
        "test_demo.py::test_greets": (LISTING,)
    }
    assert [(one.change, one.because) for one in record.mutants] == [
        ("Hello -> Hullo", "the greeting changes")
    ]
    assert record.mutants[0].killed_by.startswith("assertion: ")
    assert set(record.environments[0]) == {"python", "date"}


def test_a_proof_records_data_when_it_is_asked_to_and_never_from_a_mutant(run: Run, project: Path) -> None:
    data = project / "data"
    write = f"with open({str(data)!r}, 'a') as file: file.write(proof.path(GREET).read_text())"
    body = f"if proof.recording:\n            {write}\n        {GREETS}"
    run(body=body).assert_outcomes(passed=2)
    assert not data.exists()
    run("--record", body=body).assert_outcomes(passed=2)
    assert data.read_text() == (project / "examples" / LISTING).read_text()


def test_a_surviving_mutant_fails_and_leaves_no_record(run: Run, records: Path) -> None:
    result = run(body="assert proof.run([sys.executable, proof.path(GREET)])")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the mutant survived*01-demo/greet.py*Hello -> Hullo*"])
    assert not records.exists()


@pytest.mark.parametrize("text", ["Bonjour", "l"])
def test_a_mutant_must_find_its_text_once(run: Run, records: Path, text: str) -> None:
    result = run(module=PROOF.replace('"Hello", "Hullo"', f'"{text}", "x"'))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*mutant of examples/01-demo/greet.py: * occurs * times*"])
    assert not records.exists()


def test_stumbling_is_not_noticing(run: Run, records: Path) -> None:
    body = 'assert {"Hello": 1}[proof.run([sys.executable, proof.path(GREET)])[:5]]'
    run(body=body).assert_outcomes(passed=1, failed=1)
    assert not records.exists()


def test_a_mutant_does_not_wait_as_long_as_its_proof(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.proof.MUTANT_DEADLINE", 0.4)
    body = 'proof.wait_until(lambda: "Hello" in proof.path(GREET).read_text(), 60, "greeting")'
    begin = time.monotonic()
    run(body=body).assert_outcomes(passed=2)
    assert time.monotonic() - begin < 5


def test_a_mutant_waits_longer_where_the_proof_had_to(run: Run, records: Path) -> None:
    body = """begin = time.monotonic()
        proof.wait_until(lambda: time.monotonic() > begin + 0.5, 60, "half a second")
        proof.wait_until(lambda: "Hello" in proof.path(GREET).read_text(), 0.1, "greeting")"""
    monkeypatched = PROOF.replace("import sys", "import sys, time, proofs.proof as proofs")
    quick = monkeypatched.replace("GREET = ", "proofs.MUTANT_DEADLINE = 0.1\n    GREET = ", 1)
    run("--record", body=body, module=quick).assert_outcomes(passed=2)
    assert "deadline: greeting" in records.read_text()


def test_a_failed_proof_skips_its_mutants_and_leaves_no_record(run: Run, records: Path) -> None:
    result = run(body="assert False")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*SKIPPED*the proof fails without a mutant*"])
    assert not records.exists()


def test_an_interrupt_leaves_the_records_as_they_were(run: Run, records: Path) -> None:
    run("--record")
    before = records.read_bytes()
    listing = records.parents[2] / "examples" / LISTING
    listing.write_text('print("Hello, llm-d")  # changed\n')
    module = PROOF + "\n    def test_interrupt():\n        raise KeyboardInterrupt\n"
    assert run("--record", module=module).ret == pytest.ExitCode.INTERRUPTED
    assert records.read_bytes() == before


def test_a_run_of_a_part_of_a_proof_leaves_no_record(run: Run, records: Path) -> None:
    run("--record", "-k", "not mutant").assert_outcomes(passed=1, deselected=1)
    assert not records.exists()
    run("--record", "test_demo.py::test_greets[mutant: the greeting changes]").assert_outcomes(passed=1)
    assert not records.exists()
    run("--record", "test_demo.py::test_greets").assert_outcomes(passed=2)
    assert records.exists()


def test_all_proofs_of_a_listing_must_pass(run: Run, records: Path) -> None:
    other = PROOF.replace("test_greets", "test_greets_again").replace("{body}", "assert False")
    run("--record", module=PROOF + other).assert_outcomes(passed=2, failed=1, skipped=1)
    assert not records.exists()


def test_a_record_holds_the_strongest_evidence_and_its_environment(run: Run, project: Path) -> None:
    check = PROOF.replace("test_greets", "test_is_checked").replace(
        '"computed",', '"checked", uses=["kind"],'
    )
    run("--record", module=PROOF + check).assert_outcomes(passed=4)
    record = load_records(project)[LISTING]
    assert (record.evidence, len(record.proofs), len(record.mutants)) == ("computed", 2, 2)
    assert set(record.environments[0]) == {"python", "date"}


def test_a_record_without_a_cluster_says_for_what_a_listing_is_written(run: Run, project: Path) -> None:
    run("--record", module=PROOF.replace("mutants=", 'uses=["router"], mutants='))
    assert set(load_records(project)[LISTING].environments[0]) == {"python", "for router", "date"}


def test_a_run_that_does_not_record_leaves_the_checkout_as_it_is(
    run: Run, project: Path, records: Path
) -> None:
    run().stdout.fnmatch_lines(["1 kept in */home/proved; --record writes records/, to be committed"])
    assert not records.exists()
    assert set(load_records(project / "home/proved")) == {LISTING}


def test_the_same_proof_leaves_the_record_alone(run: Run, records: Path) -> None:
    run("--record")
    _date(records, "2026-01-31")
    before = records.read_bytes()
    run("--record").assert_outcomes(passed=2)
    assert records.read_bytes() == before


def test_refresh_renews_the_date(run: Run, records: Path) -> None:
    run("--record")
    _date(records, "2026-01-31")
    run("--refresh")
    assert '"2026-01-31"' not in records.read_text()


def test_other_bytes_renew_the_record(run: Run, project: Path, records: Path) -> None:
    run("--record")
    _date(records, "2026-01-31")
    listing = project / "examples" / LISTING
    listing.write_text('print("Hello, llm-d")  # changed\n')
    run("--record")
    assert load_records(project)[LISTING].sha256 == digest(listing)
    assert '"2026-01-31"' not in records.read_text()


def test_a_listing_changed_during_the_run_gets_no_record(run: Run, records: Path) -> None:
    path = records.parents[2] / "examples" / LISTING
    edit = f'import pathlib; pathlib.Path({str(path)!r}).write_text("# Hello, later\\n")'
    run("--record", body=f"{GREETS}\n        {edit}").assert_outcomes(passed=2)
    assert not records.exists()


@pytest.mark.parametrize("in_ci", [True, False])
def test_check_writes_nothing_and_wants_a_record(
    run: Run, records: Path, monkeypatch: pytest.MonkeyPatch, *, in_ci: bool
) -> None:
    if in_ci:
        monkeypatch.setenv("CI", "true")
    result = run(*([] if in_ci else ["--check"]))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["records/01-demo/greet.py.json: there is no record; run *"])
    assert not records.exists()


def test_check_is_content_with_a_matching_record(run: Run, records: Path) -> None:
    run("--record")
    before = records.read_bytes()
    assert run("--check").ret == pytest.ExitCode.OK
    assert records.read_bytes() == before


def test_check_notices_another_version(run: Run, project: Path) -> None:
    run("--record")
    (project / "examples" / LISTING).write_text('print("Hello, llm-d")  # changed\n')
    result = run("--check")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*: it holds another version of the listing; run *"])


def test_check_notices_another_mutant(run: Run) -> None:
    run("--record")
    result = run("--check", module=PROOF.replace("Hullo", "Hallo"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*names other evidence, proofs or mutants*"])


def test_a_run_never_seals_what_was_edited_by_hand(run: Run, project: Path, records: Path) -> None:
    other = project / "examples/01-demo/other.py"
    other.write_text('print("Other")\n')
    second = PROOF.replace("greet.py", "other.py").replace("test_greets", "test_other")
    second = second.replace('"Hello", "Hullo"', '"Other", "Another"')
    second = second.replace("{body}", GREETS.replace("Hello, llm-d", "Other"))
    second = second.replace("GREET", "OTHER")
    run("--record", module=PROOF + second).assert_outcomes(passed=4)
    _edit(records.with_name("other.py.json"), "evidence", "ran")
    run("--refresh", "-k", "test_greets")
    assert not load_records(project)["01-demo/other.py"].sealed
    assert load_records(project)[LISTING].sealed


def test_the_record_of_a_listing_that_is_gone_goes(run: Run, project: Path) -> None:
    run("--record")
    (project / "examples" / LISTING).rename(project / "examples/01-demo/hello.py")
    run("--record", module=PROOF.replace("greet.py", "hello.py")).assert_outcomes(passed=2)
    assert set(load_records(project)) == {"01-demo/hello.py"}


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("mutants=[WORD]", "", "names no mutant of examples/01-demo/greet.py"),
        ('"computed"', '"believed"', "gives evidence 'believed'; choose one of ran"),
        ('"computed"', '"refused"', "no others, are proven as 'refused'"),
        ("proves(GREET", "proves('01-demo/gone.py'", "which does not exist"),
        ("proves(GREET,", "proves(", "claims no listing"),
        ("mutants", 'uses=["rooter"], mutants', "edition.toml does not pin"),
        ("mutants=", 'needs=["flee"], mutants=', "There is no add-on named 'flee'. Known are: *fleet"),
        ("mutants=", 'needs=["fleet:modl=x"], mutants=', "takes no 'modl=x'*; known are: *replicas"),
        ("mutants=", 'router="new", mutants=', "which is no version to compare with"),
        ("mutants=", 'router=">=99", mutants=', "the edition has v*and v"),
        ("(proof)", "()", "a proof has both"),
        ("@proves", "proves", "a proof has both"),
        ("[WORD]", "[WORD, WORD]", "has two mutants because 'the greeting changes'"),
    ],
)
def test_a_claim_that_is_not_in_order_stops_the_run(run: Run, before: str, after: str, sentence: str) -> None:
    assert before in PROOF
    result = run(module=PROOF.replace(before, after))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_demo.py::test_greets *{sentence}*"])


def test_records_that_cannot_be_read_stop_the_run_before_it(run: Run, records: Path) -> None:
    run("--record")
    records.write_text("{")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*records/01-demo/greet.py.json, line 1: *restore the file*"])


def test_check_and_record_exclude_each_other(run: Run) -> None:
    result = run("--check", "--record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*choose one*"])


def _date(records: Path, date: str) -> None:
    """Write another date into a record as an earlier run would have."""
    root = records.parents[2]
    write_records(
        root,
        {
            name: replace(
                record,
                seal="",
                environments=tuple({**one, "date": date} for one in record.environments),
            )
            for name, record in load_records(root).items()
        },
    )


def _edit(record: Path, key: str, value: str) -> None:
    """Change a record by hand."""
    record.write_text(json.dumps({**json.loads(record.read_text()), key: value}))


PRINTED = """
    from pathlib import Path
    from proofs.api import Mutant, proves

    SUM = "01-demo/sum.console"

    @proves(SUM, evidence="computed", mutants=[Mutant(SUM, "{old}", "{new}", because="it says more")])
    def test_adds(proof):
        with Path(__file__).with_name("runs").open("a") as runs:
            runs.write("x")
        proof.transcript(SUM)
"""


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [("\\n42", "\\n43", 1), ("40 + 2", "40 + 3", 2)],
    ids=["printed text", "a command"],
)
def test_only_changed_commands_are_run_again(run: Run, project: Path, old: str, new: str, runs: int) -> None:
    (project / "examples/01-demo/sum.console").write_text("$ echo $((40 + 2))\n42\n")
    result = run(module=PRINTED.replace("{old}", old).replace("{new}", new))
    result.assert_outcomes(passed=2)
    assert len((project / "runs").read_text()) == runs


def test_printed_text_that_may_differ_is_no_mutant(run: Run, project: Path) -> None:
    (project / "examples/01-demo/sum.console").write_text("$ echo 1.5 s\n1.5 s\n")
    result = run(module=PRINTED.replace("{old}", "\\n1.5").replace("{new}", "\\n2.5"))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the mutant survived*"])
