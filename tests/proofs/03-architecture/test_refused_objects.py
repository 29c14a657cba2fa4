"""Which mistakes in an InferencePool does the API server refuse?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves

from .steps import chapter

FAIL_CLOSED = chapter["refused/inferencepool-fail-closed.yaml"]
EXPRESSIONS = chapter["refused/inferencepool-match-expressions.yaml"]


@proves(
    FAIL_CLOSED,
    EXPRESSIONS,
    evidence="refused",
    uses=["inference-extension"],
    mutants=[
        Mutant(FAIL_CLOSED, "failureMode: FailClosed", "failureMode: FailClose", because="a known word"),
        Mutant(
            EXPRESSIONS,
            "matchExpressions:\n      - {key: tier, operator: In, values: [gold]}",
            "matchLabels: {tier: gold}",
            because="labels are known",
        ),
    ],
)
def test_pools_are_refused(proof: Proof) -> None:
    for listing in (FAIL_CLOSED, EXPRESSIONS):
        proof.refused(listing)
