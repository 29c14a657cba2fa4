"""How are the picker's plugins exchanged, timed and refused?"""

from __future__ import annotations

import json

from lab.edition import versions
from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import ENVOY, POOL, RIGHTS, ROUTER, SIMULATOR, ask, router

from .steps import assert_configured, chapter, counted, install_with, transcript

SWAPPED = chapter["swapped-plugins-config.yaml"]
ALPHA = chapter["refused/alpha-plugin.yaml"]
LIST = chapter["swapped.console"]
MOVED = chapter["refused/moved-parameter.yaml"]


@proves(
    SWAPPED,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            SWAPPED,
            "- type: weighted-random-picker",
            "- type: max-score-picker\n        name: weighted-random-picker",
            because="another picker ran",
        ),
    ],
)
def test_plugins_are_exchanged_by_configuration(proof: Proof) -> None:
    install_with(proof, SWAPPED, SIMULATOR)
    assert_configured(
        proof,
        plugins=[("active-request-scorer", {"maxBusyScore": 1.0}), "weighted-random-picker"],
        profiles={"default": ["active-request-scorer", "weighted-random-picker"]},
    )
    with router(proof) as client:
        ask(client, "Who are you?")
    name = "llm_d_epp_plugin_duration_seconds_count"
    for plugin, point in (("active-request-scorer", "Scorer"), ("weighted-random-picker", "Picker")):
        assert counted(proof, name, plugin_type=plugin, extension_point=point) == 1
    if proof.lab.router_line == versions()["router"]:
        # Nothing in the file names it; the scorer needs it.
        assert counted(proof, name, plugin_type="inflight-load-producer", extension_point="DataProducer") == 1
    for plugin in ("queue-scorer", "max-score-picker"):
        assert counted(proof, name, plugin_type=plugin) == 0


@proves(
    LIST,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[Mutant(LIST, "weighted-random-picker", "max-score-picker", because="another picker ran")],
)
def test_the_list_has_what_the_file_does_not_name(proof: Proof) -> None:
    install_with(proof, SWAPPED, SIMULATOR)
    transcript(proof, LIST, 8081, 9090)


def refusal_of_the_picker(proof: Proof, listing: str) -> str:
    """Start a picker with a configuration; return why it did not start."""
    proof.apply(POOL, RIGHTS, listing, ENVOY, ROUTER)

    def refusal() -> str:
        lines = proof.logs("deployment/router", "endpoint-picker").splitlines()
        errors = [json.loads(line) for line in lines if '"level":"error"' in line]
        assert errors
        return f"{errors[0]['msg']}: {errors[0]['error']}"

    return proof.wait_until(refusal, 60, "the picker says why it does not start")


@proves(
    ALPHA,
    MOVED,
    evidence="refused",
    router=">=0.10",
    uses=["router"],
    mutants=[
        Mutant(
            ALPHA,
            "- type: session-affinity-scorer",
            "- type: queue-scorer\n        name: session-affinity-scorer",
            because="a plugin of stage Beta",
        ),
        Mutant(MOVED, "parameters: {blockSizeTokens: 64}", "parameters: {}", because="nothing is misplaced"),
    ],
)
def test_a_picker_refuses_plugins_that_it_must_not_run(proof: Proof) -> None:
    proof.answered(ALPHA, refusal_of_the_picker(proof, ALPHA), by="The endpoint picker")
    proof.kubectl("delete", "deployment/router", "--wait", "--grace-period=0", "--cascade=foreground")
    proof.answered(MOVED, refusal_of_the_picker(proof, MOVED), by="The endpoint picker")
