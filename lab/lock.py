"""One command at a time changes the lab, or one add-on of it; a second one waits and says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from lab import home
from lab.progress import step


@contextmanager
def alone(part: str = "lab") -> Iterator[None]:
    """Hold the lock of the lab or of one of its namespaces, across processes, for the body."""
    lock = FileLock(home.folder("locks") / f"{part}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with step(f"Waiting for another command that is at work on {part}"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()
