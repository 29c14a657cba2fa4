"""What a proof left in the cluster outside of its namespace, and on the nodes.

Everything cluster-scoped is listed when a run ends, as metadata only, and compared with
what this process saw before the run. A run that was alone made whatever is new. Beside
others, it is suspected of what carries its namespace's name, and of what appeared while
its programs ran, unless that carries the name of another run's; then the others' turns
are waited for, since they clean up after themselves, and what is still there was left
behind.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lab import home, rollout
from proofs import namespaces
from proofs.cluster import Cluster, Resource
from proofs.failures import HarnessError, ProofFailed
from proofs.turns import turn

#: Kinds whose objects controllers make and remove by themselves.
DERIVED = {
    "APIService",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterTrustBundle",
    "ComponentStatus",
    "IPAddress",
    "Node",  # looked at in its own way
    "PersistentVolume",
    "StorageVersion",
    "VolumeAttachment",
}
#: API groups of which the same is true.
DERIVED_GROUPS = {"metrics.k8s.io", "reports.kyverno.io", "wgpolicyk8s.io"}
#: Labels and taints that nodes get by themselves.
NODES_OWN = ("node.kubernetes.io/", "node-role.kubernetes.io/")
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
#: Seconds that controllers have to remove what belonged to a run's objects.
PATIENCE = 10.0
#: Seconds that a test of the harness, run beside, has to take away what it left on purpose.
PATIENCE_WITH_OTHERS = 40.0
#: Seconds by which two clocks may differ; objects carry whole seconds.
CLOCKS = 1.5


@dataclass(frozen=True)
class Thing:
    """An object outside of namespaces, or something on a node.

    `identity` tells it from another of its name; `created` is in seconds since 1970, 0
    for what is on a node.
    """

    words: str
    identity: str
    created: float = 0


@dataclass
class Trace:
    """When a run began and when its programs ran, in seconds since 1970, and where."""

    alone: bool
    begin: float = field(default_factory=time.time)
    namespace: str = ""
    programs: list[tuple[float, float]] = field(default_factory=list)

    def may_have_made(self, thing: Thing) -> bool:
        """Tell whether this run could have made a thing that is new after it."""
        if owners := namespaces.named_in(thing.words):
            return self.namespace in owners
        if not thing.created:
            return self.alone or bool(self.programs)
        times = [(self.begin, time.time())] if self.alone else self.programs
        return any(begin - CLOCKS <= thing.created <= end + CLOCKS for begin, end in times)

    @contextlib.contextmanager
    def program(self) -> Iterator[None]:
        """Note the time in which a program of the run does what it likes."""
        begin = time.time()
        try:
            yield
        finally:
            self.programs.append((begin, time.time()))


class Leftovers:
    """Compares the cluster with what this process saw of it before."""

    def __init__(self, cluster: Cluster) -> None:
        """Prepare; the cluster is first looked at when a run begins."""
        self._cluster = cluster
        self._objects: dict[str, Thing] = {}
        self._on_nodes: dict[str, Thing] = {}

    def begin(self) -> None:
        """Look at the cluster before a run; at its objects only the first time."""
        self._objects = self._objects or objects(self._cluster)
        self._on_nodes = on_nodes(self._cluster)

    def left_by(self, trace: Trace) -> list[str]:
        """Return what a run that has cleaned up, and ended its turn, left behind, in words."""
        now = objects(self._cluster)
        suspects = self._suspects(now | on_nodes(self._cluster), trace)
        if suspects:
            suspects = self._after_patience(suspects, PATIENCE)
        if suspects and not trace.alone:
            with turn(alone=True):
                suspects = self._after_patience(suspects, PATIENCE_WITH_OTHERS)
        self._objects = now
        return sorted(suspects.values())

    def _suspects(self, now: Mapping[str, Thing], trace: Trace) -> dict[str, str]:
        """Return path -> words of what is new and could be the run's."""
        new = _new(self._objects | self._on_nodes, now)
        found = {path: thing for path, thing in new.items() if trace.may_have_made(thing)}
        if any(thing.created for thing in found.values()):
            brought = set(_brought_by_addons())
            found = {path: thing for path, thing in found.items() if thing.words not in brought}
        return {path: thing.words for path, thing in found.items()}

    def _after_patience(self, suspects: Mapping[str, str], seconds: float) -> dict[str, str]:
        """Give controllers time; return the suspects that are there after it."""
        end = time.monotonic() + seconds
        left = dict(suspects)
        while left and time.monotonic() < end:
            time.sleep(0.25)
            now = {*objects(self._cluster), *on_nodes(self._cluster)}
            left = {path: words for path, words in left.items() if path in now}
        return left


def objects(cluster: Cluster) -> dict[str, Thing]:
    """Return URL path -> object of all that is in no namespace and belongs to nothing else."""
    resources = [
        resource
        for resource in cluster.outside_namespaces()
        if resource.kind not in DERIVED and resource.api_version.rpartition("/")[0] not in DERIVED_GROUPS
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        listings = pool.map(lambda resource: _listed(cluster, resource), resources)
        return {path: thing for listing in listings for path, thing in listing.items()}


def _listed(cluster: Cluster, resource: Resource) -> dict[str, Thing]:
    # What this user may not list, or an aggregated API that is down, shows nothing.
    try:
        listed = cluster.request("GET", resource.path(""), accept=METADATA).content
    except (ProofFailed, HarnessError):
        return {}
    return {
        resource.path("", metadata["name"]): Thing(
            f"{resource.kind}/{metadata['name']}",
            metadata["uid"],
            datetime.fromisoformat(metadata["creationTimestamp"]).timestamp(),
        )
        for item in listed["items"] or ()  # null when there is none
        for metadata in [item["metadata"]]
        if not _on_its_way_out(metadata)
    }


def _on_its_way_out(metadata: Mapping[str, Any]) -> bool:
    """Tell whether an object goes with its owner, or with a run, or is being deleted."""
    return (
        "deletionTimestamp" in metadata
        or bool(metadata.get("ownerReferences"))
        or namespaces.RUN_LABEL in metadata.get("labels", {})
    )


def on_nodes(cluster: Cluster) -> dict[str, Thing]:
    """Return a key -> what nodes carry: the nodes themselves, labels, taints, devices."""
    try:
        listed = cluster.request("GET", "/api/v1/nodes").content
    except ProofFailed:  # this user may not list nodes, still less change them
        return {}
    return {
        f"{node['metadata']['name']} {what}": Thing(
            f"on node {node['metadata']['name']}: {what}", node["metadata"]["uid"]
        )
        for node in listed["items"]
        for what in _carried(node)
    }


def _carried(node: Mapping[str, Any]) -> Iterable[str]:
    yield "the node"
    for key, value in node["metadata"].get("labels", {}).items():
        if not key.startswith(NODES_OWN):
            yield f"label {key}={value}"
    for taint in node["spec"].get("taints", []):
        if not taint["key"].startswith(NODES_OWN):
            yield f"taint {taint['key']}={taint.get('value', '')}:{taint['effect']}"
    for field_name in ("capacity", "allocatable"):
        for key, value in node.get("status", {}).get(field_name, {}).items():
            if "/" in key:  # cpu, memory, pods … have none, and breathe
                yield f"{field_name} {key}={value}"


def _new(before: Mapping[str, Thing], now: Mapping[str, Thing]) -> dict[str, Thing]:
    return {
        path: thing
        for path, thing in now.items()
        if path not in before or before[path].identity != thing.identity
    }


def _brought_by_addons() -> Iterator[str]:
    """Yield the words of every object that an add-on of the lab brought, by whoever started it."""
    for file in home.folder("addons").glob("*/objects.json"):
        yield f"Namespace/{file.parent.name}"
        with contextlib.suppress(FileNotFoundError, ValueError):  # it is being written
            for one in rollout.read(file):
                yield f"{one['kind']}/{one['metadata']['name']}"
