"""Do the controllers for groups of pods keep their promises, and do fake nodes run pods?"""

from __future__ import annotations

import json
import secrets

import pytest

from lab import addons, cluster
from proofs.waiting import wait_until
from tests.lab.live.space import Object, Space, image, is_ready, read, space, whole_cluster

pytestmark = pytest.mark.addon

#: Seconds for a few pods to start on a busy host.
PODS = 120
GPU = "nvidia.com/gpu"
KUEUE = {"apiVersion": "kueue.x-k8s.io/v1beta2"}


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


def queue(name: str, gpus: int) -> list[Object]:
    """Return a queue for Jobs of every namespace, with so many GPUs to give."""
    quota = [{"name": GPU, "nominalQuota": gpus}]
    groups = [{"coveredResources": [GPU], "flavors": [{"name": name, "resources": quota}]}]
    return [
        {**KUEUE, "kind": "ResourceFlavor", "metadata": {"name": name}},
        {
            **KUEUE,
            "kind": "ClusterQueue",
            "metadata": {"name": name},
            "spec": {"namespaceSelector": {}, "resourceGroups": groups},
        },
    ]


def waiting_job(name: str) -> Object:
    """Return a Job of one GPU that waits in the queue, and runs until it finds the file /tmp/end."""
    container = {
        "name": "main",
        "image": image("python"),
        "command": ["sh", "-c", "until test -e /tmp/end; do sleep 0.2; done"],
        "resources": {"limits": {GPU: "1"}},
    }
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": {"kueue.x-k8s.io/queue-name": "team"}},
        "spec": {"template": {"spec": pod}},
    }


def quota_of(namespace: Space, job: str) -> Object:
    """Return what Kueue says of a Job's quota: the condition QuotaReserved of its Workload."""
    uid = namespace.read("job", job)["metadata"]["uid"]
    (workload,) = namespace.list("workloads.kueue.x-k8s.io", f"kueue.x-k8s.io/job-uid={uid}")
    conditions = workload["status"]["conditions"]
    (found,) = [one for one in conditions if one["type"] == "QuotaReserved"]
    return dict(found)


def running(namespace: Space) -> set[str]:
    """Return the Jobs that have a running pod."""
    pods = namespace.list("pods", "batch.kubernetes.io/job-name")
    return {one["metadata"]["labels"]["batch.kubernetes.io/job-name"] for one in pods if is_ready(one)}


def test_a_job_waits_for_its_queues_quota_and_starts_when_another_ends() -> None:
    addons.ensure("kueue")
    addons.ensure("client")  # its image
    name = f"test-{secrets.token_hex(4)}"
    # The namespace goes first: a ClusterQueue stays until nothing uses it.
    with whole_cluster(*queue(name, gpus=2)), space() as namespace:
        local = {**KUEUE, "kind": "LocalQueue", "metadata": {"name": "team"}}
        namespace.create({**local, "spec": {"clusterQueue": name}})
        namespace.create(waiting_job("first"), waiting_job("second"))
        what = "the two Jobs that the quota has room for run"
        wait_until(lambda: running(namespace) == {"first", "second"}, deadline=PODS, what=what)

        namespace.create(waiting_job("third"))
        what = "Kueue looks at the third Job"
        refused = wait_until(lambda: quota_of(namespace, "third"), deadline=PODS, what=what)
        assert (refused["status"], refused["reason"]) == ("False", "Pending")
        assert f"insufficient unused quota for {GPU} in flavor {name}, 1 more needed" in refused["message"]
        assert namespace.read("job", "third")["spec"]["suspend"] is True
        assert running(namespace) == {"first", "second"}

        end = ("exec", f"--namespace={namespace.name}", "job/first", "--", "touch", "/tmp/end")  # noqa: S108
        cluster.kubectl(*end, doing="Ending the first Job")
        what = "the third Job runs in the place of the first"
        wait_until(lambda: running(namespace) == {"second", "third"}, deadline=PODS, what=what)
        assert quota_of(namespace, "third")["status"] == "True"


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
