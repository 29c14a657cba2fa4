"""Pretended hardware on nodes, taken away again without a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from proofs.cluster import FIELD_MANAGER, Cluster

MERGE = "application/merge-patch+json"


@contextmanager
def fake_device(cluster: Cluster, node: str, resource: str, count: int) -> Iterator[None]:
    """Let a node offer `count` of an extended resource ("rdma/hca") while the body runs.

    The kubelet leaves alone what it does not know, and allots it to pods like any other.
    """
    before = cluster.request("GET", _path(node)).content["status"]
    fields = ("capacity", "allocatable")
    _patch(cluster, node, {"status": {name: {resource: str(count)} for name in fields}}, "/status")
    try:
        yield
    finally:
        kept = {name: {resource: before.get(name, {}).get(resource)} for name in fields}
        _patch(cluster, node, {"status": kept}, "/status")


@contextmanager
def node_labels(cluster: Cluster, node: str, labels: Mapping[str, str]) -> Iterator[None]:
    """Let a node carry labels while the body runs."""
    before = cluster.request("GET", _path(node)).content["metadata"].get("labels", {})
    _patch(cluster, node, {"metadata": {"labels": dict(labels)}})
    try:
        yield
    finally:
        kept = {name: before.get(name) for name in labels}  # None takes a label away
        _patch(cluster, node, {"metadata": {"labels": kept}})


def _path(node: str) -> str:
    return f"/api/v1/nodes/{node}"


def _patch(cluster: Cluster, node: str, patch: Mapping[str, Any], subresource: str = "") -> None:
    cluster.request(
        "PATCH",
        f"{_path(node)}{subresource}",
        query={"fieldManager": FIELD_MANAGER},
        body=patch,
        content_type=MERGE,
    )
