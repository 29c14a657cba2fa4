"""Chapter 2, OpenShift: pods run under a user that the cluster chose, as a plain cluster can show it."""

from __future__ import annotations

import json
from typing import Any

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, counterpart, proves
from tests.proofs.installed import ask, install, pods_of_the_model, router

chapter = chapter_of(__file__)
PROJECT = chapter["restricted-namespace.yaml"]
ASSIGN = chapter["restricted-assign-user.yaml"]
CHECK = chapter["restricted-check-user.yaml"]
AFTER = chapter["restricted-assigned-users.console"]
HOME = chapter["restricted-writable-home.yaml"]
TRIED = chapter["assigned-user.sh"]
FIXED_USER = chapter["refused/restricted-fixed-user.yaml"]

#: The range that the chapter's Project has.
FIRST, LAST = 1000680000, 1000689999
#: The user that the images of router and simulator name.
IMAGES_USER = 65532
#: A user that no range of OpenShift holds.
STRANGER = 10101
#: What the policies look at: pods that are created, where a label says so.
NEW_PODS = {
    "namespaceSelector": {"matchLabels": {"policies.llm-d-book.example/user": "from-the-range"}},
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    ],
}
#: kind -> name -> what the chapter says of the objects of the stand-in.
STAND_IN: dict[str, dict[str, dict[str, Any]]] = {
    "mutatingadmissionpolicy": {
        "assign-user-from-range": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": NEW_PODS,
            "matchConditions": [{"name": "the-pod-names-no-user"}],
            "variables": [{"name": "first"}],
            "mutations": [{"patchType": "ApplyConfiguration"}],
        }
    },
    "mutatingadmissionpolicybinding": {"assign-user-from-range": {"policyName": "assign-user-from-range"}},
    "validatingadmissionpolicy": {
        "check-user-against-range": {
            "failurePolicy": "Fail",
            "matchConstraints": NEW_PODS,
            "variables": [{"name": "range"}, {"name": "users"}],
        }
    },
    "validatingadmissionpolicybinding": {
        "check-user-against-range": {"policyName": "check-user-against-range", "validationActions": ["Deny"]}
    },
}
PROGRAM = """\
import os, pathlib
cache = pathlib.Path.home() / ".cache"
cache.mkdir()
print(f"user {os.getuid()}, group {os.getgid()}: {cache} is mine")
"""
CACHE_WRITER = {
    "restartPolicy": "Never",
    "containers": [
        {
            "name": "cache-writer",
            "command": ["python3", "-c", PROGRAM],
            "env": [{"name": "HOME", "value": "/home/engine"}],
            "volumeMounts": [{"name": "home", "mountPath": "/home/engine"}],
        }
    ],
    "volumes": [{"name": "home", "emptyDir": {"sizeLimit": "1Gi"}}],
}
#: What Pod Security's restricted profile asks of a pod, and of each container.
OF_PODS = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
OF_CONTAINERS = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def stand_in(proof: Proof) -> None:
    """Make the namespace a Project, and wait until both policies are in force."""
    proof.apply(PROJECT)
    proof.wait_until(lambda: is_plain(proof), 20, "no policy of an earlier run is in force")
    proof.apply(ASSIGN)
    proof.wait_until(lambda: user_of(proof) is not None, 20, "a pod gets a user")
    proof.apply(CHECK)
    proof.wait_until(lambda: not takes(proof, STRANGER), 20, "a stranger is refused")


def tried(proof: Proof, user: int | None = None, place: str = "pod", namespace: str = "") -> dict[str, Any]:
    """Return a pod as the server would store it, which may name its user in one place.

    `place` is the whole pod, or one of its two lists of containers.
    """
    named = {} if user is None else {"runAsUser": user}
    pod: dict[str, Any] = {"securityContext": {**OF_PODS, **(named if place == "pod" else {})}}
    for kind, name in (("initContainers", "first"), ("containers", "any")):
        rights = {**OF_CONTAINERS, **(named if place == kind else {})}
        pod[kind] = [{"name": name, "image": "any:1", "securityContext": rights}]
    printed = proof.kubectl(
        "run",
        "any",
        "--image=any:1",
        "--dry-run=server",
        "--output=json",
        f"--overrides={json.dumps({'spec': pod})}",
        f"--namespace={namespace or proof.namespace}",
    )
    stored: dict[str, Any] = json.loads(printed)["spec"]["securityContext"]
    return stored


def is_plain(proof: Proof) -> bool:
    """Tell whether pods get no user, and may name any: the API server forgets a policy with delay."""
    try:
        return "runAsUser" not in tried(proof) and tried(proof, STRANGER)["runAsUser"] == STRANGER
    except CommandFailed:
        return False


def user_of(proof: Proof) -> int | None:
    """Return the user that a pod which names none is given, None without one."""
    user: int | None = tried(proof).get("runAsUser")
    return user


def takes(proof: Proof, user: int, place: str = "pod") -> bool:
    """Tell whether the namespace takes a pod that names its user in a place, or says that it does not."""
    try:
        tried(proof, user, place)
    except CommandFailed as refusal:
        if f"runAsUser must be from {FIRST} to {LAST}, found" in str(refusal):
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
        Mutant(CHECK, "spec.?initContainers", "spec.?none", because="so do those that run first"),
    ],
)
def test_a_pod_gets_a_user_of_the_range_and_can_name_no_other(proof: Proof) -> None:
    stand_in(proof)
    context = tried(proof)
    assert (context["runAsUser"], context["fsGroup"]) == (FIRST, FIRST)
    assert takes(proof, FIRST)
    assert takes(proof, LAST)
    assert takes(proof, LAST, "containers")
    for other in (FIRST - 1, LAST + 1, STRANGER):
        for place in ("pod", "containers", "initContainers"):
            assert not takes(proof, other, place)
    assert tried(proof, LAST)["runAsUser"] == LAST, "who names a user keeps it"
    assert "runAsUser" not in tried(proof, namespace="default"), "other namespaces are left alone"
    for kind, objects in STAND_IN.items():
        for name, spec in objects.items():
            assert counterpart(proof.get(kind, name)["spec"], spec) == spec
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert counterpart(proof.get("namespace", proof.namespace)["metadata"]["labels"], labels) == labels


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
    TRIED,
    evidence="ran",
    uses=["router", "simulator", "envoy", "inference-extension"],
    alone=True,  # policies have no namespace
    only_in_lab=True,  # OpenShift needs no stand-in
    mutants=[
        Mutant(TRIED, "runAsUser: 65532", f"runAsUser: {LAST}", because="it is in the range"),
    ],
)
def test_a_user_of_the_image_is_refused_and_the_old_pods_answer(proof: Proof) -> None:
    install(proof)
    stand_in(proof)
    said = proof.run(["bash", "-e", proof.path(TRIED).name])
    assert f"runAsUser must be from {FIRST} to {LAST}, found {IMAGES_USER}" in said
    assert len(pods_of_the_model(proof)) == 3
    with router(proof) as client:
        assert ask(client, "Who are you?").json()["choices"][0]["message"]["content"] == "Who are you?"


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
    [pod] = proof.apply(HOME)
    assert counterpart(pod["spec"], CACHE_WRITER) == CACHE_WRITER
    pod = proof.wait("pod", "cache-writer", ended, 60)
    assert pod["status"]["phase"] == "Succeeded"
    assert proof.logs("pod/cache-writer") == f"user {FIRST}, group 0: /home/engine/.cache is mine\n"
