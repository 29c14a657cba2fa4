"""Chapter 2, OpenShift: who may use a constraint, and the way in, as far as a plain cluster can show it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from proofs.api import Missing, Mutant, Proof, chapter_of, counterpart, proves
from proofs.documents import read_documents
from tests.proofs.installed import SERVICE

chapter = chapter_of(__file__)
BINDING = chapter["openshift-nonroot-rolebinding.yaml"]
INGRESS = chapter["openshift-ingress.yaml"]

#: How a Route writes a duration, by OpenShift's documentation.
DURATION = r"[1-9][0-9]*(us|ms|s|m|h|d)"
#: The role that OpenShift brings along, by the operator that makes it.
NONROOT_ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "system:openshift:scc:nonroot-v2"},
    "rules": [
        {
            "apiGroups": ["security.openshift.io"],
            "resources": ["securitycontextconstraints"],
            "resourceNames": ["nonroot-v2"],
            "verbs": ["use"],
        }
    ],
}
WAY_IN = {
    "metadata": {
        "name": "router",
        "annotations": {
            "route.openshift.io/termination": "edge",
            "haproxy.router.openshift.io/timeout": "5m",
        },
    },
    "spec": {
        "rules": [
            {
                "host": "llm-d.apps.cluster.example",
                "http": {
                    "paths": [
                        {
                            "path": "/v1",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "router", "port": {"name": "http"}}},
                        }
                    ]
                },
            }
        ],
        "tls": [{}],
    },
}


@proves(
    BINDING,
    evidence="ran",
    alone=True,  # the role has no namespace
    mutants=[
        Mutant(BINDING, "scc:nonroot-v2", "scc:anyuid", because="it is another role"),
        Mutant(BINDING, "name: gateway\n", "name: router\n", because="it is another account"),
    ],
)
def test_one_account_may_use_one_constraint(proof: Proof, tmp_path: Path) -> None:
    made = False
    try:
        proof.get("clusterrole", "system:openshift:scc:nonroot-v2")
    except Missing:  # no OpenShift: its role is made here, and taken away again
        made = True
        file = tmp_path / "role.json"
        file.write_text(json.dumps(NONROOT_ROLE))
        proof.kubectl("apply", "--server-side", f"--filename={file}")
    try:
        proof.apply(BINDING)
        proof.wait_until(lambda: may_use(proof, "gateway", "nonroot-v2"), 20, "the account may use it")
        assert not may_use(proof, "gateway", "anyuid")
        assert not may_use(proof, "default", "nonroot-v2")
        account = {"kind": "ServiceAccount", "name": "gateway", "namespace": proof.namespace}
        assert proof.get("rolebinding", "gateway-nonroot-v2")["subjects"] == [account]
    finally:
        if made:
            proof.kubectl("delete", "clusterrole", "system:openshift:scc:nonroot-v2")


def may_use(proof: Proof, account: str, constraint: str) -> bool:
    """Ask the API server whether pods of an account may use a security context constraint."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{proof.namespace}:{account}",
            "resourceAttributes": {
                "namespace": proof.namespace,
                "verb": "use",
                "group": "security.openshift.io",
                "resource": "securitycontextconstraints",
                "name": constraint,
            },
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    allowed: bool = proof.cluster.request("POST", path, body=review).content["status"]["allowed"]
    return allowed


@proves(
    INGRESS,
    evidence="accepted",
    mutants=[
        Mutant(INGRESS, "pathType: Prefix", "pathType: Begins", because="there is no such type"),
        Mutant(INGRESS, "port: {name: http}", "port: {name: web}", because="the Service has no such port"),
        Mutant(INGRESS, "timeout: 5m", "timeout: 5min", because="a Route writes minutes as m"),
    ],
)
def test_the_way_in_leads_to_the_router(proof: Proof) -> None:
    proof.accepted(INGRESS)
    [ingress], [service] = (
        [one.content for one in read_documents(proof.path(listing).read_text(), listing)]
        for listing in (INGRESS, SERVICE)
    )
    assert counterpart(ingress, WAY_IN) == WAY_IN
    [path] = ingress["spec"]["rules"][0]["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    annotations = ingress["metadata"]["annotations"]
    assert re.fullmatch(DURATION, annotations["haproxy.router.openshift.io/timeout"])
