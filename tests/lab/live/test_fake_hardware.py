"""Do nodes offer devices that they do not have, and do these go without a trace?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import cluster, objects
from tests.harness.waiting import wait_until

HCA = "rdma/hca"
GPU = objects.GPU
SPACE = "fake-hardware"


def status(node: str) -> dict[str, Any]:
    """Return a node's status."""
    printed = cluster.kubectl("get", "node", node, "-o=json", doing=f"Looking at {node}")
    found: dict[str, Any] = json.loads(printed)["status"]
    return found


def offered(node: str) -> dict[str, tuple[str, str]]:
    """Return resource -> (capacity, allocatable) of a node's devices."""
    found = status(node)
    return {
        resource: (found["capacity"].get(resource, "gone"), found["allocatable"].get(resource, "gone"))
        for resource in {*found["capacity"], *found["allocatable"]}
        if "/" in resource
    }


def kubelet_writes_status(node: str) -> None:
    """Return when the kubelet has written its node's status anew: it repairs a wrong number."""
    patch = json.dumps({"status": {"capacity": {"pods": "109"}}})
    cluster.kubectl(
        "patch", "node", node, "--subresource=status", f"--patch={patch}", doing="Making a number wrong"
    )
    wait_until(
        lambda: status(node)["capacity"]["pods"] == "110", deadline=30, what="the kubelet repairs its status"
    )


@pytest.fixture(scope="module")
def worker() -> str:
    """Return the node that has no devices of its own."""
    names = cluster.kubectl("get", "nodes", "-o=name", doing="Listing the nodes").split()
    workers = [name.removeprefix("node/") for name in names if "worker" in name]
    return next(name for name in workers if name not in cluster.gpu_counts())


@pytest.fixture
def space() -> Iterator[str]:
    """Return a namespace that is removed afterwards."""
    cluster.kubectl("create", "namespace", SPACE, doing="Making a namespace")
    yield SPACE
    cluster.kubectl("delete", "namespace", SPACE, doing="Removing a namespace", timeout=120)


def run_pod(space: str, name: str, limits: dict[str, int]) -> None:
    """Create a pod that asks for devices."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": space},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {"name": "pause", "image": "registry.k8s.io/pause:3.10.2", "resources": {"limits": limits}}
            ],
        },
    }
    cluster.kubectl("create", "--filename=-", doing=f"Creating {name}", given=json.dumps(pod))


def pod(space: str, name: str) -> dict[str, Any]:
    """Return a pod."""
    printed = cluster.kubectl("get", "pod", name, f"--namespace={space}", "-o=json", doing=f"Reading {name}")
    found: dict[str, Any] = json.loads(printed)
    return found


def why_pending(space: str, name: str) -> str:
    """Return the scheduler's reason."""
    conditions = pod(space, name)["status"]["conditions"]
    return next(str(one["message"]) for one in conditions if one["type"] == "PodScheduled")


def test_a_pod_lands_where_its_devices_are_pretended(space: str, worker: str) -> None:
    with objects.pretended(worker, {GPU: 2, HCA: 1}):
        run_pod(space, "fits", {GPU: 2, HCA: 1})
        wait_until(
            lambda: pod(space, "fits")["status"]["phase"] == "Running", deadline=30, what="the pod runs"
        )
        assert pod(space, "fits")["spec"]["nodeName"] == worker
        run_pod(space, "too-much", {HCA: 1})
        wait_until(lambda: "Insufficient rdma/hca" in why_pending(space, "too-much"), deadline=10, what="why")


def test_devices_go_without_a_trace(worker: str) -> None:
    assert offered(worker) == {}
    with objects.pretended(worker, {GPU: 8, HCA: 2}):
        assert offered(worker) == {GPU: ("8", "8"), HCA: ("2", "2")}
        kubelet_writes_status(worker)
        assert offered(worker) == {GPU: ("8", "8"), HCA: ("2", "2")}
    assert offered(worker) == {}
    kubelet_writes_status(worker)
    assert offered(worker) == {}


def test_a_node_gets_its_own_number_back() -> None:
    node, count = next(iter(cluster.gpu_counts().items()))

    def fail_with_fewer() -> None:
        with objects.pretended(node, {GPU: count - 1}):
            assert offered(node)[GPU] == (str(count - 1), str(count - 1))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_with_fewer()
    assert offered(node) == {GPU: (str(count), str(count))}


def test_taking_away_what_is_not_there_changes_nothing(worker: str) -> None:
    before = status(worker)["capacity"]
    objects.stop_pretending(worker, [HCA])
    assert status(worker)["capacity"] == before
