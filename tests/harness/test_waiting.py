"""Whether waits end with the outcome, or at their deadline with what was seen last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proofs.failures import DeadlinePassed
from proofs.waiting import Condition, holds, wait_until


def answers(*outcomes: object) -> Callable[[], object]:
    """Return a check that gives one outcome after the other and raises errors."""
    rest: Iterator[object] = iter(outcomes)

    def check() -> object:
        outcome = next(rest)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return check


def test_the_first_true_outcome_is_returned() -> None:
    check = answers(None, AssertionError("no pod"), KeyError("status"), "ready", "later")
    assert wait_until(check, deadline=5, what="pod", interval=0.01) == "ready"


def test_a_deadline_says_what_was_seen_last() -> None:
    check = answers(AssertionError("no pod"), AssertionError("one pod"))
    with pytest.raises(DeadlinePassed, match=r"two pods: not within 0\.03 s\n.*one pod"):
        wait_until(check, deadline=0.03, what="two pods", interval=0.02)


def test_another_error_is_not_waited_through() -> None:
    with pytest.raises(RuntimeError):
        wait_until(answers(RuntimeError(), "ready"), deadline=5, what="pod")


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ("Available", True),
        ("Available=False", False),
        ("Progressing", False),
        ("Progressing=False", True),
        ("Ready", False),
        (lambda found: found["metadata"]["generation"] == 2, True),
    ],
)
def test_a_condition_holds(condition: Condition, *, met: bool) -> None:
    assert holds(condition, deployment(observed=2)) is met


def test_a_condition_of_an_older_generation_does_not_hold() -> None:
    assert not holds("Available", deployment(observed=1))


def deployment(observed: int) -> dict[str, Any]:
    """Return what the API server says of a Deployment in its second generation."""
    return {
        "metadata": {"generation": 2},
        "status": {
            "observedGeneration": observed,
            "conditions": [
                {"type": "Available", "status": "True"},
                {"type": "Progressing", "status": "False"},
            ],
        },
    }
