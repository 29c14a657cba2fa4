"""One command at a time changes the lab; a second one waits and says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from lab import home
from lab.progress import say


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lab's lock, across processes, while the body runs."""
    lock = FileLock(home.home() / "lab.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("Another lab command is at work; waiting for it ...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
