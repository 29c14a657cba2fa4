"""Whether records are sealed, and whether what does not match is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.listings import listing_files
from proofs.records import (
    Mutation,
    Proved,
    Record,
    RecordError,
    digest,
    faults,
    load_records,
    strongest,
    write_records,
)

PLAIN = "01-demo/greet.py"
REFUSED = "01-demo/refused/fault.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with two listings and their records."""
    for name in (PLAIN, REFUSED, "01-demo/refused/fault.refusal"):
        file = tmp_path / "examples" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n")
    answer = tmp_path / "examples/01-demo/refused/fault.refusal"
    records = {
        PLAIN: record(tmp_path, PLAIN, "computed"),
        REFUSED: record(tmp_path, REFUSED, "refused", digest(answer)),
    }
    assert write_records(tmp_path, records) == [tmp_path / f"records/{name}.json" for name in records]
    return tmp_path


def record(root: Path, listing: str, evidence: str, refusal_sha256: str = "") -> Record:
    """Return a record of a listing as it is now."""
    return Record(
        listing=listing,
        sha256=digest(root / "examples" / listing),
        evidence=evidence,
        proofs={"test_demo.py::test_greets": Proved("key", (listing,))},
        mutants=(Mutation("a -> b", "it changes", "assertion: no"),),
        environments=({"python": "3.11", "date": "2026-11-25"},),
        refusal_sha256=refusal_sha256,
        answered_by="The server" if refusal_sha256 else "",
    )


def test_what_was_written_is_read(project: Path) -> None:
    records = load_records(project)
    assert set(records) == {PLAIN, REFUSED}
    assert all(one.sealed for one in records.values())
    assert records[PLAIN] == replace(record(project, PLAIN, "computed"), seal=records[PLAIN].seal)
    assert records[REFUSED].answered_by == "The server"
    assert faults(project) == []


def test_writing_the_same_again_changes_nothing(project: Path) -> None:
    assert write_records(project, load_records(project)) == []


def test_a_listing_that_lost_its_record_has_no_file(project: Path) -> None:
    kept = {PLAIN: load_records(project)[PLAIN]}
    assert write_records(project, kept) == [project / f"records/{REFUSED}.json"]
    assert not (project / f"records/{REFUSED}.json").exists()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (f"examples/{PLAIN}", f"examples/{PLAIN} was edited after its proof; run `nox"),
        (f"examples/{REFUSED}", f"examples/{REFUSED} was edited after its proof"),
        ("examples/01-demo/refused/fault.refusal", "fault.refusal was edited after the"),
    ],
)
def test_one_changed_character_is_noticed(project: Path, file: str, sentence: str) -> None:
    with (project / file).open("a") as listing:
        listing.write(" ")
    (found,) = faults(project)
    assert sentence in found


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        (f"examples/{PLAIN}", f"records/{PLAIN}.json: examples/{PLAIN} is gone; run `nox"),
        ("examples/01-demo/refused/fault.refusal", "has no answer beside it"),
    ],
)
def test_a_missing_file_is_noticed(project: Path, gone: str, sentence: str) -> None:
    (project / gone).unlink()
    (found,) = faults(project)
    assert sentence in found


def test_caches_and_answers_are_no_listings(project: Path) -> None:
    for name in (".cache/a.json", "01-demo/__pycache__/greet.pyc", "01-demo/.hidden"):
        file = project / "examples" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("left by a program")
    assert set(listing_files(project)) == {PLAIN, REFUSED}


def test_a_listing_without_record_is_noticed(project: Path) -> None:
    (project / "examples/01-demo/new.sh").write_text("true\n")
    assert faults(project) == [
        (
            "examples/01-demo/new.sh has no record: claim it in tests/proofs/01-demo, then run "
            "`nox -s examples -- --record` and commit records/"
        )
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("evidence", "ran"),
        ("proofs", {}),
        ("environments", [{"python": "3.11", "date": "2026-11-26"}]),
        ("mutants", []),
        ("seal", "0" * 64),
    ],
)
def test_an_edit_by_hand_breaks_the_seal(project: Path, key: str, value: object) -> None:
    _edit(project, key, value)
    assert faults(project) == [
        f"records/{PLAIN}.json was edited by hand; run `nox -s examples -- --record` and commit records/"
    ]
    write_records(project, load_records(project))
    assert not load_records(project)[PLAIN].sealed, "writing must not seal an edit"


@pytest.mark.parametrize(("key", "value"), [("evidence", "believed"), ("note", "mine")])
def test_an_entry_that_no_run_writes_is_an_error(project: Path, key: str, value: str) -> None:
    _edit(project, key, value)
    with pytest.raises(RecordError, match=r"^records/01-demo/greet\.py\.json: not a record file"):
        load_records(project)


def test_a_record_file_that_is_not_json_is_named(project: Path) -> None:
    (project / f"records/{PLAIN}.json").write_text("{\n  broken\n")
    with pytest.raises(RecordError, match=r"^records/01-demo/greet\.py\.json, line 2: .*restore"):
        load_records(project)


def test_the_strongest_evidence_counts() -> None:
    assert strongest(["checked", "ran", "computed"]) == "ran"


def _edit(project: Path, key: str, value: object) -> None:
    file = project / f"records/{PLAIN}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
