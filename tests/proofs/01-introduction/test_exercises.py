"""Does a reader find the answers to the exercises in the lab?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from proofs.api import Mutant, Proof, chapter_of, proves

from .steps import FIRST_LOOK, ROUTER, SERVICE, USES, cached, kept_to_one_pod, pods_of, prompts, turns

chapter = chapter_of(__file__)


@proves(
    chapter["conversations.py"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    alone=True,  # neighbors would push prompts out of the fleet's caches
    mutants=[
        Mutant(
            chapter["conversations.py"],
            'if variation != "kept-connection":',
            "if variation:",
            because="the connection is never kept",
        ),
        Mutant(
            chapter["conversations.py"],
            "QUESTION.format(turn)",
            "QUESTION.format(turn) * 5",
            because="no first prompt is short",
        ),
    ],
)
def test_the_answers_to_the_exercises_in_the_lab(proof: Proof) -> None:
    with session_affinity(proof, "ClientIP"):
        # One client, one address, one pod. Chance does not do that sixty times.
        proof.wait_until(lambda: pods_of(turns(proof, SERVICE)) == 1, 60, "the Service keeps its client")

    kept = turns(proof, SERVICE, "kept-connection")
    assert pods_of(kept) == 1
    assert round(100 * cached(kept) / prompts(kept)) == 81

    behind = turns(proof, ROUTER, "manual", change=r"s/{RULE \* 76}{case}/{case}{RULE * 76}/")
    assert pods_of(behind) > 1
    assert kept_to_one_pod(behind) == 10
    assert round(100 * cached(behind) / prompts(behind)) == 82

    # Chance keeps a conversation at its second turn once in three; all ten once in 59,049.
    assert kept_to_one_pod(turns(proof, ROUTER, change=r"s/SENTENCE \* 76/SENTENCE * 1/")) < 10
    assert kept_to_one_pod(turns(proof, ROUTER, change=r"s/SENTENCE \* 76/SENTENCE * 3/")) == 10


@contextmanager
def session_affinity(proof: Proof, kind: str) -> Iterator[None]:
    """Give the fleet's Service another session affinity for a while."""

    def patch(to: str) -> None:
        change = json.dumps({"spec": {"sessionAffinity": to}})
        proof.kubectl("patch", "service", "sim", "--namespace=first-look", f"--patch={change}")

    patch(kind)
    try:
        yield
    finally:
        patch("None")
        proof.wait_until(lambda: pods_of(turns(proof, SERVICE)) > 1, 60, "the Service takes any pod again")
