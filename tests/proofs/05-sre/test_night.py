"""Do pods go in the evening and come back in the morning?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from proofs.api import Mutant, Proof, proves

from .steps import chapter, install

SCHEDULE = chapter["night-schedule.yaml"]
DAY, NIGHT = "0 7 * * 1-5", "0 19 * * 1-5"


def moved(text: str, *, to_day: bool) -> str:
    """Return a schedule in which it is the middle of the working day now, or of the night."""
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    start, end = (now - timedelta(hours=2), now + timedelta(hours=2))
    begin, over = (start, end) if to_day else (end, start)
    return text.replace(DAY, f"{begin.minute} {begin.hour} * * *").replace(
        NIGHT, f"{over.minute} {over.hour} * * *"
    )


@proves(
    SCHEDULE,
    evidence="ran",
    uses=["keda"],
    needs=["keda"],
    mutants=[
        Mutant(SCHEDULE, "minReplicaCount: 2", "minReplicaCount: 1", because="one pod is no service"),
        Mutant(SCHEDULE, 'desiredReplicas: "6"', 'desiredReplicas: "5"', because="six work by day"),
        Mutant(SCHEDULE, "scaleTargetRef: {name: simulator}", "scaleTargetRef: {name: router}", because="it"),
    ],
)
def test_six_pods_by_day_and_two_by_night(proof: Proof) -> None:
    install(proof)
    file = proof.path(SCHEDULE)
    written = file.read_text()
    assert DAY in written
    assert NIGHT in written
    file.write_text(moved(written, to_day=True))
    proof.apply(SCHEDULE)
    proof.wait_until(lambda: proof.get("hpa", "keda-hpa-simulator"), 60, "KEDA has made an autoscaler")
    autoscaler = proof.get("hpa", "keda-hpa-simulator")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 6)
    proof.wait("deployment", "simulator", has_pods(6), deadline=90)
    file.write_text(moved(written, to_day=False))
    proof.apply(SCHEDULE)
    # Well before the five minutes for which an autoscaler waits by default.
    proof.wait("deployment", "simulator", has_pods(2), deadline=120)


def has_pods(count: int) -> Callable[[dict[str, Any]], bool]:
    """Return a condition: so many pods, all of them Ready."""

    def met(deployment: dict[str, Any]) -> bool:
        status: dict[str, int] = deployment["status"]
        return status.get("replicas") == status.get("readyReplicas") == count

    return met
