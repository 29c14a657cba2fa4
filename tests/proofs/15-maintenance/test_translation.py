"""Does the upgrade of a picker's configuration carry over all that differs between two releases?"""

from __future__ import annotations

from proofs.api import Mutant, Proof, chapter_of, proves

chapter = chapter_of(__file__)


@proves(
    chapter["older-picker-config.yaml"],
    chapter["upgrade-picker-config.console"],
    evidence="computed",
    uses=("router",),
    mutants=[
        Mutant(
            chapter["older-picker-config.yaml"],
            "by-label-selector",
            "no-such-filter",
            because="no line has it: refused",
        ),
        Mutant(
            chapter["older-picker-config.yaml"],
            "queueDepthThreshold: 8",
            "queueDepthThreshold: 9",
            because="values are kept",
        ),
        Mutant(
            chapter["older-picker-config.yaml"],
            "[flowControl]",
            "[]",
            because="without queues nothing waits",
        ),
        Mutant(chapter["upgrade-picker-config.console"], "5 changes", "4 changes", because="it is five"),
    ],
)
def test_an_older_configuration_is_turned_into_one_for_this_edition(proof: Proof) -> None:
    # diff fails where it finds a difference.
    proof.transcript(chapter["upgrade-picker-config.console"], failing={2})
