"""Proofs of chapter 15, Maintenance and updates."""

from __future__ import annotations

from proofs.api import Mutant, Proof, proves

OLDER = "15-maintenance/older-picker-config.yaml"
UPGRADED = "15-maintenance/upgrade-picker-config.console"


@proves(
    OLDER,
    UPGRADED,
    evidence="computed",
    uses=("router",),
    mutants=[
        Mutant(OLDER, "by-label-selector", "no-such-filter", because="no line has it: refused"),
        Mutant(OLDER, "queueDepthThreshold: 8", "queueDepthThreshold: 9", because="values are kept"),
        Mutant(OLDER, "[flowControl]", "[]", because="without queues nothing waits"),
        Mutant(UPGRADED, "5 changes", "4 changes", because="it is five"),
    ],
)
def test_an_older_configuration_is_turned_into_one_for_this_edition(proof: Proof) -> None:
    proof.transcript(UPGRADED, failing={2})  # diff fails where it finds a difference
