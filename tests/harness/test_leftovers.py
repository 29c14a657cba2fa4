"""Of what is new in the cluster after a run, what is it suspected of?"""

from __future__ import annotations

import time

import pytest

from proofs.leftovers import CLOCKS, Thing, Trace

MINE, ANOTHER = "proof-0123abcd", "proof-4567cdef"


def trace(*, alone: bool, programs: bool = False) -> Trace:
    """Return the trace of a run that is 100 seconds old, and ran a program 50 seconds ago."""
    now = time.time()
    return Trace(alone, now - 100, MINE, [(now - 50, now - 49)] if programs else [])


def object_of(seconds_ago: float, name: str = "reader") -> Thing:
    """Return an object that is so old."""
    return Thing(f"ClusterRole/{name}", "uid", time.time() - seconds_ago)


@pytest.mark.parametrize("seconds_ago", [0, 50, 99])
def test_a_run_that_was_alone_made_all_that_is_new(seconds_ago: float) -> None:
    assert trace(alone=True).may_have_made(object_of(seconds_ago))


def test_beside_others_a_run_is_suspected_of_what_came_while_its_programs_ran() -> None:
    beside = trace(alone=False, programs=True)
    assert beside.may_have_made(object_of(49.5))
    assert not beside.may_have_made(object_of(50 + 2 * CLOCKS))
    assert not beside.may_have_made(object_of(10))
    assert not trace(alone=False).may_have_made(object_of(49.5))


def test_what_carries_the_name_of_a_run_is_that_runs() -> None:
    beside = trace(alone=False, programs=True)
    assert beside.may_have_made(object_of(10, f"{MINE}-reader"))
    assert not beside.may_have_made(object_of(49.5, f"{ANOTHER}-reader"))


def test_of_what_is_on_a_node_only_programs_are_suspected() -> None:
    label = Thing("on node worker: label a=b", "uid")
    assert trace(alone=False, programs=True).may_have_made(label)
    assert not trace(alone=False).may_have_made(label)
    assert trace(alone=True).may_have_made(label)
