"""Are policies enforced: in the namespaces that ask for it, and in no others?"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import httpx
import pytest

from lab import addons, cluster, registry
from lab.engine import find_engine
from lab.errors import LabError
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space, image, is_ready, read, space, whole_cluster

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


SIGN = """\
set -eu
mkdir {project} && cd {project}
for who in team stranger; do cosign generate-key-pair --output-key-prefix=$who; done
for image in signed foreign unsigned; do
  cosign copy --allow-http-registry {registry}/{image} {registry}/{project}/$image:1
done
sign="cosign sign --yes --tlog-upload=false --allow-http-registry"
$sign --key=team.key {registry}/{project}/signed:1
$sign --key=stranger.key {registry}/{project}/foreign:1
"""


def in_cosign(script: str) -> str:
    """Return what a script prints in the pod that has cosign."""
    words = ("exec", "--namespace=kyverno", "deployment/cosign", "--", "sh", "-c", script)
    return cluster.kubectl(*words, doing="Signing", timeout=300)


@pytest.fixture
def project() -> Iterator[str]:
    """Return where the registry has an image three times: signed by a team, by a stranger, by nobody."""
    addons.ensure("policies")
    name = f"test-{secrets.token_hex(4)}"
    in_cosign(SIGN.format(project=name, registry=registry.NAME, image=image("simulator")))
    yield name
    in_cosign(f"rm -r {name}")
    for repository in ("signed", "foreign", "unsigned"):
        forget(f"{name}/{repository}")


def forget(repository: str) -> None:
    """Delete all that the lab's registry has in a repository."""
    base = f"http://{registry.address(find_engine())}/v2/{repository}"
    with httpx.Client(headers={"Accept": "*/*"}, trust_env=False) as client:
        for tag in client.get(f"{base}/tags/list").json()["tags"]:
            answer = client.head(f"{base}/manifests/{tag}")
            if answer.is_success:  # another tag of the same content may be gone with it
                client.delete(f"{base}/manifests/{answer.headers['Docker-Content-Digest']}")


def signed_by_the_team(project: str) -> Object:
    """Return the policy: images of the project are admitted if the team has signed them."""
    expression = "images.containers.map(image, verifyImageSignatures(image, [attestors.team])).all(n, n > 0)"
    key = {"data": in_cosign(f"cat {project}/team.pub")}
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ImageValidatingPolicy",
        "metadata": {"name": project},
        "spec": {
            "validationActions": ["Deny"],
            "matchConstraints": {"resourceRules": [pods]},
            "matchImageReferences": [{"glob": f"{registry.NAME}/{project}/*"}],
            "credentials": {"allowInsecureRegistry": True},
            "attestors": [{"name": "team", "cosign": {"key": key, "ctlog": {"insecureIgnoreTlog": True}}}],
            "validations": [{"expression": expression, "message": "the team has not signed this image"}],
        },
    }


def of_project(project: str, name: str) -> Object:
    """Return a pod that serves from an image of the project."""
    made = server()
    made["metadata"]["name"] = name
    made["spec"]["containers"][0]["image"] = f"{registry.NAME}/{project}/{name}:1"
    return made


def test_an_image_is_admitted_by_the_teams_signature_alone(project: str) -> None:
    with whole_cluster(signed_by_the_team(project)), space(ENFORCED) as namespace, space() as other:
        said = wait_until(
            lambda: refusal(namespace, of_project(project, "unsigned")),
            deadline=NOTICED,
            what="an image without a signature is refused",
        )
        assert "the team has not signed this image" in said
        assert "the team has not signed this image" in refusal(namespace, of_project(project, "foreign"))
        assert refusal(other, of_project(project, "unsigned")) == ""

        namespace.create(of_project(project, "signed"))
        what = "the node pulls the signed image, and its pod is Ready"
        wait_until(lambda: is_ready(namespace.read("pod", "signed")), deadline=120, what=what)
        (container,) = namespace.read("pod", "signed")["spec"]["containers"]
        assert re.fullmatch(rf"{registry.NAME}/{project}/signed:1@sha256:[0-9a-f]{{64}}", container["image"])


def server() -> Object:
    """Return a simulator's pod."""
    container = {
        "name": "server",
        "image": image("simulator"),
        "args": ["--model=demo-model", "--port=8000", "--force-dummy-tokenizer"],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "server"}, "spec": spec}
