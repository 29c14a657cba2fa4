"""Which stations does one request pass, and does its answer show that there was a router?"""

from __future__ import annotations

import pytest

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, proves

from .steps import FIRST_LOOK, SERVICE, USES, in_the_client

chapter = chapter_of(__file__)


@proves(
    chapter["trace.py"],
    chapter["trace.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    router=">=0.10",
    mutants=[
        Mutant(
            chapter["trace.py"],
            "llm_d_epp_scheduler",
            "llm_d_epp_nothing",
            because="no metric has that name",
        ),
        Mutant(chapter["trace.py"], '["h2"]', '["http/1.1"]', because="gRPC is spoken over HTTP/2"),
        Mutant(chapter["trace.py"], "router, 9090", "router, 9002", because="metrics are elsewhere"),
        Mutant(
            chapter["trace.console"],
            "counted 1 decision",
            "counted 2 decision",
            because="it was one request",
        ),
    ],
)
def test_one_request_leaves_a_trace_at_every_station(proof: Proof) -> None:
    proof.transcript(chapter["trace.console"])
    with pytest.raises(CommandFailed, match="Two hosts, please"):
        in_the_client(proof, "{client} python3 - router.first-look < trace.py")
    with pytest.raises(CommandFailed, match=r"nowhere: \[Errno -\d\]"):
        in_the_client(proof, "{client} python3 - router.nowhere sim.nowhere < trace.py")


@proves(
    chapter["same_answer.py"],
    chapter["same-answer.console"],
    evidence="ran",
    uses=USES,
    needs=FIRST_LOOK,
    mutants=[
        Mutant(chapter["same_answer.py"], '{"id", "created"}', "set()", because="ids differ"),
        Mutant(chapter["same_answer.py"], '"lab/nobody"', '"lab/sim-8b"', because="that one is served"),
        Mutant(chapter["same-answer.console"], "a chat ", "a talk ", because="another request"),
    ],
)
def test_the_same_request_is_answered_alike_with_and_without_the_router(proof: Proof) -> None:
    proof.transcript(chapter["same-answer.console"])
    with pytest.raises(CommandFailed, match="Two addresses, please"):
        in_the_client(proof, f"{{client}} python3 - {SERVICE} < same_answer.py")
