"""Which mistakes in custom resources does the API server refuse?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves

from .steps import chapter

NO_PORT = chapter["refused/inferencepool-picker-without-port.yaml"]
FAIL_CLOSED = chapter["refused/inferencepool-fail-closed.yaml"]
EXPRESSIONS = chapter["refused/inferencepool-match-expressions.yaml"]
PORT_TWICE = chapter["refused/inferencepool-same-port-twice.yaml"]
NO_POOL = chapter["refused/inferenceobjective-without-pool.yaml"]
PRIORITY_WORD = chapter["refused/inferenceobjective-priority-word.yaml"]
PREFIX_MATCH = chapter["refused/inferencemodelrewrite-prefix.yaml"]
NO_WEIGHT = chapter["refused/inferencemodelrewrite-weight-zero.yaml"]


@proves(
    NO_PORT,
    FAIL_CLOSED,
    EXPRESSIONS,
    PORT_TWICE,
    evidence="refused",
    uses=["inference-extension"],
    mutants=[
        Mutant(
            NO_PORT, "name: router\n", "name: router\n    port: {number: 9002}\n", because="it has a port"
        ),
        Mutant(FAIL_CLOSED, "failureMode: FailClosed", "failureMode: FailClose", because="a known word"),
        Mutant(
            EXPRESSIONS,
            "matchExpressions:\n      - {key: tier, operator: In, values: [gold]}",
            "matchLabels: {tier: gold}",
            because="labels are known",
        ),
        Mutant(PORT_TWICE, "8000\n    - number: 8000", "8000\n    - number: 8001", because="two ports"),
    ],
)
def test_pools_are_refused(proof: Proof) -> None:
    for listing in (NO_PORT, FAIL_CLOSED, EXPRESSIONS, PORT_TWICE):
        proof.refused(listing)


@proves(
    NO_POOL,
    PRIORITY_WORD,
    PREFIX_MATCH,
    NO_WEIGHT,
    evidence="refused",
    uses=["router"],
    mutants=[
        Mutant(NO_POOL, "priority: 100", "priority: 100\n  poolRef: {name: demo}", because="it has a pool"),
        Mutant(PRIORITY_WORD, "priority: Critical", "priority: 100", because="a number"),
        Mutant(PREFIX_MATCH, "type: Prefix", "type: Exact", because="the only type"),
        Mutant(NO_WEIGHT, "weight: 0", "weight: 1", because="the smallest weight"),
    ],
)
def test_objectives_and_rewrites_are_refused(proof: Proof) -> None:
    for listing in (NO_POOL, PRIORITY_WORD, PREFIX_MATCH, NO_WEIGHT):
        proof.refused(listing)
