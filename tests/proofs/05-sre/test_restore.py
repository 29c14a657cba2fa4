"""Does the model answer as before once its namespace was deleted and restored?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab import keys
from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import CHAPTER, ask, router

from .steps import chapter, install, opened

STORE = chapter["store.sh"]
OBJECTS = chapter["objects.sh"]
RESTORE = chapter["restore.console"]
PORTABLE = chapter["portable.py"]


@contextmanager
def in_reach(proof: Proof) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield what the transcripts exchange, and their environment."""
    space = proof.namespace
    with (
        opened(proof) as requests,
        opened(proof, 8333, "service/s3", proof.addon("objects").namespace) as store,
    ):
        exchange = {
            "http://localhost:8081": requests,
            "namespace llm-d": f"namespace {space}",
            'namespace "llm-d"': f'namespace "{space}"',
            "namespace/llm-d": f"namespace/{space}",
            "../02-installation/chat.py": str(proof.path(CHAPTER["chat.py"])),
        }
        yield exchange, {"ROUTER_URL": requests, "STORE_URL": store}


@proves(
    STORE,
    OBJECTS,
    RESTORE,
    PORTABLE,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    needs=["objects"],
    only_in_lab=True,
    mutants=[
        Mutant(STORE, '--upload-file "$2"', '--upload-file "$0"', because="another file is kept"),
        Mutant(STORE, "writer:%s", "reader:%s", because="a reader may not write"),
        Mutant(RESTORE, "kept 12 objects", "kept 11 objects", because="twelve are a person's"),
        Mutant(
            OBJECTS, "kinds=$kinds,serviceaccounts,roles", "kinds=$kinds,roles", because="the EPP's account"
        ),
        Mutant(PORTABLE, '"kube-root-ca.crt"', '"kube-root-ca"', because="every namespace gets it anyway"),
        Mutant(RESTORE, "wc -l\n12", "wc -l\n11", because="all of them are back"),
        Mutant(RESTORE, "answer: Which process did what?", "answer: none", because="the same answer"),
    ],
)
def test_a_deleted_namespace_comes_back_and_answers_the_same(proof: Proof) -> None:
    assert keys.key("objects-writer")
    install(proof)
    # As after the section on alerts.
    proof.kubectl("create", "configmap", "slo-rules", f"--from-file={proof.path(chapter['slo-rules.yaml'])}")
    with router(proof) as client:
        before = ask(client, "Which process did what?").json()["choices"][0]["message"]
    with in_reach(proof) as (exchange, variables):
        uid = proof.get("namespace", proof.namespace)["metadata"]["uid"]
        if not proof.recording:
            exchange["--timeout=5m"] = "--timeout=1m"
        proof.transcript(RESTORE, exchange=exchange, environment=variables, deadline=400)
    assert proof.get("namespace", proof.namespace)["metadata"]["uid"] != uid
    with router(proof) as client:
        after = ask(client, "Which process did what?").json()["choices"][0]["message"]
    assert after == before
