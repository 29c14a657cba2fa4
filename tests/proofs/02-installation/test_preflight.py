"""Chapter 2: the preflight says whether a cluster, and its user, can take llm-d."""

from __future__ import annotations

from lab.edition import versions
from proofs.api import Mutant, Proof, chapter_of, proves

chapter = chapter_of(__file__)
PREFLIGHT = chapter["preflight.py"]
ALL_WELL = chapter["preflight.console"]
DEFINITIONS = chapter["install-definitions.console"]


@proves(
    DEFINITIONS,
    evidence="checked",
    mutants=[
        Mutant(DEFINITIONS, "ref=v", "ref=", because="the tag has a v"),
        Mutant(DEFINITIONS, "config/crd", "crd", because="another folder"),
        Mutant(DEFINITIONS, "preflight.py", "preflight", because="no such program"),
    ],
)
def test_the_definitions_are_those_of_the_editions_router(proof: Proof) -> None:
    folder = f"https://github.com/llm-d/llm-d-router/config/crd?ref={versions()['router']}"
    assert proof.path(DEFINITIONS).read_text().split() == [
        *["$", "kubectl", "apply", "--server-side", "-k", "\\", ">", f'"{folder}"'],
        *["$", "python", proof.path(PREFLIGHT).name],
    ]


@proves(
    PREFLIGHT,
    ALL_WELL,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(PREFLIGHT, "= (1, 29)", "= (1, 99)", because="the server is older"),
        Mutant(PREFLIGHT, 'k8s.io": "v1"', 'k8s.io": "v9"', because="no CRD serves v9"),
        Mutant(PREFLIGHT, '"1Gi"', '"1Pi"', because="no cluster has the memory"),
        Mutant(ALL_WELL, "0 to do", "1 to do", because="nothing is missing"),
    ],
)
def test_preflight_finds_that_the_lab_can_take_llm_d(proof: Proof) -> None:
    proof.transcript(ALL_WELL)


@proves(
    PREFLIGHT,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(PREFLIGHT, '"group": group', '"group": ""', because="another API group"),
        Mutant(PREFLIGHT, "except DynamicApi", "except Type", because="it must go on"),
        Mutant(PREFLIGHT, "return 1 if missing", "return 0 if missing", because="scripts ask"),
    ],
)
def test_preflight_names_what_an_editor_of_the_namespace_lacks(proof: Proof) -> None:
    account = f"{proof.namespace}:developer"
    proof.kubectl("create", "serviceaccount", "developer")
    proof.kubectl("create", "rolebinding", "developer", "--clusterrole=edit", f"--serviceaccount={account}")
    token = proof.kubectl("create", "token", "developer").strip()
    proof.kubectl("config", "set-credentials", "developer", f"--token={token}")
    proof.kubectl("config", "set-context", "--current", "--user=developer")
    command = f"python3 preflight.py --namespace {proof.namespace}; echo exit: $?"
    said = proof.run(["bash", "-c", command])
    assert "exit: 1" in said
    missing = {line.split()[-1] for line in said.splitlines() if line.startswith("MISSING right")}
    assert missing == {"inferencepools", "rolebindings", "roles"}
