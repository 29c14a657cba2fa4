"""Chapter 2: what the API server refuses in the chapter's namespace."""

from __future__ import annotations

import pytest

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, proves
from tests.proofs.installed import NAMESPACE

chapter = chapter_of(__file__)
MISSPELT = chapter["refused/deployment-misspelt-field.yaml"]


@proves(
    NAMESPACE,
    evidence="ran",
    mutants=[
        Mutant(NAMESPACE, "enforce: restricted", "enforce: baseline", because="root may run"),
    ],
)
def test_the_namespace_refuses_pods_that_may_run_as_root(proof: Proof) -> None:
    proof.apply(NAMESPACE)
    with pytest.raises(CommandFailed, match='violates PodSecurity "restricted:latest"'):
        proof.kubectl("run", "root", "--image=registry.invalid/any:1", "--dry-run=server")


@proves(
    MISSPELT,
    evidence="refused",
    mutants=[Mutant(MISSPELT, "replica: 3", "replicas: 3", because="it is spelt right")],
)
def test_a_misspelt_field_is_refused(proof: Proof) -> None:
    proof.refused(MISSPELT)
