"""Chapter 2, OpenShift: what its constraints do to a pod, as far as a plain cluster can show it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.examples.test_02_installation import (
    SERVICE,
    ask,
    install,
    pods_of_the_model,
    router,
)

from proofs.api import CommandFailed, Missing, Mutant, Proof, proves

CHAPTER = "02-installation"
PROJECT = f"{CHAPTER}/restricted-namespace.yaml"
ASSIGN = f"{CHAPTER}/restricted-assign-user.yaml"
CHECK = f"{CHAPTER}/restricted-check-user.yaml"
AFTER = f"{CHAPTER}/restricted-assigned-users.console"
HOME = f"{CHAPTER}/restricted-writable-home.yaml"
FIXED_USER = f"{CHAPTER}/refused/restricted-fixed-user.yaml"
BINDING = f"{CHAPTER}/openshift-nonroot-rolebinding.yaml"
INGRESS = f"{CHAPTER}/openshift-ingress.yaml"

#: The range that the chapter's Project has.
FIRST, LAST = 1000680000, 1000689999
#: The user that the images of router and simulator name.
IMAGES_USER = 65532
#: A user that no range of OpenShift holds.
STRANGER = 10101
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


def stand_in(proof: Proof) -> None:
    """Make the namespace a Project, and wait until both policies are in force."""
    proof.apply(PROJECT, ASSIGN)
    proof.wait_until(lambda: user_of(proof) is not None, 20, "a pod gets a user")
    proof.apply(CHECK)
    proof.wait_until(lambda: not takes(proof, STRANGER), 20, "a stranger is refused")


def tried(proof: Proof, context: dict[str, int], *, container: dict[str, int] | None = None) -> str:
    """Return a pod as the server would store it, with more in its security contexts."""
    strict = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod_wide = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    only = {"name": "any", "image": "any:1", "securityContext": {**strict, **(container or {})}}
    pod = {"spec": {"securityContext": {**pod_wide, **context}, "containers": [only]}}
    return proof.kubectl(
        "run", "any", "--image=any:1", "--dry-run=server", "--output=json", f"--overrides={json.dumps(pod)}"
    )


def user_of(proof: Proof) -> int | None:
    """Return the user that a pod which names none is given, None without one."""
    user: int | None = json.loads(tried(proof, {}))["spec"]["securityContext"].get("runAsUser")
    return user


def takes(proof: Proof, user: int, *, container: bool = False) -> bool:
    """Tell whether the namespace takes a pod, or a container, that names its user."""
    fixed = {"runAsUser": user}
    try:
        tried(proof, {} if container else fixed, container=fixed if container else None)
    except CommandFailed as refusal:
        if "runAsUser must be from" in str(refusal):
            return False
        raise
    return True


def ended(pod: dict[str, Any]) -> bool:
    """Tell whether a pod's program has ended, well or not."""
    return pod["status"]["phase"] in {"Succeeded", "Failed"}


def users(proof: Proof) -> list[dict[str, Any]]:
    """Return as whom each container's first process runs, by the status of the pods."""
    return [
        container["user"]["linux"]
        for pod in proof.objects("pod")
        for container in pod["status"]["containerStatuses"]
    ]


def restart(proof: Proof) -> None:
    """Restart router and simulator and wait until only the new pods are left."""
    proof.kubectl("rollout", "restart", "deployment/router", "deployment/simulator")
    for deployment in ("router", "simulator"):
        proof.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=90s")
    proof.wait_until(lambda: len(proof.objects("pod")) == 4, 60, "the old pods are gone")


@proves(
    PROJECT,
    ASSIGN,
    CHECK,
    evidence="ran",
    alone=True,  # policies have no namespace
    only_in_lab=True,  # OpenShift needs no stand-in
    mutants=[
        Mutant(PROJECT, "1000680000/", "1000690000/", because="it is another range"),
        Mutant(PROJECT, "user: from-the-range", "user: from-the-image", because="no policy applies"),
        Mutant(ASSIGN, "split('/')[0]", "split('/')[1]", because="that is their number"),
        Mutant(ASSIGN, "operations: [CREATE]", "operations: [UPDATE]", because="pods are created"),
        Mutant(ASSIGN, "fsGroup: variables.first", "fsGroup: 0", because="volumes are the pod's"),
        Mutant(CHECK, "user < variables", "user <= variables", because="one ID too many"),
        Mutant(CHECK, "user >= variables", "user > variables", because="the first is theirs"),
        Mutant(CHECK, "container.?securityContext.?runAsUser", "container.?none", because="containers count"),
    ],
)
def test_a_pod_gets_a_user_of_the_range_and_can_name_no_other(proof: Proof) -> None:
    stand_in(proof)
    context = json.loads(tried(proof, {}))["spec"]["securityContext"]
    assert (context["runAsUser"], context["fsGroup"]) == (FIRST, FIRST)
    assert takes(proof, FIRST)
    assert takes(proof, LAST)
    assert takes(proof, LAST, container=True)
    for other in (FIRST - 1, LAST + 1, STRANGER):
        assert not takes(proof, other)
        assert not takes(proof, other, container=True)


@proves(
    AFTER,
    evidence="ran",
    uses=["router", "simulator", "envoy", "inference-extension"],
    alone=True,  # policies have no namespace
    only_in_lab=True,  # OpenShift needs no stand-in
    mutants=[
        Mutant(AFTER, f"{FIRST},{FIRST}", f"{FIRST},65532", because="both containers have the user"),
    ],
)
def test_router_and_model_run_under_a_user_that_the_cluster_chose(proof: Proof) -> None:
    install(proof)
    assert {user["uid"] for user in users(proof)} == {IMAGES_USER}
    stand_in(proof)
    restart(proof)
    assert all(user == {"uid": FIRST, "gid": 0, "supplementalGroups": [0, FIRST]} for user in users(proof))
    proof.transcript(AFTER)
    with router(proof) as client:
        answer = ask(client, "Who are you?")
    assert answer.json()["choices"][0]["message"]["content"] == "Who are you?"
    own_user = {"spec": {"template": {"spec": {"securityContext": {"runAsUser": IMAGES_USER}}}}}
    proof.kubectl("patch", "deployment/simulator", f"--patch={json.dumps(own_user)}")
    proof.wait_until(
        lambda: any("runAsUser must be from" in event["message"] for event in proof.objects("event")),
        20,
        "no pod with a user of its own",
    )
    assert len(pods_of_the_model(proof)) == 3


@proves(
    FIXED_USER,
    evidence="refused",
    alone=True,  # policies have no namespace
    only_in_lab=True,  # OpenShift needs no stand-in
    mutants=[Mutant(FIXED_USER, "runAsUser: 10101", f"runAsUser: {FIRST + 7}", because="it is in the range")],
)
def test_a_user_from_elsewhere_is_refused(proof: Proof) -> None:
    stand_in(proof)
    proof.refused(FIXED_USER)


@proves(
    HOME,
    evidence="ran",
    needs=["prometheus"],  # for the image of Python
    uses=["python"],
    alone=True,  # policies have no namespace
    only_in_lab=True,  # OpenShift needs no stand-in
    mutants=[
        Mutant(HOME, "value: /home/engine", "value: /", because="the image's root is not theirs"),
        Mutant(HOME, "mountPath: /home/engine", "mountPath: /home/other", because="no home is mounted"),
    ],
)
def test_a_home_on_an_empty_volume_can_be_written(proof: Proof) -> None:
    stand_in(proof)
    proof.apply(HOME)
    pod = proof.wait("pod", "cache-writer", ended, 60)
    assert pod["status"]["phase"] == "Succeeded"
    assert proof.logs("pod/cache-writer") == f"user {FIRST}, group 0: /home/engine/.cache is mine\n"


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
    yaml = YAML(typ="safe")
    ingress, service = yaml.load(proof.path(INGRESS)), yaml.load(proof.path(SERVICE))
    [path] = ingress["spec"]["rules"][0]["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    annotations = ingress["metadata"]["annotations"]
    assert re.fullmatch(DURATION, annotations["haproxy.router.openshift.io/timeout"])
