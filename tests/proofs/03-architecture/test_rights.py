"""Who may change where requests go?"""

from __future__ import annotations

import sys

import pytest

from proofs.api import CommandFailed, Mutant, Proof, proves
from tests.proofs.installed import RIGHTS

from .steps import chapter

PERSONAS = chapter["personas.yaml"]
MATRIX = chapter["rights.toml"]
ASK_RIGHTS = chapter["rights.py"]
RIGHTS_ASKED = chapter["rights.console"]

NAMES = {"endpoint-picker", "model-owner", "on-call", "platform-engineer"}
BINDINGS = {"endpoint-picker", "model-owners", "on-call", "platform-engineers"}
#: What the matrix does not say: who may read what pods printed.
RIGHTS_TO_LOGS = {
    "model-owner": '["get", "list"]',
    "platform-engineer": '["get", "list"]',
    "on-call": '["get", "list"]',
}


def differs_from_matrix(proof: Proof, command: list[str]) -> bool:
    """Tell whether the program finds a right that the matrix does not have."""
    try:
        proof.run(command)
    except CommandFailed as failure:
        return "exited with 1" in str(failure) and "NOT AS WRITTEN" in str(failure)
    return False


@proves(
    PERSONAS,
    MATRIX,
    ASK_RIGHTS,
    RIGHTS_ASKED,
    evidence="ran",
    router=">=0.10",  # the older line's kinds have another group, which a matrix in TOML does not know
    mutants=[
        Mutant(PERSONAS, "resources: [configmaps, pods/log]", "resources: ['*']", because="Secrets too"),
        Mutant(PERSONAS, "verbs: [get, list, patch]", "verbs: [get, list]", because="no restart"),
        Mutant(
            MATRIX,
            'pods = ["get", "list", "delete"]\nconfigmaps = ["get", "list", "create"',
            'pods = ["get", "list"]\nconfigmaps = ["get", "list", "create"',
            because="more is allowed than written",
        ),
        Mutant(MATRIX, '  "secrets",\n', "", because="no question is about Secrets"),
        Mutant(ASK_RIGHTS, '"system:authenticated"', '"system:nobody"', because="rights of all count"),
        Mutant(ASK_RIGHTS, '.partition(":")', '.partition("/")', because="a subresource has a colon"),
        Mutant(ASK_RIGHTS, "return 1 if differ else 0", "return 0", because="pipelines ask for the status"),
        Mutant(RIGHTS_ASKED, "196 questions", "195 questions", because="it asked 196"),
    ],
)
def test_each_persona_may_do_what_the_matrix_says_and_no_more(proof: Proof) -> None:
    proof.apply(RIGHTS, PERSONAS)
    assert {one["metadata"]["name"] for one in proof.objects("role")} == NAMES
    assert {one["metadata"]["name"] for one in proof.objects("rolebinding")} == BINDINGS
    proof.transcript(RIGHTS_ASKED)
    question = [
        "auth",
        "can-i",
        "list",
        "secrets",
        f"--as=system:serviceaccount:{proof.namespace}:endpoint-picker",
    ]
    with pytest.raises(CommandFailed):
        proof.kubectl(*question)
    rights = [sys.executable, "rights.py", f"--namespace={proof.namespace}"]
    with pytest.raises(CommandFailed, match="no cluster: "):
        proof.run(rights, environment={"KUBECONFIG": "/nowhere"})
    # A subresource in the list of what is asked.
    matrix = proof.path(MATRIX)
    written = matrix.read_text()
    with_logs = written.replace('"pods",', '"pods", "pods:log",')
    matrix.write_text(with_logs)
    assert differs_from_matrix(proof, rights)
    for persona, verbs in RIGHTS_TO_LOGS.items():
        with_logs = with_logs.replace(f"[{persona}]\n", f'[{persona}]\n"pods:log" = {verbs}\n')
    matrix.write_text(with_logs)
    assert proof.run(rights).endswith("224 questions, 0 rows not as written\n")
    matrix.write_text(written)
    # What every user may do, a persona may do too.
    proof.kubectl("create", "rolebinding", "every-user", "--clusterrole=view", "--group=system:authenticated")
    assert differs_from_matrix(proof, rights)
    proof.kubectl("delete", "rolebinding", "every-user")
    # A right too many.
    file = proof.path(PERSONAS)
    file.write_text(file.read_text().replace("[configmaps, pods/log]", "[configmaps, pods/log, secrets]"))
    proof.apply(PERSONAS)
    assert differs_from_matrix(proof, rights)
