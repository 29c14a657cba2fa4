"""Chapter 2: do the last commands name what the chapter started, all of it and nothing else?"""

from __future__ import annotations

from lab.chapters import addons_named
from proofs.api import Mutant, Proof, chapter_of, proves

chapter = chapter_of(__file__)
REMOVE = chapter["remove.console"]
STARTED = tuple(chapter[f"{name}.console"] for name in ("start", "gateway", "gateway-status"))


@proves(
    REMOVE,
    evidence="checked",
    mutants=[
        Mutant(REMOVE, "istio ", "", because="Istio would keep running"),
        Mutant(REMOVE, "=help-desk", "=desk", because="the model runs in another namespace"),
        Mutant(REMOVE, "lab remove", "lab add", because="that starts them"),
    ],
)
def test_what_the_chapter_started_is_removed(proof: Proof) -> None:
    started = {spec for listing in STARTED for spec in addons_named(proof.path(listing).read_text())}
    assert set(addons_named(proof.path(REMOVE).read_text(), verb="remove")) == started
