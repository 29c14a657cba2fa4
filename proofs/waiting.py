"""Wait for an outcome, up to a deadline, by asking again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from proofs.failures import DeadlinePassed

Outcome = TypeVar("Outcome")
Condition = str | Callable[[dict[str, Any]], Any]

#: Seconds between two looks.
INTERVAL = 0.25
#: What a look may raise while the outcome has not come: an assertion, an answer that
#: fails, a field or a file that is not there yet.
NOT_YET = (AssertionError, httpx.HTTPError, LookupError, ValueError, FileNotFoundError)


def wait_until(
    check: Callable[[], Outcome],
    *,
    deadline: float,
    what: str,
    interval: float = INTERVAL,
) -> Outcome:
    """Return the first true outcome of `check`; raise DeadlinePassed after `deadline` s.

    An assertion, an HTTP error or a missing field in `check` means "not yet"; the last
    one is part of the message. Check runs at least once.
    """
    __tracebackhide__ = True
    end = time.monotonic() + deadline
    while True:
        try:
            outcome = check()
        except NOT_YET as error:
            last = f"{type(error).__name__}: {error}"
        else:
            if outcome:
                return outcome
            last = repr(outcome)
        if time.monotonic() + interval > end:
            message = f"{what}: not within {deadline:g} s\nlast seen: {last}"
            raise DeadlinePassed(message)
        time.sleep(interval)


def holds(condition: Condition, found: Mapping[str, Any]) -> bool:
    """Tell whether an object meets a condition: "Type", "Type=Status" or a function."""
    if callable(condition):
        return bool(condition(dict(found)))
    kind, _, status = condition.partition("=")
    generation = found["metadata"].get("generation", 0)
    observed = found.get("status", {}).get("observedGeneration", generation)
    return observed >= generation and any(
        entry["type"] == kind and entry["status"] == (status or "True")
        for entry in found.get("status", {}).get("conditions", [])
    )
