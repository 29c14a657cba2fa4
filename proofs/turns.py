"""Proofs run side by side, except those that ask to be alone in the lab, or to share nothing of a kind."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lab import home


@contextmanager
def turn(*, alone: bool, apart: str = "") -> Iterator[None]:
    """Wait until the lab is free for a run, beside others or alone, and hold it meanwhile.

    It holds across processes and sessions; a killed process gives its turn back. A run that
    waits to be alone keeps the door, so that later ones don't go before it without end. Runs
    that are `apart` in the same thing take turns at it, beside all others.
    """
    locks = home.folder("locks")
    with ExitStack() as held:
        if apart:
            thing = held.enter_context((locks / f"proofs-{apart}.lock").open("w"))
            fcntl.flock(thing, fcntl.LOCK_EX)
        lock = held.enter_context((locks / "proofs.lock").open("w"))
        with (locks / "proofs-door.lock").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
