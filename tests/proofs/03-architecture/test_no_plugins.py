"""What does an EPP do that has no plugins in its configuration, and how does one notice?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import SIMULATOR, router

from .steps import chapter, install_with, transcript

NO_PLUGINS = chapter["no-plugins-config.yaml"]
NO_PLUGINS_RUN = chapter["no-plugins.console"]

KIND = "    kind: EndpointPickerConfig\n"
WITH_A_SCORER = f"""\
{KIND}    plugins:
      - type: prefix-cache-scorer
    schedulingProfiles:
      - name: default
        plugins:
          - pluginRef: prefix-cache-scorer
"""


@proves(
    NO_PLUGINS,
    NO_PLUGINS_RUN,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(NO_PLUGINS, KIND, WITH_A_SCORER, because="a scorer keeps conversations together"),
        Mutant(NO_PLUGINS_RUN, "2/2", "1/2", because="the router is Ready"),
        Mutant(
            NO_PLUGINS_RUN,
            'extension_point="Picker"',
            'extension_point="Scorer"',
            because="no scorer runs",
        ),
    ],
)
def test_an_epp_without_plugins_is_ready_and_picks_at_random(proof: Proof) -> None:
    install_with(proof, NO_PLUGINS, SIMULATOR)
    with router(proof) as client:
        client.get("/v1/models").raise_for_status()
    transcript(proof, NO_PLUGINS_RUN, 8081, 9090)
