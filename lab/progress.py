"""Show long work: a spinner with elapsed time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: Told what the stream is: variables such as FORCE_COLOR would have each moving line printed
#: again and again into a log.
CONSOLE = Console(stderr=True, highlight=False, force_terminal=sys.stderr.isatty())
_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print one line with the seconds since the command began."""
    CONSOLE.print(f"{time.monotonic() - _BEGAN:7.1f}s  {text}", soft_wrap=True, markup=False)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Show that something is being done, then how many seconds it took.

    On a terminal the line moves while the work lasts; elsewhere one plain line is
    printed at the start and one at the end.
    """
    began = time.monotonic()
    if CONSOLE.is_terminal:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=CONSOLE, transient=True) as progress:
            progress.add_task(doing)
            yield
    else:
        say(f"{doing} ...")
        yield
    say(f"{doing}: done in {time.monotonic() - began:.1f} s")
