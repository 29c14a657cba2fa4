"""Do the chapter's first commands bring the lab to where the chapter begins?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import NAMESPACE, PICKER, POOL, RIGHTS, SERVICE, ask, router

from .steps import ENVOY, MODEL_SERVER, ROUTER, chapter, pods_of_the_model

START = chapter["start.console"]


@proves(
    START,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    needs=["prometheus"],
    only_in_lab=True,
    mutants=[
        Mutant(
            START,
            "poddisruptionbudget.policy/simulator serverside-applied",
            "poddisruptionbudget.policy/router serverside-applied",
            because="the budget is the model's",
        ),
    ],
)
def test_the_start_gives_a_router_and_three_pods_in_three_zones(proof: Proof) -> None:
    (folder,) = {proof.path(listing).parent for listing in (NAMESPACE, POOL, RIGHTS, PICKER, SERVICE)}
    assert {proof.path(listing).parent for listing in (ENVOY, ROUTER, MODEL_SERVER)} == {
        proof.path(START).parent
    }
    proof.transcript(START, exchange={"../02-installation": str(folder)})
    with router(proof) as client:
        found = ask(client, "Who are you?").headers["x-inference-pod"]
    assert found in {pod["metadata"]["name"] for pod in pods_of_the_model(proof)}
