"""Whether proofs that need the same add-ons run together, and those without room are named."""

from __future__ import annotations

import pytest

from lab import home
from proofs.claims import Claim
from proofs.groups import Groups

PLENTY = 24 * 1024


def claim(*needs: str, alone: bool = False) -> Claim:
    """Return a claim that needs add-ons."""
    return Claim(("01-demo/a.yaml",), "ran", needs=needs, alone=alone)


@pytest.fixture
def claims() -> dict[str, Claim]:
    """Return six proofs, in an order in which none follows another with the same needs."""
    return {
        "apart": claim("redis", alone=True),
        "redis": claim("redis"),
        "plain": claim(),
        "postgres": claim("postgres"),
        "redis again": claim("redis"),
        "plain again": claim(),
    }


def test_the_same_needs_come_together_and_what_is_alone_comes_last(claims: dict[str, Claim]) -> None:
    groups = Groups(claims, "test", PLENTY)
    ordered = sorted(claims, key=groups.place)
    assert ordered[-1] == "apart"
    places = [groups.place(test) for test in ordered]
    assert places == sorted(places)
    assert len(set(places)) == 4
    assert groups.place("redis") == groups.place("redis again")


def test_what_has_no_room_is_named_with_what_the_host_has(claims: dict[str, Claim]) -> None:
    groups = Groups({**claims, "engine": claim("vllm")}, "test", 6 * 1024)
    assert groups.why_skipped("plain") == ""
    assert "The add-on vllm takes" in groups.why_skipped("engine")
    assert "this host has 6.0 GiB" in groups.why_skipped("engine")
    assert groups.tests_of(frozenset({"vllm"})) == ["engine"]
    assert groups.place("engine") > max(map(groups.place, claims))


def test_every_process_of_a_session_knows_what_has_ended(
    claims: dict[str, Claim], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path_factory.mktemp("home")))
    for test in ("plain", "plain again"):
        Groups(claims, "ended", PLENTY).end(test)
    assert (home.folder("sessions") / "ended").read_text().split("\n") == ["plain", "plain again", ""]
