"""Do the chapter's first commands bring the lab to where the chapter begins?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import (
    ENVOY,
    NAMESPACE,
    PICKER,
    POOL,
    RIGHTS,
    ROUTER,
    SERVICE,
    SIMULATOR,
    ask,
    pods_of_the_model,
    router,
)

from .steps import chapter

START = chapter["start.console"]


@proves(
    START,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    needs=["prometheus", "disaggregation"],
    only_in_lab=True,
    mutants=[
        Mutant(
            START,
            "deployment.apps/simulator condition met",
            "deployment.apps/simulator is there",
            because="kubectl prints other words",
        ),
    ],
)
def test_the_start_gives_a_router_and_three_pods(proof: Proof) -> None:
    folders = {
        proof.path(listing).parent
        for listing in (NAMESPACE, POOL, RIGHTS, PICKER, ENVOY, ROUTER, SERVICE, SIMULATOR)
    }
    (folder,) = folders
    proof.transcript(
        START,
        exchange={"../02-installation": str(folder), "../03-architecture": str(proof.path(START).parent)},
    )
    with router(proof) as client:
        assert ask(client, "Who are you?").headers["x-inference-pod"] in pods_of_the_model(proof)
