"""Which mistakes in an InferencePool does the API server refuse?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import POOL

from .steps import chapter

FAIL_CLOSED = chapter["refused/inferencepool-fail-closed.yaml"]
EXPRESSIONS = chapter["refused/inferencepool-match-expressions.yaml"]

UNKNOWN = "matchExpressions: [{key: tier, operator: In, values: [gold]}]"


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
    # A client that does not ask for strict validation loses the unknown field, and the pool is stored.
    pool = proof.path(POOL)
    pool.write_text(pool.read_text().replace("    matchLabels:", f"    {UNKNOWN}\n    matchLabels:"))
    proof.kubectl("apply", "--validate=warn", f"--filename={pool}")
    stored = proof.get("inferencepool", "demo")["spec"]["selector"]
    assert set(stored) == {"matchLabels"}
