"""What does a restart of the router cost, when caches are warm and the index is cold?"""

from __future__ import annotations

import re

from proofs.api import Mutant, Proof, proves

from .steps import MODEL_SERVER, chapter, install, opened

WARMTH = chapter["warmth.py"]
COLD = chapter["cold-index.console"]
#: What warmth.py prints: the share in percent, and the mean seconds to the first token.
PRINTED = re.compile(r"found in a cache +(\d+)% of the prompts\nfirst token +([\d.]+) s")
#: Below it, chance decides what is found, and makes it another number each time.
WARM = 90


@proves(
    WARMTH,
    MODEL_SERVER,
    COLD,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(MODEL_SERVER, "--enable-kvcache=true", "--enable-kvcache=false", because="no cache is warm"),
        Mutant(
            MODEL_SERVER, "--prefill-time-per-token=1ms", "--prefill-time-per-token=0ms", because="no wait"
        ),
        Mutant(WARMTH, "Case number {number}. ", "Case {time.time()}. ", because="no run has been before"),
        Mutant(COLD, "router restarted", "router changed", because="kubectl prints other words"),
    ],
)
def test_a_cold_index_finds_about_a_third(proof: Proof) -> None:
    install(proof)
    folder = proof.path(COLD).parent
    proof.path(WARMTH)
    shown = "warmth.py | tee -a found.txt"
    recorded = PRINTED.findall((chapter.root / "examples" / COLD).read_text())
    if by_chance := [share for share, _ in recorded if int(share) < WARM]:
        shown += f" | sed -E '/cache  [1-8]?[0-9]%/s/[0-9]+%/{by_chance[0]}%/'"
    with opened(proof) as url:
        proof.transcript(
            COLD,
            exchange={"warmth.py": shown, "http://localhost:8081": url},
            environment={"ROUTER_URL": url},
            deadline=400,
        )
    runs = PRINTED.findall((folder / "found.txt").read_text())
    cold, warm, restarted, again = ((int(share), float(wait)) for share, wait in runs)
    assert cold[0] < 20
    assert warm[0] > WARM
    # Chance finds one of three pods; two thirds of the prompts are read again.
    assert 5 < restarted[0] < 65
    assert restarted[1] > 1.5 * warm[1]
    assert again[0] > WARM
