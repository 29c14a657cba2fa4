"""What a cluster that is not the lab lacks for the proofs: told before they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lab import checks
from proofs import namespaces
from proofs.cluster import Cluster
from proofs.documents import Document
from proofs.failures import ProofFailed
from proofs.listings import listing_files
from proofs.own_cluster import OwnCluster, lacks, objects_of

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
    review = checks.access_review(verb, group, plural, subresource, namespace)
    return bool(cluster.request("POST", checks.REVIEWS, body=review).content["status"]["allowed"])


def _storage(cluster: Cluster) -> Iterator[str]:
    try:
        classes = cluster.request("GET", "/apis/storage.k8s.io/v1/storageclasses").content["items"]
    except ProofFailed:
        yield "the right to list storage classes: whether one is the default is not known"
        return
    if not checks.has_default_storage(classes):
        yield "a default storage class"


def _capacity(cluster: Cluster, wanted: dict[str, list[Document]]) -> Iterator[str]:
    try:
        nodes = cluster.request("GET", "/api/v1/nodes").content["items"]
    except ProofFailed:
        yield "the right to list nodes: what they can carry is not known"
        return
    for listing, documents in wanted.items():
        short = checks.over_capacity(nodes, [one.content for one in documents])
        for resource, (amount, offered) in short.items():
            yield (
                f"{resource}: examples/{listing} asks for {amount.normalize():f}, "
                f"all nodes together have {offered.normalize():f}"
            )
