"""Are policies enforced: in the namespaces that ask for it, and in no others?"""

from __future__ import annotations

import pytest

from lab import addons
from lab.errors import LabError
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space, image, read, space, whole_cluster

pytestmark = pytest.mark.addon

ENFORCED = {"life-with-llm-d/policies": "enforced"}
#: Seconds until Gatekeeper knows a template or a constraint, or has looked around.
NOTICED = 60

REGO = """\
package gpulimits
violation[{"msg": msg}] {
  container := input.review.object.spec.containers[_]
  not container.resources.limits["nvidia.com/gpu"]
  msg := sprintf("container %v must say how many GPUs it takes", [container.name])
}
"""


def template(kind: str) -> Object:
    """Return a policy: every container says how many GPUs it takes."""
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": REGO}],
        },
    }


def constraint(kind: str, namespace: Space) -> Object:
    """Return the demand that a namespace's pods keep the policy."""
    pods = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": [namespace.name]}
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": "gpus"},
        "spec": {"match": pods},
    }


def pod(name: str, gpus: int = 0) -> Object:
    """Return a pod that no node takes, with or without GPUs."""
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    container = {"name": "server", "image": image("simulator"), "resources": {"limits": limits}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeSelector": {"no-such": "node"}, "containers": [container]},
    }


def refusal(namespace: Space, wanted: Object) -> str:
    """Return what the API server says to an object that it refuses, or nothing."""
    try:
        namespace.create(wanted)
    except LabError as error:
        return str(error)
    namespace.kubectl("delete", wanted["kind"], wanted["metadata"]["name"], "--now")
    return ""


def test_a_pod_that_breaks_a_policy_is_refused_with_the_policys_sentence() -> None:
    addons.ensure("gatekeeper")
    with space(ENFORCED) as namespace, space() as other:
        kind = f"Gpus{namespace.name.removeprefix('test-')}"
        namespace.create(pod("older"))
        with whole_cluster(template(kind)):
            wait_until(
                lambda: read("constrainttemplate", kind.lower())["status"]["created"],
                deadline=NOTICED,
                what="the template makes its kind",
            )
            with whole_cluster(constraint(kind, namespace)):
                said = wait_until(
                    lambda: refusal(namespace, pod("greedy")),
                    deadline=NOTICED,
                    what="a pod without limits is refused",
                )
                assert "[gpus] container server must say how many GPUs it takes" in said
                assert refusal(namespace, pod("modest", gpus=1)) == ""
                assert refusal(other, pod("greedy")) == ""
                status = wait_until(
                    lambda: read(kind.lower(), "gpus")["status"].get("violations"),
                    deadline=NOTICED,
                    what="the audit names the pod that was there before",
                )
                assert [(one["namespace"], one["name"]) for one in status] == [(namespace.name, "older")]


def test_a_policy_engine_that_is_away_refuses_nothing() -> None:
    addons.ensure("gatekeeper")
    for kind in ("validating", "mutating"):
        name = f"gatekeeper-{kind}-webhook-configuration"
        hooks = read(f"{kind}webhookconfiguration", name)["webhooks"]
        assert {hook["failurePolicy"] for hook in hooks} == {"Ignore"}
        chosen = [hook["namespaceSelector"] for hook in hooks]
        assert chosen == [{"matchLabels": ENFORCED}] * len(hooks)
