"""Do the controllers for groups of pods keep their promises, and do fake nodes run pods?"""

from __future__ import annotations

import json

import pytest

from lab import addons
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space, image, is_ready, read, whole_cluster

pytestmark = pytest.mark.addon

#: Seconds for a few pods to start on a busy host.
PODS = 120


def simulator(model: str) -> Object:
    """Return the template of a pod that serves a model's name."""
    return {
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "server",
                    "image": image("simulator"),
                    "args": [f"--model={model}", "--port=8000", "--force-dummy-tokenizer"],
                    "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
                }
            ],
        }
    }


def leader_worker_set(policy: str) -> Object:
    """Return a set of two groups of two pods, each serving its leader's address as model."""
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "server"},
        "spec": {
            "replicas": 2,
            "leaderWorkerTemplate": {
                "size": 2,
                "restartPolicy": policy,
                "workerTemplate": simulator("$(LWS_LEADER_ADDRESS)"),
            },
        },
    }


def ready_pods(namespace: Space, names: list[str]) -> dict[str, str]:
    """Wait until exactly these pods are there and Ready; return name -> uid."""

    def look() -> dict[str, str]:
        pods = namespace.list("pods")
        assert [pod["metadata"]["name"] for pod in pods] == names
        assert all(is_ready(pod) for pod in pods)
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}

    return wait_until(look, deadline=PODS, what=f"pods {names} are Ready")


def served_model(namespace: Space, pod: str) -> str:
    """Ask a simulator which model it serves."""
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}:8000/proxy/v1/models"
    printed = json.loads(namespace.kubectl("get", "--raw", path))
    name: str = printed["data"][0]["id"]
    return name


@pytest.mark.parametrize(
    ("policy", "restarted"),
    [
        ("RecreateGroupOnPodRestart", {"server-0", "server-0-1"}),
        ("None", {"server-0-1"}),
    ],
)
def test_a_group_knows_its_leader_and_restarts_as_its_policy_says(
    namespace: Space, policy: str, restarted: set[str]
) -> None:
    addons.ensure("lws")
    namespace.create(leader_worker_set(policy))
    names = ["server-0", "server-0-1", "server-1", "server-1-1"]
    before = ready_pods(namespace, names)
    served = {pod: served_model(namespace, pod) for pod in names}
    assert served == {pod: f"server-{pod[7]}.server.{namespace.name}" for pod in names}

    namespace.kubectl("delete", "pod", "server-0-1", "--wait=false")

    def changed() -> set[str]:
        after = ready_pods(namespace, names)
        return {name for name, uid in after.items() if uid != before[name]}

    wait_until(lambda: changed() == restarted, deadline=PODS, what=f"{restarted} are made again")


def test_a_disaggregated_set_makes_one_leader_worker_set_for_each_role(namespace: Space) -> None:
    addons.ensure("lws")
    wanted = {"prefill": 1, "decode": 2}
    roles = [
        {
            "name": role,
            "spec": {
                "replicas": replicas,
                "leaderWorkerTemplate": {"size": 1, "workerTemplate": simulator(role)},
            },
        }
        for role, replicas in wanted.items()
    ]
    namespace.create(
        {
            "apiVersion": "disaggregatedset.x-k8s.io/v1",
            "kind": "DisaggregatedSet",
            "metadata": {"name": "chat"},
            "spec": {"roles": roles},
        }
    )

    def ready_replicas() -> dict[str, int]:
        return {
            one["metadata"]["labels"]["disaggregatedset.x-k8s.io/role"]: one["status"]["readyReplicas"]
            for one in namespace.list("leaderworkersets", "disaggregatedset.x-k8s.io/name=chat")
        }

    wait_until(lambda: ready_replicas() == wanted, deadline=PODS, what="each role has its replicas")
    models = [served_model(namespace, pod["metadata"]["name"]) for pod in namespace.list("pods")]
    assert sorted(models) == ["decode", "decode", "prefill"]


def job_set(worker_arguments: str, **policies: Object) -> Object:
    """Return a server that never ends and a worker that does, as one JobSet."""

    def job(name: str, container: Object) -> Object:
        pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
        return {
            "name": name,
            "template": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        }

    server = simulator("demo-model")["spec"]["containers"][0]
    worker = {"name": "worker", "image": image("jobset"), "args": [worker_arguments]}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": "batch"},
        "spec": {"replicatedJobs": [job("server", server), job("worker", worker)], **policies},
    }


def terminal_state(namespace: Space) -> str:
    """Wait until the JobSet has ended; return how."""
    what = "the JobSet ends"
    return wait_until(
        lambda: str(namespace.read("jobset", "batch")["status"].get("terminalState", "")),
        deadline=PODS,
        what=what,
    )


def test_a_job_set_completes_with_the_job_that_its_policy_names(namespace: Space) -> None:
    addons.ensure("jobset")
    # A program that prints its help ends well; the server beside it would run for ever.
    namespace.create(job_set("--help", successPolicy={"operator": "All", "targetReplicatedJobs": ["worker"]}))
    assert terminal_state(namespace) == "Completed"
    what = "the server's Job is taken away"
    wait_until(
        lambda: [job["metadata"]["name"] for job in namespace.list("jobs")] == ["batch-worker-0"],
        deadline=PODS,
        what=what,
    )


def test_a_job_set_is_restarted_as_often_as_its_policy_says_and_then_fails(namespace: Space) -> None:
    addons.ensure("jobset")
    namespace.create(job_set("--no-such-flag", failurePolicy={"maxRestarts": 1}))
    assert terminal_state(namespace) == "Failed"
    assert namespace.read("jobset", "batch")["status"]["restarts"] == 1


def test_a_pod_on_a_fake_node_is_running(namespace: Space) -> None:
    addons.ensure("kwok")
    name = f"fake-{namespace.name}"
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"test": namespace.name},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"taints": [{"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"nvidia.com/gpu": "8", "cpu": "64", "memory": "512Gi", "pods": "110"}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "server"},
        "spec": {
            "nodeSelector": {"test": namespace.name},
            "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
            "containers": [
                {"name": "server", "image": "no-such-image", "resources": {"limits": {"nvidia.com/gpu": "8"}}}
            ],
        },
    }
    with whole_cluster(node):
        namespace.create(pod)
        wait_until(lambda: is_ready(namespace.read("pod", "server")), deadline=PODS, what="the pod is Ready")
        assert namespace.read("pod", "server")["spec"]["nodeName"] == name
        assert read("node", name)["status"]["nodeInfo"]["kubeletVersion"].startswith("kwok-")
        namespace.kubectl("delete", "pod", "server")
