"""Proofs run side by side, except those that ask to be alone in the lab."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from lab import home


@contextmanager
def turn(*, alone: bool) -> Iterator[None]:
    """Wait until the lab is free for a run, beside others or alone, and hold it meanwhile.

    It holds across processes and sessions; a killed process gives its turn back.
    """
    with (home.folder("locks") / "proofs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
