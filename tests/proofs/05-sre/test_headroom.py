"""Does a batch wait in the router, where it was refused before?"""

from __future__ import annotations

import re

from proofs.api import Mutant, Proof, proves

from .steps import chapter, install, opened

CONFIG = chapter["headroom-config.yaml"]
NIGHTLY = chapter["nightly.sh"]
PRINTED = chapter["headroom.console"]
OBJECTIVES = "03-architecture/inferenceobjectives.yaml"
#: The command whose counts differ from run to run, and what it prints.
MORE_THAN_FITS = "sh nightly.sh 120"
COUNTS = re.compile(r" +(\d+) 200\n +(\d+) 429\n")


@proves(
    CONFIG,
    NIGHTLY,
    PRINTED,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    alone=True,  # a busy machine answers later
    mutants=[
        Mutant(CONFIG, "featureGates: [flowControl]", "featureGates: []", because="no queues in the router"),
        Mutant(NIGHTLY, "nightly' --json", "interactive' --json", because="another objective"),
        Mutant(PRINTED, "    100 200", "     99 200", because="none is refused"),
    ],
)
def test_a_batch_waits_in_the_router(proof: Proof) -> None:
    install(proof)
    recorded = COUNTS.search((chapter.root / "examples" / PRINTED).read_text())
    assert recorded
    refused = f"{MORE_THAN_FITS} | tee refused.txt"
    if not proof.recording:
        refused = f"{MORE_THAN_FITS} >refused.txt; printf '{recorded[0]}'"
    with opened(proof) as url:
        proof.transcript(
            PRINTED,
            exchange={
                f"../{OBJECTIVES}": str(chapter.root / "examples" / OBJECTIVES),
                MORE_THAN_FITS: refused,
                "http://localhost:8081": url,
            },
            environment={"ROUTER_URL": url},
            deadline=300,
        )
    found = COUNTS.fullmatch((proof.path(PRINTED).parent / "refused.txt").read_text())
    assert found, "some of the questions were answered, and some refused"
    assert int(found[1]) + int(found[2]) == 120
    assert int(found[2]) > 120 / 4
