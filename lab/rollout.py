"""Bring rendered objects into the cluster, wait until they work, take them out again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from lab import cluster
from lab.errors import LabError

#: Seconds that all workloads of an add-on have to become ready: as long as a Deployment has by
#: default. Three real engines that start beside other work on two cores need more than half of it.
READY_LIMIT = 600
#: Seconds of waiting after which pods are touched, and what kubectl says then.
LOOK_LIMIT = 5
NOT_YET = "timed out waiting for the condition"
#: Annotation on pods: when the lab last wanted kubelet to look at them.
TOUCHED = "life-with-llm-d/touched"
#: kubectl's own check asks for the schema of the API, which the server refuses for a while
#: after another add-on has taught it new kinds.
UNCHECKED = "--validate=false"
#: What the API server says while an API that it passes on does not answer yet.
BUSY = "currently unable to handle the request"
#: Seconds that such an answer is borne.
BUSY_LIMIT = 60
#: What the API server says when a webhook refused an object.
REFUSED = "denied the request"
#: Every object of a kind, wherever it is.
EVERY = ("--all", "--all-namespaces")
#: Seconds that controllers have to let go of what they manage.
RELEASE_LIMIT = 60
WORKLOADS = ("deployments", "statefulsets", "daemonsets")
#: Lines of a failing container's log in an error.
LOG_LINES = 5

Object = dict[str, Any]


def apply(objects: Path, namespace: str) -> None:
    """Apply a file's objects and wait until they work.

    First namespaces and definitions, then what the API server knew before, and when that
    runs, the kinds that it was just taught: their webhooks answer only then.
    """
    every = read(objects)
    first = [one for one in every if one["kind"] in {"Namespace", "CustomResourceDefinition"}]
    _apply(objects, "first", first)
    definitions = [one for one in first if one["kind"] != "Namespace"]
    if definitions:
        cluster.wait_for("Established", *[f"crd/{one['metadata']['name']}" for one in definitions])
    taught = {one["spec"]["group"] for one in definitions}
    rest = [one for one in every if one not in first]
    custom = [one for one in rest if one["apiVersion"].partition("/")[0] in taught]
    _apply(objects, "then", [one for one in rest if one not in custom])
    _wait_for_workloads(rest, namespace)
    services = [one["metadata"]["name"] for one in rest if one["kind"] == "APIService"]
    if services:
        cluster.wait_for("Available", *[f"apiservice/{name}" for name in services])
    _apply(objects, "last", custom)


def read(file: Path) -> list[Object]:
    """Return the objects that `write` put into a file."""
    objects: list[Object] = json.loads(file.read_text())["items"]
    return objects


def parse(text: str) -> Iterable[Object | None]:
    """Return the objects of manifests as kubectl prints them.

    By PyYAML: its libyaml reads a megabyte of definitions in a second, not in thirty.
    """
    found: Iterable[Object | None] = yaml.load_all(text, Loader=yaml.CSafeLoader)
    return found


def write(file: Path, objects: Iterable[Object | None]) -> None:
    """Write objects to a file that kubectl takes, as JSON: definitions are large."""
    items = [one for one in objects if one]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def make_namespace(name: str, labels: Mapping[str, str]) -> None:
    """Make a namespace, or put the labels on the one that is there."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
    # A field manager for this alone: upstream's manifests may hold the same namespace without these labels.
    cluster.kubectl(
        "apply",
        "--server-side",
        "--field-manager=life-with-llm-d",
        "--filename=-",
        doing=f"Making the namespace {name}",
        given=json.dumps(body),
    )


def annotate_namespace(name: str, annotations: Mapping[str, str]) -> None:
    """Write annotations on a namespace."""
    pairs = [f"{key}={value}" for key, value in annotations.items()]
    cluster.kubectl("annotate", "--overwrite", f"namespace/{name}", *pairs, doing=f"Annotating {name}")


def annotation(namespace: str, key: str) -> str | None:
    """Return an annotation of a namespace: empty without it, None without the namespace."""
    printed = cluster.kubectl(
        "get", "namespace", namespace, "--ignore-not-found", "-o=json", doing=f"Looking for {namespace}"
    )
    if not printed.strip():
        return None
    found: str = json.loads(printed)["metadata"].get("annotations", {}).get(key, "")
    return found


def all_ready(namespace: str) -> bool:
    """Tell whether every workload of a namespace has all its pods ready."""
    return all(map(_is_ready, cluster.listed(",".join(WORKLOADS), f"--namespace={namespace}")))


def wait_until_accepted(file: Path, namespace: str) -> None:
    """Wait until the API server, and every webhook that it asks, takes a file's objects."""
    _try_until(file, namespace, lambda said: not said)


def wait_until_refused(file: Path, namespace: str) -> None:
    """Wait until a webhook refuses a file's objects: one that may be skipped does answer."""
    _try_until(file, namespace, lambda said: REFUSED in said)


def wait_until_answered(path: str, namespace: str) -> None:
    """Wait until a path of the namespace, asked for through the API server, answers without an error.

    A router that is Ready may not know its pods yet.
    """
    address = f"/api/v1/namespaces/{namespace}/{path}"
    ask = partial(_complaint, "get", f"--raw={address}", doing=f"Asking {path}")
    _wait_until(lambda said: not said, ask, path, namespace, interval=0.25)


def _try_until(file: Path, namespace: str, expected: Callable[[str], bool]) -> None:
    """Offer a file to the API server until what it says (nothing, or an error) is expected."""
    words = ("apply", "--server-side", UNCHECKED, "--dry-run=server", f"--filename={file}")
    offer = partial(_complaint, *words, doing=f"Trying {file.name}")
    _wait_until(expected, offer, file.name, namespace, meanwhile=partial(_touch_pods, namespace))


def _wait_until(
    expected: Callable[[str], bool],
    ask: Callable[[], str],
    what: str,
    namespace: str,
    *,
    meanwhile: Callable[[], None] = lambda: None,
    interval: float = 1,
) -> None:
    """Ask until the complaint, or its absence, is expected; `interval` is in seconds."""
    deadline = time.monotonic() + READY_LIMIT
    while not expected(said := ask()):
        if time.monotonic() > deadline:
            message = f"{what}: {said or 'accepted'}\n{diagnosis(namespace)}"
            raise LabError(message)
        meanwhile()
        time.sleep(interval)


def _complaint(*arguments: str, doing: str) -> str:
    """Return what kubectl complains of, empty when it does not."""
    try:
        cluster.kubectl(*arguments, doing=doing)
    except LabError as error:
        return str(error)
    return ""


def _touch_pods(namespace: str) -> None:
    """Let kubelet look at pods again: only then, or after a minute, do they see a changed Secret.

    Many webhooks make their certificate themselves and wait until its file is there.
    """
    cluster.kubectl(
        "annotate",
        "--overwrite",
        "pods",
        "--all",
        f"--namespace={namespace}",
        f"{TOUCHED}={time.time()}",
        doing="Touching pods",
    )


def remove(objects: Path, namespace: str) -> None:
    """Delete a file's objects, custom resources first, then the namespace, and wait for the end.

    Whatever anyone made of the kinds that the file defines goes before their controllers,
    which may have to let go of it.
    """
    groups = _custom_groups()
    every = _served(read(objects)) if objects.exists() else []
    definitions = [one for one in every if one["kind"] == "CustomResourceDefinition"]
    kinds = ",".join(_known(definitions))
    custom = [one for one in every if one["apiVersion"].partition("/")[0] in groups]
    rest = [one for one in every if one not in [*custom, *definitions]]
    _delete_objects(custom, objects, namespace)
    if kinds:
        with suppress(LabError):  # a controller that is away lets nothing go
            _delete(kinds, *EVERY, f"--timeout={RELEASE_LIMIT}s", doing="Removing what add-ons manage")
    _delete_objects(rest, objects, namespace)
    if kinds:
        _release(kinds)
    _delete_objects(definitions, objects, namespace)
    _delete("namespace", namespace, doing=f"Removing {namespace}")


def _delete_objects(chosen: list[Object], objects: Path, namespace: str) -> None:
    if chosen:
        file = objects.with_name("removed.json")
        write(file, chosen)
        _delete(f"--filename={file}", doing=f"Removing what is in {namespace}")


def _served(objects: Iterable[Object]) -> list[Object]:
    """Return the objects of kinds that the cluster has: of others none is left, and `delete` would fail."""
    versions = cluster.kubectl("api-versions", doing="Listing API versions").split()
    return [one for one in objects if one["apiVersion"] in versions]


def _known(definitions: Iterable[Object]) -> list[str]:
    """Return the names, such as `jobsets.jobset.x-k8s.io`, of the definitions that the cluster has."""
    there = cluster.kubectl("get", "crd", "-o=name", doing="Listing custom resources").split()
    names = [str(one["metadata"]["name"]) for one in definitions]
    return [name for name in names if f"customresourcedefinition.apiextensions.k8s.io/{name}" in there]


def _release(kinds: str) -> None:
    """Take the finalizers of objects that no controller lets go any more."""
    for one in cluster.listed(kinds, "--all-namespaces"):
        metadata = one["metadata"]
        cluster.kubectl(
            "patch",
            f"{one['kind']}.{one['apiVersion'].partition('/')[0]}",
            metadata["name"],
            *([f"--namespace={metadata['namespace']}"] if "namespace" in metadata else []),
            "--type=merge",
            '--patch={"metadata": {"finalizers": null}}',
            doing=f"Releasing {metadata['name']}",
        )


def remove_superseded(before: Iterable[Object], objects: Path, namespace: str) -> None:
    """Delete what was applied before and is not in a file's objects: a ConfigMap named by its hash."""
    now = [_identity(one) for one in read(objects)]
    gone = [one for one in before if _identity(one) not in now]
    if gone:
        file = objects.with_name("superseded.json")
        write(file, gone)
        words = (f"--namespace={namespace}", f"--filename={file}")
        _delete(*words, doing=f"Removing what {namespace} no longer needs")


def _delete(*what: str, doing: str) -> None:
    cluster.kubectl("delete", "--ignore-not-found", *what, doing=doing, timeout=READY_LIMIT)


def _identity(one: Object) -> tuple[str, str, str]:
    metadata = one["metadata"]
    return one["apiVersion"], one["kind"], f"{metadata.get('namespace', '')}/{metadata['name']}"


def _is_ready(workload: Object) -> bool:
    status = workload.get("status", {})
    if workload["kind"] == "DaemonSet":
        return bool(status.get("numberReady", 0) == status.get("desiredNumberScheduled", 0))
    return bool(status.get("readyReplicas", 0) == workload["spec"].get("replicas", 1))


def _wait_for_workloads(objects: Iterable[Object], namespace: str) -> None:
    wanted = [one for one in objects if f"{one['kind'].lower()}s" in WORKLOADS]
    deadline = time.monotonic() + READY_LIMIT
    for one in wanted:
        name = f"{one['kind'].lower()}/{one['metadata']['name']}"
        inside = one["metadata"].get("namespace", namespace)
        _restart_if_stuck(name, inside)
        while not _is_rolled_out(name, inside, deadline):
            _touch_pods(inside)


def _is_rolled_out(name: str, namespace: str, deadline: float) -> bool:
    """Wait a few seconds for a workload and tell whether it is ready; raises LabError at the deadline."""
    words = ("rollout", "status", name, f"--namespace={namespace}", f"--timeout={LOOK_LIMIT}s")
    try:
        cluster.kubectl(*words, doing=f"Waiting for {name} in {namespace}", timeout=READY_LIMIT)
    except LabError as error:
        if NOT_YET in str(error) and time.monotonic() < deadline:
            return False
        message = f"{error}\n{diagnosis(namespace)}"
        raise LabError(message) from error
    return True


def _restart_if_stuck(name: str, namespace: str) -> None:
    """Replace the pods of a Deployment that was given up: it would wait for nothing any more."""
    reason = cluster.kubectl(
        "get",
        name,
        f"--namespace={namespace}",
        "-o=jsonpath={.status.conditions[?(@.type=='Progressing')].reason}",
        doing=f"Looking at {name}",
    )
    if reason == "ProgressDeadlineExceeded":
        cluster.kubectl(
            "rollout", "restart", name, f"--namespace={namespace}", doing=f"Restarting {name} in {namespace}"
        )


def diagnosis(namespace: str) -> str:
    """Return what a person wants to know of a namespace whose pods are not ready."""
    pods = cluster.kubectl("get", "pods", f"--namespace={namespace}", "-o=wide", doing="Listing pods")
    events = cluster.kubectl(
        "get",
        "events",
        f"--namespace={namespace}",
        "--field-selector=type=Warning",
        "--sort-by=.lastTimestamp",
        doing="Listing events",
    )
    said = [f"Pods in {namespace}:", *pods.splitlines(), *events.splitlines()[-LOG_LINES:]]
    for pod in _unready(namespace):
        try:
            log = cluster.kubectl(
                "logs",
                pod,
                f"--namespace={namespace}",
                f"--tail={LOG_LINES}",
                "--all-containers",
                "--prefix",
                doing=f"Reading {pod}'s log",
            )
        except LabError as error:
            log = str(error)
        said += [f"{pod} printed:", *log.splitlines()]
    return "\n".join(f"    {line}" for line in said)


def _unready(namespace: str) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in cluster.listed("pods", f"--namespace={namespace}")
        if not all(one.get("ready") for one in pod["status"].get("containerStatuses", [{}]))
    ]


def _custom_groups() -> set[str]:
    printed = cluster.kubectl(
        "get", "crd", "-o=jsonpath={.items[*].spec.group}", doing="Listing custom resources"
    )
    return set(printed.split())


def _apply(objects: Path, part: str, chosen: list[Object]) -> None:
    if not chosen:
        return
    file = objects.with_name(f"{part}.json")
    write(file, chosen)
    deadline = time.monotonic() + BUSY_LIMIT
    while True:
        try:
            cluster.kubectl(
                "apply",
                "--server-side",
                UNCHECKED,
                "--force-conflicts",
                f"--filename={file}",
                doing=f"Applying {objects.parent.name}",
                timeout=120,
            )
        except LabError as error:
            if BUSY not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return
