"""Does a batch wait in the router, where it was refused before?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves

from .steps import chapter, install, opened

CONFIG = chapter["headroom-config.yaml"]
NIGHTLY = chapter["nightly.sh"]
OBJECTIVES = "03-architecture/inferenceobjectives.yaml"
#: Questions at once: more than six times the slots of the pool.
QUESTIONS = 100


@proves(
    CONFIG,
    NIGHTLY,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    alone=True,  # a busy machine answers later
    mutants=[
        Mutant(CONFIG, "featureGates: [flowControl]", "featureGates: []", because="no queues in the router"),
        Mutant(NIGHTLY, "nightly' --json", "interactive' --json", because="another objective"),
    ],
)
def test_a_batch_waits_in_the_router(proof: Proof) -> None:
    install(proof)
    proof.kubectl("apply", f"--filename={chapter.root / 'examples' / OBJECTIVES}")
    with opened(proof) as url:
        refused = statuses(proof, url)
        assert refused.get("429", 0) > QUESTIONS / 4
        assert refused.get("200", 0) + refused["429"] == QUESTIONS
    proof.apply(CONFIG)
    proof.kubectl("rollout", "restart", "deployment/router")
    proof.kubectl("rollout", "status", "deployment/router", "--timeout=120s")
    only = "--selector=app.kubernetes.io/name=router"
    proof.wait_until(
        lambda: len(proof.kubectl("get", "pods", only, "--output=name").split()) == 1,
        90,
        "the old router has ended",
    )
    with opened(proof) as url:
        assert statuses(proof, url) == {"200": QUESTIONS}


def statuses(proof: Proof, url: str) -> dict[str, int]:
    """Return how many questions of low priority got which status."""
    printed = proof.run(
        ["sh", proof.path(NIGHTLY).name, str(QUESTIONS)], environment={"ROUTER_URL": url}, deadline=120
    )
    pairs = [line.split() for line in printed.splitlines()]
    return {status: int(count) for count, status in pairs}
