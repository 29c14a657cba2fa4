"""Chapter 3: do the last commands name what chapters 2 and 3 started, all of it and nothing else?"""

from __future__ import annotations

from lab.chapters import addons_named
from proofs.api import Mutant, Proof, proves
from proofs.documents import read_documents
from tests.proofs.installed import NAMESPACE

from .steps import chapter

START = chapter["start.console"]
REMOVE = chapter["remove.console"]


@proves(
    REMOVE,
    evidence="checked",
    mutants=[
        Mutant(REMOVE, "prometheus ", "", because="Prometheus would keep running"),
        Mutant(REMOVE, "namespace llm-d", "namespace demo", because="no such namespace"),
        Mutant(REMOVE, "lab remove", "lab add", because="that starts them"),
    ],
)
def test_what_the_chapters_started_is_removed(proof: Proof) -> None:
    text = proof.path(REMOVE).read_text()
    [namespace] = read_documents(proof.path(NAMESPACE).read_text(), NAMESPACE)
    assert text.startswith(f"$ kubectl delete namespace {namespace.content['metadata']['name']}\n")
    assert addons_named(text, verb="remove") == addons_named(proof.path(START).read_text())
