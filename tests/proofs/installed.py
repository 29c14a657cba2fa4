"""What chapter 2 installs, for proofs of every chapter: a model, and the router to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from proofs.api import Chapter, Proof

CHAPTER = Chapter(Path(__file__).parents[2], "02-installation")
NAMESPACE = CHAPTER["namespace.yaml"]
SIMULATOR = CHAPTER["simulator-deployment.yaml"]
POOL = CHAPTER["inferencepool-demo.yaml"]
RIGHTS = CHAPTER["endpoint-picker-rbac.yaml"]
PICKER = CHAPTER["endpoint-picker-config.yaml"]
ENVOY = CHAPTER["envoy-config.yaml"]
ROUTER = CHAPTER["router-deployment.yaml"]
SERVICE = CHAPTER["router-service.yaml"]


def install_router(proof: Proof) -> None:
    """Apply the router's manifests and wait until the picker has found its pool."""
    proof.apply(NAMESPACE, POOL, RIGHTS, PICKER, ENVOY, ROUTER, SERVICE)
    proof.wait("deployment", "router", "Available", deadline=60)


def install(proof: Proof) -> None:
    """Apply the chapter's manifests and wait until both deployments are available."""
    proof.apply(NAMESPACE, SIMULATOR)
    install_router(proof)
    proof.wait("deployment", "simulator", "Available", deadline=60)


@contextmanager
def router(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the router, once the model answers through it."""
    with (
        proof.forward("service/router", 8081) as url,
        httpx.Client(base_url=url, timeout=10) as client,
    ):
        proof.wait_until(lambda: client.get("/v1/models").raise_for_status(), 20, "the model answers")
        yield client


def pods_of_the_model(proof: Proof) -> set[str]:
    """Return the names of the simulator's pods that are not about to end."""
    pods = proof.objects("pod", "app.kubernetes.io/name=simulator")
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def ask(client: httpx.Client, *messages: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Send a chat; all messages but the last are the system's. Return the answer."""
    *system, question = messages
    chat = [{"role": "system", "content": text} for text in system]
    chat.append({"role": "user", "content": question})
    request = {"model": "lab/sim-8b", "messages": chat}
    answer = client.post("/v1/chat/completions", json=request, headers=headers)
    return answer.raise_for_status()
