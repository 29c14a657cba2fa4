"""Does a proof that cannot run here say so, and leave what was proved before?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cluster import Lab
from lab.errors import NotAvailable
from proofs.claims import Claim, router_lines
from proofs.connection import Connection
from tests.harness.conftest import LISTING, PROOF, Run

NEWER, OLDER = router_lines()
NEEDS_FLEET = PROOF.replace("mutants=", 'needs=["fleet"], mutants=')
NEEDS_NEWER = PROOF.replace('"computed", mutants=', '"ran", router=">=0.10", mutants=')


@pytest.fixture
def without_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the simulator's image be one that cannot be had on this host."""

    def refuse(spec: str) -> None:
        message = f"No source for the image of {spec}."
        raise NotAvailable(message)

    monkeypatch.setattr("proofs.connection.addons.ensure", refuse)


@pytest.fixture
def older_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lab have the older router line only."""
    lab = Lab(Path("kubeconfig"), Path("kubectl"), OLDER)
    monkeypatch.setattr(Connection, "lab", lab)


@pytest.mark.usefixtures("without_fleet")
def test_an_addon_that_cannot_be_had_skips_the_proof_and_says_so(run: Run, records: Path) -> None:
    result = run(module=NEEDS_FLEET)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        [
            "1 proofs: 0 complete, 1 skipped",
            "1 mutants: 0 killed, 0 survived, 1 not run",
            "skipped: No source for the image of fleet. (test_greets)",
            f"examples/{LISTING} has no record: * (skipped here: No source for the image of fleet.)",
        ]
    )
    assert not records.exists()


@pytest.mark.usefixtures("older_line")
def test_a_proof_for_the_newer_router_is_skipped_on_the_older(run: Run) -> None:
    result = run(module=NEEDS_NEWER)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines([f"skipped: needs router {NEWER}; this lab runs {OLDER} (test_greets)"])


@pytest.mark.usefixtures("older_line")
def test_a_skipped_proof_keeps_the_record_of_the_same_bytes(run: Run, records: Path) -> None:
    run("--record")
    before = records.read_bytes()
    result = run("--check", module=NEEDS_NEWER)
    assert result.ret == pytest.ExitCode.OK
    run("--record", module=NEEDS_NEWER)
    assert records.read_bytes() == before


@pytest.mark.usefixtures("older_line")
def test_a_skipped_proof_proves_nothing_of_other_bytes(run: Run, project: Path, records: Path) -> None:
    run("--record")
    before = records.read_bytes()
    (project / "examples" / LISTING).write_text('print("Hello, llm-d")  # changed\n')
    result = run(module=NEEDS_NEWER)
    assert result.ret == pytest.ExitCode.OK
    sentence = f"examples/{LISTING} was edited after its proof; *(skipped here: needs router *"
    result.stdout.fnmatch_lines([sentence])
    result = run("--check", module=NEEDS_NEWER)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([sentence])
    assert records.read_bytes() == before


def test_check_wants_a_record_of_what_is_skipped(run: Run, older_line: None) -> None:  # noqa: ARG001
    result = run("--check", module=NEEDS_NEWER)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"examples/{LISTING} has no record: *"])


@pytest.mark.parametrize(("wanted", "lines"), [("", 2), (">=0.10", 1), ("<0.10", 1), ("==0.10.*", 1)])
def test_a_claim_picks_router_lines(wanted: str, lines: int) -> None:
    claim = Claim((LISTING,), "ran", router=wanted)
    assert sum(claim.takes_router(line) for line in router_lines()) == lines
