"""Does the namespace keep the checklist, and do its policies keep others out?"""

from __future__ import annotations

import pytest

from proofs.api import CommandFailed, Mutant, Proof, proves
from tests.proofs.installed import NAMESPACE

from . import expected
from .steps import chapter, install, pods_of_the_model

POLICIES = chapter["network-policies.yaml"]
QUOTA = chapter["quota.yaml"]
HARDENED = chapter["hardening.console"]
REACH = chapter["reach.sh"]
CLIENT = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=3).status)"


def reaches(proof: Proof, url: str) -> bool:
    """Tell whether a pod of another namespace gets an answer."""
    namespace = proof.addon("client").namespace
    try:
        printed = proof.kubectl(
            "exec", f"--namespace={namespace}", "deployment/client", "--", "python3", "-c", CLIENT, url
        )
    except CommandFailed:
        return False
    return printed.strip() == "200"


@proves(
    POLICIES,
    QUOTA,
    REACH,
    HARDENED,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    needs=["client", "network-policy"],
    alone=True,
    only_in_lab=True,
    mutants=[
        Mutant(
            POLICIES,
            "  podSelector: {}\n  policyTypes: [Ingress]",
            "  podSelector: {matchLabels: {a: b}}\n  policyTypes: [Ingress]",
            because="all pods",
        ),
        Mutant(
            POLICIES, "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]", because="they may call out"
        ),
        Mutant(
            POLICIES, 'help-desk/client: "true"', 'help-desk/customer: "true"', because="customers get in"
        ),
        Mutant(QUOTA, 'services.nodeports: "0"', 'services.nodeports: "1"', because="no port of a node"),
        Mutant(HARDENED, "22 rules, 0 broken", "22 rules, 1 broken", because="all are kept"),
        Mutant(HARDENED, "status 200", "status 403", because="without policies, anyone gets in"),
        Mutant(REACH, ":8000/health", ":8001/health", because="the engine listens on 8000"),
    ],
)
def test_the_namespace_keeps_the_checklist_and_others_out(proof: Proof) -> None:
    proof.apply(NAMESPACE)
    install(proof)
    (pod, *_) = pods_of_the_model(proof)
    address = f"http://{pod['status']['podIP']}:8000/health"
    front = f"http://router.{proof.namespace}:8081/v1/models"
    assert reaches(proof, address)
    client = proof.addon("client").namespace
    proof.transcript(HARDENED)
    assert proof.get("resourcequota", "namespace")["spec"]["hard"] == expected.QUOTA
    assert not reaches(proof, address)
    assert not reaches(proof, front)
    proof.kubectl("label", "namespace", client, "help-desk/client=true")
    try:
        proof.wait_until(lambda: reaches(proof, front), 30, "a customer gets in")
        assert not reaches(proof, address)
    finally:
        proof.kubectl("label", "namespace", client, "help-desk/client-")
    expose = ("expose", "deployment", "router", "--name=open", "--port=8081", "--type=NodePort")
    with pytest.raises(CommandFailed, match="exceeded quota"):
        proof.kubectl(*expose)
