"""Does a backup hold what a restore needs, in the order in which it needs it, and nothing else?"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

from proofs.api import Mutant, Proof, chapter_of, proves

chapter = chapter_of(__file__)
PORTABLE = chapter["portable.py"]


def made(kind: str, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of any object
    """Return an object as an API server answers."""
    metadata = {
        "name": name,
        "namespace": "llm-d",
        "uid": "1",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-11-29T20:00:00Z",
        "managedFields": [{}],
        "labels": {"kept": "yes"},
        **more.pop("metadata", {}),
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
OWNED = {"ownerReferences": [{"kind": "Deployment", "name": "router"}]}
OBJECTS = [
    made("Pod", "router-1", metadata=OWNED),
    made("Service", "router", spec={"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": []}),
    made("Service", "headless", spec={"clusterIP": "None", "clusterIPs": ["None"], "ports": []}),
    made(
        "Deployment",
        "router",
        status={"replicas": 1},
        spec={"replicas": 1},
        metadata={"annotations": {LAST_APPLIED: "{}", "why": "kept"}},
    ),
    made("ConfigMap", "kube-root-ca.crt", data={}),
    made(
        "ConfigMap", "envoy-config", data={"envoy.yaml": "x"}, metadata={"annotations": {LAST_APPLIED: "{}"}}
    ),
    made("ServiceAccount", "default"),
    made("ServiceAccount", "endpoint-picker"),
    made("Secret", "token", data={"key": "c2VjcmV0"}),
    made("InferencePool", "demo", spec={}),
    made("RoleBinding", "endpoint-picker"),
    made("Role", "endpoint-picker"),
    made("Lease", "leader"),
    made("NetworkPolicy", "nothing-by-default"),
    made("Namespace", "another"),
    made("Namespace", "llm-d", spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}),
]


@proves(
    PORTABLE,
    evidence="computed",
    mutants=[
        Mutant(PORTABLE, 'if key != "status"', 'if key != "state"', because="status is no wish"),
        Mutant(PORTABLE, '    "resourceVersion",\n', "", because="with it, a restore is a conflict"),
        Mutant(PORTABLE, '    "uid",\n', "", because="with it, a restore is refused"),
        Mutant(PORTABLE, '    "Namespace",\n', "", because="the rest needs the namespace first"),
        Mutant(PORTABLE, '("ConfigMap", "kube-root-ca.crt")', '("ConfigMap", "ca")', because="it is given"),
        Mutant(PORTABLE, 'one["metadata"].get("ownerReferences")', "False", because="controllers make these"),
        Mutant(PORTABLE, 'or one["kind"] == "Secret"', "", because="no key lies in a backup"),
        Mutant(PORTABLE, '== "None"', '!= "None"', because="headless is a wish, an address isn't"),
        Mutant(PORTABLE, "if annotations:", "if not annotations:", because="an annotation is kept"),
        Mutant(PORTABLE, '["name"] in homes', '["name"]', because="other namespaces stay as they are"),
        Mutant(PORTABLE, 'kept.pop("spec", None)', "pass", because="a finalizer is the server's"),
    ],
)
def test_what_is_kept_can_be_applied_again(proof: Proof) -> None:
    program = proof.module(PORTABLE)
    expected = [
        ("Namespace", "llm-d"),
        ("ServiceAccount", "endpoint-picker"),
        ("ConfigMap", "envoy-config"),
        ("Role", "endpoint-picker"),
        ("RoleBinding", "endpoint-picker"),
        ("NetworkPolicy", "nothing-by-default"),
        ("InferencePool", "demo"),
        ("Service", "headless"),
        ("Service", "router"),
        ("Deployment", "router"),
    ]
    # The order does not depend on the order in which the server answers.
    for seed in range(20):
        objects = random.Random(seed).sample(OBJECTS, len(OBJECTS))  # noqa: S311 - an order, no secret
        kept = program.backup(objects)["items"]
        assert [(one["kind"], one["metadata"]["name"]) for one in kept] == expected
    found = {(one["kind"], one["metadata"]["name"]): one for one in kept}
    for one in kept:
        assert set(one["metadata"]) <= {"name", "namespace", "labels", "annotations"}
        assert one["metadata"]["labels"] == {"kept": "yes"}
        assert "status" not in one
    assert found["Deployment", "router"]["metadata"].get("annotations") == {"why": "kept"}
    assert "annotations" not in found["ConfigMap", "envoy-config"]["metadata"]
    assert found["Service", "router"]["spec"] == {"ports": []}
    assert found["Service", "headless"]["spec"]["clusterIP"] == "None"
    assert "spec" not in found["Namespace", "llm-d"]
    # A backup of what was restored is the same backup.
    assert program.backup(kept) == program.backup(OBJECTS)
    result = keep(proof, json.dumps({"items": OBJECTS}))
    assert result.returncode == 0
    assert json.loads(result.stdout) == program.backup(OBJECTS)
    assert result.stderr == "kept 10 objects\nbring back yourself: token\n"
    assert "c2VjcmV0" not in result.stdout


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "{}", '{"items": [1]}', '{"items": [{}]}', '{"items": []}']
)
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    program = chapter.root / "examples" / PORTABLE
    result = subprocess.run(
        [sys.executable, program], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert result.returncode == 1
    (sentence,) = result.stderr.splitlines()
    assert sentence.startswith(("standard input is no list of objects", "there is nothing to keep"))


def keep(proof: Proof, text: str) -> subprocess.CompletedProcess[str]:
    """Run the program on a list."""
    return subprocess.run(
        [sys.executable, proof.path(PORTABLE)],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
