"""Whether a record follows from the one on file and what a run has proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proofs.ledger import merged
from proofs.records import KEYS_KEPT, Mutation, Proved, Record

NEWEST = {"cluster": "kind v0.33.0", "router": "v0.10.0", "date": "2026-11-20"}
OLDER = {**NEWEST, "router": "v0.7.1, configuration translated", "date": "2026-11-10"}
TODAY = {**NEWEST, "date": "2026-11-25"}


def record(*environments: Mapping[str, str]) -> Record:
    """Return the record of a listing that was seen in some environments."""
    return Record(
        listing="01-demo/pool.yaml",
        sha256="a",
        evidence="ran",
        proofs={"test_demo.py::test_pool": Proved("key", ("01-demo/pool.yaml",))},
        mutants=(Mutation("a -> b", "it changes", "assertion: no"),),
        environments=environments,
    )


def test_the_first_record_is_the_new_one() -> None:
    assert merged(None, record(TODAY), refresh=False) == record(TODAY)


def test_the_same_again_changes_nothing_but_what_is_refreshed() -> None:
    before = record(NEWEST, OLDER)
    assert merged(before, record(TODAY), refresh=False) == before
    assert merged(before, record(TODAY), refresh=True) == record(TODAY, OLDER)


def test_another_wording_of_a_kill_changes_nothing() -> None:
    now = replace(record(TODAY), mutants=(Mutation("a -> b", "it changes", "deadline: pod"),))
    assert merged(record(NEWEST), now, refresh=False) == record(NEWEST)


def test_a_new_key_of_a_kill_is_kept_with_the_earlier_ones_and_a_known_one_moves_nothing() -> None:
    def killed(*keys: str) -> Record:
        return replace(record(TODAY), mutants=(Mutation("a -> b", "it changes", "assertion: no", keys),))

    assert merged(killed("one"), killed("two"), refresh=False) == killed("two", "one")
    assert merged(killed("two", "one"), killed("one"), refresh=False) == killed("two", "one")
    many = [str(number) for number in range(KEYS_KEPT)]
    assert merged(killed(*many), killed("new"), refresh=False) == killed("new", *many[:-1])


def test_another_environment_is_added_newest_first() -> None:
    assert merged(record(OLDER), record(TODAY), refresh=False) == record(TODAY, OLDER)


def test_an_environment_that_names_more_components_takes_the_place_of_the_old_one() -> None:
    more = {**TODAY, "envoy": "v1.40.0"}
    assert merged(record(NEWEST, OLDER), record(more), refresh=False) == record(more, OLDER)


def test_another_proof_renews_the_date() -> None:
    now = replace(record(TODAY), proofs={"test_demo.py::test_other": Proved("key")})
    assert merged(record(NEWEST), now, refresh=False) == now


def test_other_bytes_or_evidence_forget_all_environments() -> None:
    others = (
        replace(record(TODAY), sha256="b"),
        replace(record(TODAY), refusal_sha256="b"),
        replace(record(TODAY), evidence="accepted"),
        replace(record(TODAY), answered_by="The chart"),
    )
    for now in others:
        assert merged(record(NEWEST, OLDER), now, refresh=False) == now


def test_what_was_edited_by_hand_is_replaced() -> None:
    edited = replace(record(NEWEST, OLDER), seal="0")
    assert merged(edited, record(TODAY), refresh=False) == record(TODAY)
