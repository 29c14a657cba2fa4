"""Hold a namespace against a checklist, and name what breaks each line.

Reads objects from standard input, as `kubectl get -o json` prints them.
Exits with 1 if a line isn't kept.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]
Check = Callable[[list[Object]], Iterator[str]]

CHECKS: list[tuple[str, Check]] = []
#: A version or a digest; `latest` and a missing tag are neither.
PINNED = re.compile(r".+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)")
EVERYONE = {"system:authenticated", "system:unauthenticated"}


def line(sentence: str) -> Callable[[Check], Check]:
    """Add a line to the checklist: what should be true."""

    def add(check: Check) -> Check:
        CHECKS.append((sentence, check))
        return check

    return add


def of_kind(objects: list[Object], *kinds: str) -> Iterator[Object]:
    """Yield the objects of some kinds."""
    return (one for one in objects if one["kind"] in kinds)


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Yield the name of each workload, and what its pods are."""
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    for one in of_kind(objects, *kinds):
        yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers(objects: list[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Yield the name of each container, the container, and its pod."""
    for name, pod in pods(objects):
        for one in (*pod["containers"], *pod.get("initContainers", [])):
            yield f"{name}/{one['name']}", one, pod


def secured(one: Object, pod: Object, key: str) -> Any:  # noqa: ANN401
    """Return what a container's security context says, or its pod's."""
    own = one.get("securityContext", {})
    return own.get(key, pod.get("securityContext", {}).get(key))


def of_containers(
    is_kept: Callable[[Object, Object], bool],
) -> Check:
    """Return a check that names the containers for which it isn't kept."""

    def check(objects: list[Object]) -> Iterator[str]:
        for name, one, pod in containers(objects):
            if not is_kept(one, pod):
                yield name

    return check


def matches(selector: Object, labels: Object) -> bool:
    """Return whether a selector of labels alone finds these labels."""
    return selector.get("matchLabels", {}).items() <= labels.items()


line("no container runs as root")(
    of_containers(lambda one, pod: secured(one, pod, "runAsNonRoot") is True)
)
line("no container gains privileges")(
    of_containers(
        lambda one, _: (
            secured(one, {}, "allowPrivilegeEscalation") is False
            and not secured(one, {}, "privileged")
        )
    )
)
line("no container has a capability")(
    of_containers(
        lambda one, _: secured(one, {}, "capabilities") == {"drop": ["ALL"]}
    )
)
line("no container writes to its image")(
    of_containers(
        lambda one, _: secured(one, {}, "readOnlyRootFilesystem") is True
    )
)
line("system calls are filtered")(
    of_containers(
        lambda one, pod: (
            (secured(one, pod, "seccompProfile") or {}).get("type")
            == "RuntimeDefault"
        )
    )
)
line("every image has a version")(
    of_containers(lambda one, _: bool(PINNED.fullmatch(one["image"])))
)
line("cpu and memory are requested, and memory limited")(
    of_containers(
        lambda one, _: (
            {"cpu", "memory"} <= set(one["resources"].get("requests", {}))
            and "memory" in one["resources"].get("limits", {})
        )
    )
)
line("every container is probed")(
    of_containers(
        lambda one, _: {"readinessProbe", "livenessProbe"} <= set(one)
    )
)
line("every container gets time to end")(
    of_containers(
        lambda one, pod: (
            one.get("lifecycle", {})
            .get("preStop", {})
            .get("sleep", {})
            .get("seconds", pod["terminationGracePeriodSeconds"])
            < pod["terminationGracePeriodSeconds"]
        )
    )
)


@line("no pod uses its node's network, processes or files")
def _(objects: list[Object]) -> Iterator[str]:
    for name, pod in pods(objects):
        shared = any(
            pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")
        )
        if shared or any("hostPath" in one for one in pod.get("volumes", [])):
            yield name


@line("a pod has the API's token only with a ServiceAccount of its purpose")
def _(objects: list[Object]) -> Iterator[str]:
    for name, pod in pods(objects):
        account = pod.get("serviceAccountName", "default")
        if account == "default" and (
            pod.get("automountServiceAccountToken") is not False
        ):
            yield name


@line("workloads with several pods have a disruption budget")
def _(objects: list[Object]) -> Iterator[str]:
    budgets = [
        one["spec"].get("selector", {})
        for one in of_kind(objects, "PodDisruptionBudget")
    ]
    for one in of_kind(objects, "Deployment", "StatefulSet"):
        labels = one["spec"]["template"]["metadata"]["labels"]
        several = one["spec"].get("replicas", 1) > 1
        if several and not any(matches(found, labels) for found in budgets):
            yield one["metadata"]["name"]


@line("the namespace refuses pods with more rights")
def _(objects: list[Object]) -> Iterator[str]:
    label = "pod-security.kubernetes.io/enforce"
    for one in of_kind(objects, "Namespace"):
        if one["metadata"].get("labels", {}).get(label) != "restricted":
            yield one["metadata"]["name"]


@line("what no policy allows can't connect")
def _(objects: list[Object]) -> Iterator[str]:
    if not any(
        not one["spec"].get("podSelector")
        and "Ingress" in one["spec"].get("policyTypes", [])
        and not one["spec"].get("ingress")
        for one in of_kind(objects, "NetworkPolicy")
    ):
        yield "no NetworkPolicy for all pods without ingress"


@line("model servers open no connection")
def _(objects: list[Object]) -> Iterator[str]:
    closed = [
        one["spec"]["podSelector"]
        for one in of_kind(objects, "NetworkPolicy")
        if "Egress" in one["spec"].get("policyTypes", [])
        and not one["spec"].get("egress")
    ]
    for one in of_kind(objects, "Deployment", "StatefulSet"):
        labels = one["spec"]["template"]["metadata"]["labels"]
        serves = labels.get("app.kubernetes.io/component") == "model-server"
        if serves and not any(matches(found, labels) for found in closed):
            yield one["metadata"]["name"]


@line("the namespace has a quota")
def _(objects: list[Object]) -> Iterator[str]:
    if not list(of_kind(objects, "ResourceQuota")):
        yield "no ResourceQuota"


@line("no Service is open to the outside")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Service"):
        if one["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield one["metadata"]["name"]


@line("no Role allows everything of anything")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Role"):
        for rule in one.get("rules") or []:
            if "*" in (*rule.get("verbs", []), *rule.get("resources", [])):
                yield one["metadata"]["name"]


@line("no Role reads Secrets")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Role"):
        for rule in one.get("rules") or []:
            if "secrets" in rule.get("resources", []):
                yield one["metadata"]["name"]


@line("no right is for everyone, or for pods without an account")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "RoleBinding"):
        for subject in one.get("subjects") or []:
            everyone = subject["name"] in EVERYONE
            if everyone or (subject["kind"], subject["name"]) == (
                "ServiceAccount",
                "default",
            ):
                yield one["metadata"]["name"]


@line("the pool says what happens without an EPP")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "InferencePool"):
        if one["spec"]["endpointPickerRef"].get("failureMode") != "FailClose":
            yield one["metadata"]["name"]


@line("the EPP loads no alpha plugins, and shows no profiles")
def _(objects: list[Object]) -> Iterator[str]:
    for name, one, _pod in containers(objects):
        words = one.get("args", [])
        if any(word.startswith("--pool-name") for word in words) and (
            "--enable-pprof=false" not in words
            or any("allow-experimental-plugins" in word for word in words)
        ):
            yield name


def of_one_namespace(objects: list[Object]) -> list[Object]:
    """Return objects without the Namespaces that hold none of them."""
    homes = {one["metadata"].get("namespace") for one in objects}
    return [
        one
        for one in objects
        if one["kind"] != "Namespace" or one["metadata"]["name"] in homes
    ]


def main() -> int:
    """Print the checklist; return 1 if a line isn't kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    if sys.stdin.isatty():
        sys.exit("usage: kubectl get <kinds> -o json | python hardening.py")
    broken = 0
    try:
        objects = of_one_namespace(json.load(sys.stdin)["items"])
        kinds = {one["kind"] for one in objects}
        if missing := {"Namespace", "Deployment"} - kinds:
            sys.exit(f"standard input has no {' and no '.join(missing)}")
        for sentence, check in CHECKS:
            found = list(dict.fromkeys(check(objects)))
            broken += bool(found)
            print(f"{'NO ' if found else 'ok '} {sentence}")
            for one in found:
                print(f"      {one}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"standard input is no list of objects: {error!r}")
    print(f"{len(CHECKS)} lines, {broken} not kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
