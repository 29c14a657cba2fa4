"""Requests to what add-ons started, and what their pods count."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from typing import TypeVar

import httpx

from lab import cluster
from lab.errors import LabError
from proofs.cluster import Cluster
from proofs.forward import forwarded
from proofs.waiting import wait_until

SAMPLE = re.compile(r"(?m)^(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="([^"]*)"')
#: Header of an answer that names the pod it comes from.
POD = "x-inference-pod"
#: Chance lets 12 requests go to the same of three pods once in 177,147 times.
MANY = 12

Result = TypeVar("Result")


@cache
def api() -> Cluster:
    """Return the lab's API server."""
    return Cluster(cluster.connect().kubeconfig)


@contextmanager
def reach(namespace: str, target: str, port: int) -> Iterator[httpx.Client]:
    """Yield a client of a pod or service, such as `service/router`."""
    lab = cluster.connect()
    shell = {**os.environ, "KUBECONFIG": str(lab.kubeconfig)}
    shell["PATH"] = f"{lab.kubectl.parent}:{shell['PATH']}"
    with (
        forwarded(target, port, namespace, shell, deadline=60) as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        yield client


def complete(
    client: httpx.Client,
    prompt: str = "Hello",
    model: str = "demo-model",
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Ask for a completion and return the answer, whatever it is."""
    body = {"model": model, "prompt": prompt, "max_tokens": 8}
    return client.post("/v1/completions", json=body, headers=headers)


def at_once(count: int, ask: Callable[[int], Result]) -> list[Result]:
    """Return what `ask(0)` to `ask(count - 1)` returned, run at the same time."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(ask, range(count)))


def pods_that_answer(
    client: httpx.Client, requests: int, prompt: str = "Hello", model: str = "demo-model"
) -> Counter[str]:
    """Send requests one after the other; return how many each pod answered."""
    answers = [complete(client, prompt, model) for _ in range(requests)]
    return Counter(answer.raise_for_status().headers[POD] for answer in answers)


def all_to(client: httpx.Client, pod: str, model: str = "demo-model") -> bool:
    """Tell whether each of many requests is answered by this pod."""
    return pods_that_answer(client, MANY, model=model) == {pod: MANY}


def pods(namespace: str, selector: str = "app=sim") -> list[str]:
    """Return the names of the pods that a selector finds and that are not going away."""
    found = api().request("GET", f"/api/v1/namespaces/{namespace}/pods", query={"labelSelector": selector})
    metadata = [one["metadata"] for one in found.content["items"]]
    return sorted(one["name"] for one in metadata if "deletionTimestamp" not in one)


def fake_metrics(namespace: str, pod: str, metrics: Mapping[str, object]) -> None:
    """Let a simulator that was started for it show these metrics."""
    path = f"{_proxy(namespace, f'pods/{pod}', 8000)}/admin/config"
    api().request("POST", path, body={"fake-metrics": metrics})


def count(namespace: str, target: str, port: int, metric: str, **labels: str) -> float:
    """Return the sum of a metric's samples with these labels, at a pod or service."""
    answer = api().request("GET", f"{_proxy(namespace, target, port)}/metrics", accept="*/*")
    return sum(
        float(sample["value"])
        for sample in SAMPLE.finditer(answer.text)
        if sample["name"] == metric and labels.items() <= dict(LABEL.findall(sample["labels"] or "")).items()
    )


def _proxy(namespace: str, target: str, port: int) -> str:
    kind, name = target.split("/")
    return f"/api/v1/namespaces/{namespace}/{kind}/{name}:{port}/proxy"


def inside(namespace: str, workload: str, *command: str) -> str:
    """Return what a command prints that runs in the first container of a workload."""
    where = ("exec", f"--namespace={namespace}", workload, "--")
    return cluster.kubectl(*where, *command, doing=f"Running {command[0]} in {namespace}").strip()


def inside_python(namespace: str, workload: str, program: str, *arguments: str) -> str:
    """Return what a Python program prints that runs in the first container of a workload."""
    where = ("exec", "--stdin", f"--namespace={namespace}", workload, "--")
    doing = f"Running Python in {namespace}"
    return cluster.kubectl(*where, "python3", "-", *arguments, doing=doing, given=program).strip()


def wait_until_reached(namespace: str, workload: str, *command: str) -> None:
    """Wait until a service's name leads to its pod: the nodes learn of it after the pod is Ready."""

    def reached() -> bool:
        with suppress(LabError):
            return bool(inside(namespace, workload, *command))
        return False

    wait_until(reached, deadline=30, what=f"{workload} in {namespace} is reached by its service's name")
