"""Do nodes offer devices that they do not have, and do these go without a trace?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab import addons, cluster, edition, objects
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space, image, read

pytestmark = pytest.mark.addon

HCA = "rdma/hca"
GPU = objects.GPU
RACK = "topology.llm-d-book.example/rack"
ZONE = "topology.kubernetes.io/zone"
PAUSE = edition.fill("registry.k8s.io/pause:{pause}")
#: Seconds that a pod has to be scheduled and started on a busy host.
STARTED = 120


@pytest.fixture(scope="module")
def worker() -> str:
    """Return the node that has no devices of its own."""
    names = cluster.kubectl("get", "nodes", "-o=name", doing="Listing the nodes").split()
    workers = [name.removeprefix("node/") for name in names if "worker" in name]
    return next(name for name in workers if name not in cluster.gpu_counts())


@contextmanager
def added(spec: str) -> Iterator[None]:
    """Start an add-on and remove it at the end."""
    try:
        addons.ensure(spec)
        yield
    finally:
        addons.remove(spec)


def offered(node: str) -> dict[str, tuple[str, str]]:
    """Return resource -> (capacity, allocatable) of a node's devices."""
    status = read("node", node)["status"]
    return {
        resource: (status["capacity"].get(resource, "gone"), status["allocatable"].get(resource, "gone"))
        for resource in {*status["capacity"], *status["allocatable"]}
        if "/" in resource
    }


def kubelet_writes_status(node: str) -> None:
    """Return when the kubelet has written its node's status again: it repairs a wrong number."""
    patch = json.dumps({"status": {"capacity": {"pods": "109"}}})
    cluster.kubectl(
        "patch", "node", node, "--subresource=status", f"--patch={patch}", doing="Making a number wrong"
    )
    wait_until(
        lambda: read("node", node)["status"]["capacity"]["pods"] == "110",
        deadline=60,
        what="the kubelet repairs its status",
    )


def pod(name: str, container: Object, **spec: object) -> Object:
    """Return a pod of one container that is stopped at once."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": PAUSE, **container}],
            **spec,
        },
    }


def why_pending(found: Object) -> str:
    """Return the scheduler's reason."""
    conditions = found["status"].get("conditions", [])
    return next((str(one["message"]) for one in conditions if one["type"] == "PodScheduled"), "")


def test_a_pod_lands_where_its_devices_are_pretended(namespace: Space, worker: str) -> None:
    with objects.pretended(worker, {GPU: 2, HCA: 1}):
        namespace.create(pod("fits", {"resources": {"limits": {GPU: 2, HCA: 1}}}))
        wait_until(
            lambda: namespace.read("pod", "fits")["status"]["phase"] == "Running",
            deadline=STARTED,
            what="it runs",
        )
        assert namespace.read("pod", "fits")["spec"]["nodeName"] == worker
        namespace.create(pod("too-much", {"resources": {"limits": {HCA: 1}}}))
        wait_until(
            lambda: "Insufficient rdma/hca" in why_pending(namespace.read("pod", "too-much")),
            deadline=STARTED,
            what="the scheduler's reason",
        )


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
    before = read("node", worker)["status"]["capacity"]
    objects.stop_pretending(worker, [HCA])
    assert read("node", worker)["status"]["capacity"] == before


def test_the_add_on_gives_a_node_its_own_devices_back() -> None:
    node, count = next(iter(cluster.gpu_counts().items()))
    spec = f"devices:node={node},devices={GPU}:2 {HCA}:3,namespace=test-devices"
    with added(spec):
        assert offered(node) == {GPU: ("2", "2"), HCA: ("3", "3")}
    assert offered(node) == {GPU: (str(count), str(count))}


def claim(name: str, devices: int) -> Object:
    """Return a claim of some of the driver's devices."""
    exactly = {"deviceClassName": "gpu.example.com", "count": devices}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": name},
        "spec": {"devices": {"requests": [{"name": "gpus", "exactly": exactly}]}},
    }


def claimant(name: str) -> Object:
    """Return a pod that prints the devices that it sees, of the claim of its name, and stays."""
    seen = "sorted(value for value in os.environ.values() if value.startswith('gpu-'))"
    says = f"import os, time; print(*{seen}, flush=True); time.sleep(3600)"
    container = {
        "image": image("python"),
        "command": ["python3", "-c", says],
        "resources": {"claims": [{"name": "gpus"}]},
    }
    claims = [{"name": "gpus", "resourceClaimName": name}]
    return pod(name, container, resourceClaims=claims, restartPolicy="Never")


def test_a_driver_gives_a_pod_the_devices_that_it_claims(namespace: Space) -> None:
    addons.ensure("dra")
    namespace.create(claim("two", 2), claimant("two"), claim("nine", 9), claimant("nine"))
    wait_until(
        lambda: namespace.read("pod", "two")["status"]["phase"] == "Running", deadline=STARTED, what="it runs"
    )
    printed = wait_until(lambda: namespace.kubectl("logs", "two").split(), deadline=STARTED, what="it prints")
    # A claim keeps its devices as long as its pod runs.
    allocated = namespace.read("resourceclaim", "two")["status"]["allocation"]["devices"]["results"]
    assert {one["driver"] for one in allocated} == {"gpu.example.com"}
    # The pod sees just those, through CDI.
    assert printed == sorted(one["device"] for one in allocated)
    assert len(allocated) == 2
    node = namespace.read("pod", "two")["spec"]["nodeName"]
    assert {one["pool"] for one in allocated} == {node}
    # A worker has eight.
    assert "cannot allocate all claims" in why_pending(namespace.read("pod", "nine"))


def spread(pods: int, gpus: int) -> Object:
    """Return pods that only fit on pretended nodes, evenly over the racks."""
    labels = {"app": "spread"}
    template: dict[str, Any] = pod("", {"resources": {"limits": {GPU: gpus}}})["spec"]
    template |= {
        "nodeSelector": {"kwok.x-k8s.io/node": "fake"},
        "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": RACK,
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": labels},
            }
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "spread"},
        "spec": {
            "replicas": pods,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template},
        },
    }


def fake_nodes() -> dict[str, Object]:
    """Return name -> Node of every node without a machine."""
    words = ("get", "nodes", "--selector=kwok.x-k8s.io/node=fake", "-o=json")
    listed = json.loads(cluster.kubectl(*words, doing="Listing the nodes"))["items"]
    return {node["metadata"]["name"]: node for node in listed}


def wait_until_ready(namespace: Space, pods: int) -> None:
    """Return when so many of the pods run."""
    wait_until(
        lambda: namespace.read("deployment", "spread")["status"].get("readyReplicas") == pods,
        deadline=STARTED,
        what=f"{pods} pods run",
    )


def places(namespace: Space) -> list[str]:
    """Return the node of each pod, empty where it has none."""
    return [one["spec"].get("nodeName", "") for one in namespace.list("pods")]


def test_forty_nodes_without_machines_take_pods_rack_by_rack(namespace: Space) -> None:
    spec = "kwok-nodes:count=40,gpus=8,nodes-per-rack=8,racks-per-zone=2"
    with added(spec):
        nodes = fake_nodes()
        assert Counter(node["metadata"]["labels"][RACK] for node in nodes.values()) == {
            f"kwok-{rack}": 8 for rack in range(1, 6)
        }
        assert len({node["metadata"]["labels"][ZONE] for node in nodes.values()}) == 3
        namespace.create(spread(pods=10, gpus=8))
        wait_until_ready(namespace, 10)
        racks = Counter(nodes[place]["metadata"]["labels"][RACK] for place in places(namespace))
        assert racks == {f"kwok-{rack}": 2 for rack in range(1, 6)}
        # Each pod takes a node's eight GPUs, so the last of 41 finds none.
        namespace.kubectl("scale", "deployment/spread", "--replicas=41")
        wait_until_ready(namespace, 40)
        assert sorted(places(namespace)) == ["", *sorted(nodes)]
    assert fake_nodes() == {}
