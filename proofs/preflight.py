"""What a cluster of one's own lacks for the proofs: said before they run."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from proofs import namespaces
from proofs.cluster import Cluster
from proofs.documents import Document
from proofs.failures import ProofFailed
from proofs.listings import listing_files
from proofs.own_cluster import OwnCluster, lacks, objects_of

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
#: What every proof may do in its namespace, beyond applying its listings.
ALWAYS = (
    ("get", "", "pods", "log"),
    ("create", "", "pods", "portforward"),
    ("list", "", "pods", ""),
    ("list", "", "events", ""),
    ("delete", "", "pods", ""),
)


def missing(own: OwnCluster, cluster: Cluster, root: Path, label: str) -> Iterator[str]:
    """Yield a sentence for everything that the listings of a project need and the cluster lacks."""
    wanted = {listing: objects_of(root, listing, own.router_line) for listing in listing_files(root)}
    for listing, documents in wanted.items():
        for kind in lacks(cluster, documents):
            yield f"kind {kind}, for examples/{listing}"
    yield from _rights(cluster, [one for documents in wanted.values() for one in documents], label)
    yield from _storage(cluster)
    yield from _capacity(cluster, wanted)


def _rights(cluster: Cluster, documents: list[Document], label: str) -> Iterator[str]:
    namespace = namespaces.new_name()
    try:
        namespaces.create(cluster, namespace, label)
    except ProofFailed as refusal:
        yield f"the right to make namespaces, without which little can be proved: {refusal}"
        return
    try:
        kinds = {(one.api_version, one.kind) for one in documents}
        resources = [found for key in sorted(kinds) if (found := cluster.resource(*key))]
        asked = [
            (verb, one.api_version.rpartition("/")[0], one.plural, "", one.namespaced)
            for one in resources
            for verb in ("create", "patch")
        ]
        for verb, group, plural, subresource, inside in [*asked, *((*one, True) for one in ALWAYS)]:
            if not _may(cluster, verb, group, plural, subresource, namespace if inside else ""):
                name = ".".join(filter(None, [plural, group])) + (f"/{subresource}" if subresource else "")
                yield f"the right to {verb} {name}{'' if inside else ', which are in no namespace'}"
    finally:
        cluster.delete(namespaces.path(namespace))


def _may(cluster: Cluster, verb: str, group: str, plural: str, subresource: str, namespace: str) -> bool:
    attributes = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "subresource": subresource,
        "namespace": namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(cluster.request("POST", path, body=review).content["status"]["allowed"])


def _storage(cluster: Cluster) -> Iterator[str]:
    try:
        classes = cluster.request("GET", "/apis/storage.k8s.io/v1/storageclasses").content["items"]
    except ProofFailed:
        yield "the right to list storage classes: whether one is the default is not known"
        return
    defaults = [one for one in classes if one["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"]
    if not defaults:
        yield "a default storage class"


def _capacity(cluster: Cluster, wanted: dict[str, list[Document]]) -> Iterator[str]:
    try:
        nodes = cluster.request("GET", "/api/v1/nodes").content["items"]
    except ProofFailed:
        yield "the right to list nodes: what they can carry is not known"
        return
    offered = _sum([(1, node["status"]["allocatable"]) for node in nodes])
    for listing, documents in wanted.items():
        needed = _sum([pair for one in documents for pair in _requests(one.content)])
        for resource, amount in needed.items():
            if amount > offered.get(resource, 0):
                yield (
                    f"{resource}: examples/{listing} asks for {amount.normalize():f}, "
                    f"all nodes together have {offered.get(resource, Decimal(0)).normalize():f}"
                )


def _requests(content: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield how often, and what, the containers of a workload ask for."""
    spec = content.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    for container in pod.get("containers", []) if isinstance(pod, dict) else ():
        resources = container.get("resources", {})
        yield spec.get("replicas", 1), {**resources.get("limits", {}), **resources.get("requests", {})}


def _sum(amounts: list[tuple[int, dict[str, Any]]]) -> dict[str, Decimal]:
    from kubernetes.utils.quantity import parse_quantity  # noqa: PLC0415 - as in cluster.py

    total: dict[str, Decimal] = {}
    for times, resources in amounts:
        for name, amount in resources.items():
            total[name] = total.get(name, Decimal(0)) + times * parse_quantity(amount)  # type: ignore[no-untyped-call]
    return total
