"""Do the autoscalers follow what model servers report, up and down again?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab import addons, cluster
from proofs.cluster import Cluster
from proofs.waiting import holds, wait_until

pytestmark = pytest.mark.addon

#: Seconds for a metric to be scraped, asked for, and followed: the autoscaler of
#: Kubernetes looks every 15 seconds.
DEADLINE = 120
SCALE_DOWN_AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}


@pytest.fixture(scope="module")
def server() -> Cluster:
    """Return the API server, as the lab's user."""
    return Cluster(cluster.connect().kubeconfig)


@pytest.fixture
def space(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the namespace of a fleet of one simulator; the fleet is removed afterwards."""
    fleet = f"fleet:model=scaled,replicas=1,fake-metrics=on,namespace={request.param}"
    yield addons.ensure(fleet).namespace
    addons.remove(fleet)


def report_waiting(server: Cluster, space: str, pod: str, requests: int) -> None:
    """Make a simulator report that requests wait."""
    path = f"/api/v1/namespaces/{space}/pods/{pod}:8000/proxy/admin/config"
    server.request("POST", path, body={"fake-metrics": {"waiting-requests": requests}})


def pods(space: str) -> list[str]:
    """Return the names of the fleet's pods that serve and are not about to end."""
    words = f"get pods --namespace={space} --selector=app=sim -o=json"
    found = json.loads(cluster.kubectl(*words.split(), doing="Listing the fleet's pods"))["items"]
    alive = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    return [pod["metadata"]["name"] for pod in alive if holds("Ready", pod)]


def apply(body: dict[str, Any]) -> None:
    """Apply an object."""
    cluster.kubectl("apply", "--filename=-", doing=f"Applying {body['kind']}", given=json.dumps(body))


def expect_replicas(space: str, count: int) -> None:
    """Wait until so many pods of the fleet serve."""
    wait_until(
        lambda: len(pods(space)) == count,
        deadline=DEADLINE,
        what=f"{count} pods in {space}",
        interval=1,
    )


@pytest.mark.parametrize("space", ["scaled-by-hpa"], indirect=True)
def test_the_autoscaler_follows_a_custom_metric(server: Cluster, space: str) -> None:
    addons.ensure("prometheus-adapter")
    (first,) = pods(space)
    report_waiting(server, space, first, 20)
    path = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{space}/pods/*/vllm_num_requests_waiting"

    def served() -> dict[str, str]:
        items = server.request("GET", path).content["items"]
        return {item["describedObject"]["name"]: item["value"] for item in items}

    wait_until(lambda: served() == {first: "20"}, deadline=DEADLINE, what="the metric is served", interval=1)
    apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "sim", "namespace": space},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "sim"},
                "minReplicas": 1,
                "maxReplicas": 4,
                "behavior": SCALE_DOWN_AT_ONCE,
                "metrics": [
                    {
                        "type": "Pods",
                        "pods": {
                            "metric": {"name": "vllm_num_requests_waiting"},
                            "target": {"type": "AverageValue", "averageValue": "10"},
                        },
                    }
                ],
            },
        }
    )
    expect_replicas(space, 2)  # 20 requests, 10 for each
    report_waiting(server, space, first, 0)
    expect_replicas(space, 1)


@pytest.mark.parametrize("space", ["scaled-by-keda"], indirect=True)
def test_keda_follows_a_prometheus_query(server: Cluster, space: str) -> None:
    addons.ensure("keda")
    (first,) = pods(space)
    apply(
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": {"name": "sim", "namespace": space},
            "spec": {
                "scaleTargetRef": {"name": "sim"},
                "pollingInterval": 2,
                "minReplicaCount": 1,
                "maxReplicaCount": 4,
                "advanced": {"horizontalPodAutoscalerConfig": {"behavior": SCALE_DOWN_AT_ONCE}},
                "triggers": [
                    {
                        "type": "prometheus",
                        "metadata": {
                            "serverAddress": "http://prometheus.prometheus.svc:9090",
                            "query": f'sum(vllm:num_requests_waiting{{namespace="{space}"}})',
                            "threshold": "10",
                        },
                    }
                ],
            },
        }
    )
    report_waiting(server, space, first, 30)
    expect_replicas(space, 3)  # 30 requests, 10 for each
    for pod in pods(space):
        report_waiting(server, space, pod, 0)
    expect_replicas(space, 1)
