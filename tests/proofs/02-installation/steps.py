"""What proofs of chapter 2 share: parts of objects, pods that the picker counts, helm and its charts."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab import charts, programs
from lab.errors import NotAvailable
from lab.router_lines import metric
from proofs.api import CommandFailed, Proof, chapter_of
from proofs.documents import read_documents

chapter = chapter_of(__file__)

STANDALONE = "llm-d-router-standalone"
GATEWAY = "llm-d-router-gateway"


# Objects


def containers(deployment: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return name -> container of a Deployment's pods."""
    pod = deployment["spec"]["template"]["spec"]
    return {container["name"]: container for container in pod["containers"]}


def from_field(name: str, path: str) -> dict[str, Any]:
    """Return an environment variable with the value of a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def simulating_pod(
    name: str, *arguments: str, environment: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    """Return the pod of a simulated model server as the chapter describes it.

    Rights, sizes and probes are left out: proofs/workloads.py has a rule for them.
    """
    identity = [
        from_field("POD_NAME", "metadata.name"),
        from_field("POD_NAMESPACE", "metadata.namespace"),
        from_field("POD_IP", "status.podIP"),
    ]
    container = {"name": name, "args": list(arguments), "env": [*environment, *identity]}
    return {"automountServiceAccountToken": False, "containers": [container]}


# The router


def ready_endpoints(metrics: httpx.Client, line: str) -> int:
    """Return how many pods the picker says it may choose from."""
    name = metric("llm_d_epp_ready_endpoints", line)
    text = metrics.get("/metrics").raise_for_status().text
    found = re.search(rf'(?m)^{name}{{name="demo"}} (\d+)$', text)
    assert found, f"no {name} for the pool"
    return int(found[1])


def wait_for_ready_endpoints(proof: Proof, wanted: int) -> None:
    """Wait until the picker says that it may choose from `wanted` pods."""
    with (
        proof.forward("service/router", 9090) as url,
        httpx.Client(base_url=url, timeout=5) as metrics,
    ):
        proof.wait_until(
            lambda: ready_endpoints(metrics, proof.lab.router_line) == wanted,
            20,
            f"{wanted} ready endpoints",
        )


def served(proof: Proof, target: str, port: int) -> list[str]:
    """Return the models that answer at a target in the namespace."""
    with proof.forward(target, port) as url, httpx.Client(base_url=url, timeout=5) as client:
        answer = proof.wait_until(
            lambda: client.get("/v1/models").raise_for_status(), 20, f"{target} answers"
        )
    return [model["id"] for model in answer.json()["data"]]


# Helm


def chart(name: str) -> Path:
    """Return a packaged chart of the router; skip the proof where it cannot be had."""
    try:
        return charts.packaged(name)
    except NotAvailable as error:
        pytest.skip(str(error))


def with_helm(proof: Proof, *before: Path) -> dict[str, str]:
    """Return variables with which a shell finds helm, which keeps its files in the run's folder."""
    own = proof.path(chapter["router-values.yaml"]).parent / ".helm"
    folders = [programs.build("helm"), *before, os.environ["PATH"]]
    homes = {f"HELM_{what}_HOME": str(own) for what in ("CACHE", "CONFIG", "DATA")}
    return {"PATH": os.pathsep.join(map(str, folders)), **homes}


def helm_transcript(proof: Proof, listing: str) -> None:
    """Run a transcript in which the standalone chart's file lies beside the listings."""
    packed = chart(STANDALONE)
    exchange = {packed.name: str(packed)}
    proof.transcript(listing, exchange=exchange, environment=with_helm(proof, proof.lab.kubectl.parent))


def rendered(proof: Proof, name: str, *options: str | Path) -> dict[str, dict[str, Any]]:
    """Return kind/name -> object of what helm makes of a chart and options, as release `chat`."""
    command = ["helm", "template", "chat", chart(name), *options]
    documents = read_documents(proof.run(command, environment=with_helm(proof)), name)
    return {f"{one.kind}/{one.name}": one.content for one in documents}


def refusal(proof: Proof, command: list[str | Path]) -> str:
    """Return what helm says when it refuses."""
    with pytest.raises(CommandFailed) as failed:
        proof.run(command, environment=with_helm(proof))
    return str(failed.value).partition(": ")[2]
