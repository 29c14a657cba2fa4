"""Check a namespace against rules; name what breaks them, and the remedy.

Reads objects from standard input, as `kubectl get -o json` prints them.
Exits with 1 if a rule is broken.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]
Check = Callable[[list[Object]], Iterator[str]]

#: What should be true, the remedy, and what names the objects that break it.
RULES: list[tuple[str, str, Check]] = []
#: A version or a digest; `latest` and a missing tag are neither.
PINNED = re.compile(r".+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)")
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
EVERYONE = {"system:authenticated", "system:unauthenticated"}


def rule(sentence: str, remedy: str) -> Callable[[Check], Check]:
    """Add a rule to the checklist."""

    def add(check: Check) -> Check:
        RULES.append((sentence, remedy, check))
        return check

    return add


def of_kind(objects: list[Object], *kinds: str) -> Iterator[Object]:
    """Yield the objects of some kinds."""
    return (one for one in objects if one["kind"] in kinds)


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Yield the name of each workload, and what its pods are."""
    for one in of_kind(objects, *WORKLOADS):
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


def resources(one: Object, key: str) -> Object:
    """Return what a container requests, or its limits."""
    found: Object = one.get("resources", {}).get(key, {})
    return found


def pause(one: Object) -> float:
    """Return the seconds of a container's preStop; infinite without one."""
    hook = one.get("lifecycle", {}).get("preStop", {})
    if "sleep" in hook:
        return float(hook["sleep"]["seconds"])
    words = " ".join(hook.get("exec", {}).get("command", []))
    found = re.search(r"sleep (\d+)", words)
    return float(found[1]) if found else math.inf


def serves(one: Object) -> bool:
    """Return whether a workload's pods are model servers, by their labels."""
    labels = one["spec"]["template"]["metadata"].get("labels", {})
    component = labels.get("app.kubernetes.io/component")
    return component == "model-server" or "llm-d.ai/role" in labels


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
    """Return whether a selector finds labels; expressions don't count."""
    wanted = selector.get("matchLabels", {}).items()
    return "matchExpressions" not in selector and wanted <= labels.items()


rule("no container runs as root", "runAsNonRoot: true")(
    of_containers(lambda one, pod: secured(one, pod, "runAsNonRoot") is True)
)
rule("no container gains privileges", "allowPrivilegeEscalation: false")(
    of_containers(
        lambda one, _: (
            secured(one, {}, "allowPrivilegeEscalation") is False
            and not secured(one, {}, "privileged")
        )
    )
)
rule("no container has a capability", "capabilities: {drop: [ALL]}")(
    of_containers(
        lambda one, _: secured(one, {}, "capabilities") == {"drop": ["ALL"]}
    )
)
rule("no container writes to its image", "readOnlyRootFilesystem: true")(
    of_containers(
        lambda one, _: secured(one, {}, "readOnlyRootFilesystem") is True
    )
)
rule("system calls are filtered", "seccompProfile: {type: RuntimeDefault}")(
    of_containers(
        lambda one, pod: (
            (secured(one, pod, "seccompProfile") or {}).get("type")
            == "RuntimeDefault"
        )
    )
)
rule("every image has a version", "a tag that isn't latest, or a digest")(
    of_containers(lambda one, _: bool(PINNED.fullmatch(one["image"])))
)
rule("cpu and memory are requested, and memory limited", "resources")(
    of_containers(
        lambda one, _: (
            {"cpu", "memory"} <= set(resources(one, "requests"))
            and "memory" in resources(one, "limits")
        )
    )
)
rule("every container is probed", "readinessProbe and livenessProbe")(
    of_containers(
        lambda one, _: {"readinessProbe", "livenessProbe"} <= set(one)
    )
)
rule(
    "every container gets time to end",
    "preStop, and a longer terminationGracePeriodSeconds",
)(
    of_containers(
        lambda one, pod: (
            pause(one) < pod.get("terminationGracePeriodSeconds", 30)
        )
    )
)


@rule(
    "no pod uses its node's network, processes or files",
    "no hostNetwork, hostPID, hostIPC, hostPath",
)
def _(objects: list[Object]) -> Iterator[str]:
    for name, pod in pods(objects):
        shared = any(
            pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")
        )
        if shared or any("hostPath" in one for one in pod.get("volumes", [])):
            yield name


@rule(
    "a pod has the API's token only with a ServiceAccount of its purpose",
    "automountServiceAccountToken: false",
)
def _(objects: list[Object]) -> Iterator[str]:
    for name, pod in pods(objects):
        account = pod.get("serviceAccountName", "default")
        if account == "default" and (
            pod.get("automountServiceAccountToken") is not False
        ):
            yield name


@rule(
    "workloads with several pods have a disruption budget",
    "a PodDisruptionBudget for their labels",
)
def _(objects: list[Object]) -> Iterator[str]:
    budgets = [
        one["spec"].get("selector", {})
        for one in of_kind(objects, "PodDisruptionBudget")
    ]
    for one in of_kind(objects, "Deployment", "StatefulSet"):
        labels = one["spec"]["template"]["metadata"].get("labels", {})
        several = one["spec"].get("replicas", 1) > 1
        if several and not any(matches(found, labels) for found in budgets):
            yield one["metadata"]["name"]


@rule(
    "the namespace refuses pods with more rights",
    "label pod-security.kubernetes.io/enforce: restricted",
)
def _(objects: list[Object]) -> Iterator[str]:
    label = "pod-security.kubernetes.io/enforce"
    for one in of_kind(objects, "Namespace"):
        if one["metadata"].get("labels", {}).get(label) != "restricted":
            yield one["metadata"]["name"]


@rule(
    "what no policy allows can't connect",
    "a NetworkPolicy for all pods, without ingress",
)
def _(objects: list[Object]) -> Iterator[str]:
    if not any(
        not one["spec"].get("podSelector")
        and "Ingress" in one["spec"].get("policyTypes", [])
        and not one["spec"].get("ingress")
        for one in of_kind(objects, "NetworkPolicy")
    ):
        yield "no NetworkPolicy for all pods without ingress"


@rule(
    "model servers open no connection",
    "policyTypes with Egress, and no egress",
)
def _(objects: list[Object]) -> Iterator[str]:
    policies = [
        one["spec"]
        for one in of_kind(objects, "NetworkPolicy")
        if "Egress" in one["spec"].get("policyTypes", [])
    ]
    servers = list(filter(serves, of_kind(objects, *WORKLOADS)))
    for one in servers:
        labels = one["spec"]["template"]["metadata"]["labels"]
        own = [one for one in policies if matches(one["podSelector"], labels)]
        # Policies add up: one that lets out outweighs one that doesn't.
        if not own or any(policy.get("egress") for policy in own):
            yield one["metadata"]["name"]
    if not servers:
        yield "no workload has the label of a model server"


@rule("the namespace has a quota", "a ResourceQuota")
def _(objects: list[Object]) -> Iterator[str]:
    if not list(of_kind(objects, "ResourceQuota")):
        yield "no ResourceQuota"


@rule("no Service is open to the outside", "type: ClusterIP")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Service"):
        if one["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield one["metadata"]["name"]


@rule("no Role allows everything of anything", "verbs and resources by name")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Role"):
        for rule in one.get("rules") or []:
            if "*" in (*rule.get("verbs", []), *rule.get("resources", [])):
                yield one["metadata"]["name"]


@rule("no Role reads Secrets", "mount the Secret that a pod needs")
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "Role"):
        for rule in one.get("rules") or []:
            if "secrets" in rule.get("resources", []):
                yield one["metadata"]["name"]


@rule(
    "no right is for everyone, or for pods without an account",
    "a ServiceAccount for each purpose",
)
def _(objects: list[Object]) -> Iterator[str]:
    for one in of_kind(objects, "RoleBinding"):
        for subject in one.get("subjects") or []:
            everyone = subject["name"] in EVERYONE
            if everyone or (subject["kind"], subject["name"]) == (
                "ServiceAccount",
                "default",
            ):
                yield one["metadata"]["name"]


@rule("the pool says what happens without an EPP", "failureMode: FailClose")
def _(objects: list[Object]) -> Iterator[str]:
    pools = list(of_kind(objects, "InferencePool"))
    for one in pools:
        if one["spec"]["endpointPickerRef"].get("failureMode") != "FailClose":
            yield one["metadata"]["name"]
    if not pools:
        yield "no InferencePool"


@rule(
    "the EPP loads no alpha plugins, and shows no profiles",
    "--enable-pprof=false",
)
def _(objects: list[Object]) -> Iterator[str]:
    pickers = {
        name: words
        for name, one, _ in containers(objects)
        if "--pool-name" in (words := " ".join(one.get("args", [])))
    }
    for name, words in pickers.items():
        if (
            "--enable-pprof=false" not in words
            or "allow-experimental-plugins" in words
        ):
            yield name
    if not pickers:
        yield "no container with --pool-name"


def of_one_namespace(objects: list[Object]) -> list[Object]:
    """Return objects without the Namespaces that hold none of them."""
    homes = {one["metadata"].get("namespace") for one in objects}
    return [
        one
        for one in objects
        if one["kind"] != "Namespace" or one["metadata"]["name"] in homes
    ]


def main() -> int:
    """Print the checklist; return 1 if a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    if sys.stdin.isatty():
        sys.exit("usage: kubectl get <kinds> -o json | python hardening.py")
    broken = 0
    try:
        objects = of_one_namespace(json.load(sys.stdin)["items"])
        kinds = {one["kind"] for one in objects}
        if missing := {"Namespace", "Deployment"} - kinds:
            sys.exit(
                f"standard input has no {' and no '.join(missing)} "
                "that belong together"
            )
        for sentence, remedy, check in RULES:
            found = list(dict.fromkeys(check(objects)))
            broken += bool(found)
            print(f"{'NO ' if found else 'ok '} {sentence}")
            for one in found:
                print(f"      {one}")
            if found:
                print(f"      remedy: {remedy}")
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        sys.exit(f"standard input is no list of objects: {error!r}")
    print(f"{len(RULES)} rules, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
