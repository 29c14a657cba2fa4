"""Does a proof that wants to be alone get its turn while others come and go?"""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

import pytest

from proofs.turns import turn


def test_who_comes_later_waits_behind_one_that_wants_to_be_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    order: list[str] = []
    events = {name: Event() for name in ("first is in", "first may go")}

    def run(name: str, *, alone: bool) -> None:
        with turn(alone=alone):
            order.append(name)
            if name == "first":
                events["first is in"].set()
                events["first may go"].wait(30)

    def started(name: str, *, alone: bool) -> Thread:
        thread = Thread(target=run, args=(name,), kwargs={"alone": alone})
        thread.start()
        return thread

    threads = [started("first", alone=False)]
    assert events["first is in"].wait(30)
    threads.append(started("alone", alone=True))
    # Whether it waits can't be seen from outside; half a second is enough to come to the door.
    threads[1].join(0.5)
    threads.append(started("last", alone=False))
    threads[2].join(0.5)
    assert order == ["first"]
    events["first may go"].set()
    for thread in threads:
        thread.join(30)
    assert order == ["first", "alone", "last"]


def test_runs_that_are_apart_in_a_thing_take_turns_and_others_go_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path))
    order: list[str] = []
    with turn(alone=False, apart="gpus"):
        order.append("first")
        waits = Thread(target=_note, args=(order, "second", "gpus"))
        waits.start()
        for other in ("", "notebooks"):
            beside = Thread(target=_note, args=(order, f"beside {other}", other))
            beside.start()
            beside.join(30)
        waits.join(0.5)
        assert order == ["first", "beside ", "beside notebooks"]
    waits.join(30)
    assert order[-1] == "second"


def _note(order: list[str], name: str, apart: str) -> None:
    with turn(alone=False, apart=apart):
        order.append(name)
