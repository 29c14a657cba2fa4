"""Where does a request go between client and pod, and who decides?"""

from __future__ import annotations

import sys

import pytest

from proofs.api import CommandFailed, Mutant, Proof, proves
from tests.proofs.installed import PICKER, SIMULATOR, router

from .steps import SHORT, VERBOSE_RUN, chapter, forwards, install_with, post, print_scores, transcript

VERBOSE = chapter["verbose-picker.json"]
TRACE = chapter["trace.py"]
TRACED = chapter["trace.console"]


def traced(proof: Proof, *arguments: str) -> str:
    """Return what the reader's program prints of a request."""
    with forwards(proof, 8081, 19000) as (_, variables):
        return proof.run([sys.executable, "trace.py", *arguments], environment=variables)


@proves(
    SHORT,
    VERBOSE,
    VERBOSE_RUN,
    TRACE,
    TRACED,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(SHORT, "and why?", "and why not?", because="the answer is longer"),
        Mutant(VERBOSE, "--v=4", "--v=2", because="no scores are printed"),
        Mutant(VERBOSE_RUN, "router patched", "router changed", because="kubectl prints other words"),
        Mutant(TRACE, '"router decoding headers"', '"request headers"', because="the request again"),
        Mutant(TRACED, "7.00", "4.00", because="the pod knows the prompt"),
        Mutant(TRACED, "+ x-gateway-destination-endpoint", "+ x-endpoint", because="another name"),
    ],
)
def test_a_request_is_followed_from_hop_to_hop(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    assert "2  the EPP printed no scores" in traced(proof, "long-request.json")
    print_scores(proof)
    with router(proof) as client:
        first = post(client, proof, SHORT).raise_for_status()
    transcript(proof, TRACED, 8081, 19000)
    chosen = first.headers["x-inference-pod"]
    again = traced(proof, "short-request.json")
    address = proof.get("pod", chosen)["status"]["podIP"]
    assert f"x-gateway-destination-endpoint: {address}:8000" in again
    assert f"x-inference-pod: {chosen}" in again
    # Exercise 1: a new beginning knows no pod. And clients name no address.
    fresh = traced(proof, "long-request.json")
    assert fresh.count(" 4.00 ") == 3
    with router(proof) as client:
        forged = post(client, proof, SHORT, {"x-gateway-destination-endpoint": "127.0.0.1:19000"})
    assert forged.headers["x-inference-pod"] == chosen
    for arguments, complaint in (
        ([], "Usage: "),
        (["none.json"], "none.json: "),
        (["trace.py"], "trace.py: "),
    ):
        with pytest.raises(CommandFailed, match=complaint):
            proof.run([sys.executable, "trace.py", *arguments])
    nowhere = {"ROUTER_URL": "http://127.0.0.1:9", "ENVOY_ADMIN_URL": "http://127.0.0.1:9"}
    with pytest.raises(CommandFailed, match=r"http://127.0.0.1:9: .*refused"):
        proof.run([sys.executable, "trace.py", "short-request.json"], environment=nowhere)
