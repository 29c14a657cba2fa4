"""Chapter 2: Kustomize makes two model servers of one base."""

from __future__ import annotations

from typing import Any

import pytest

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, counterpart, proves

from .steps import containers, served, simulating_pod

chapter = chapter_of(__file__)
BASE = chapter["model-server/base/kustomization.yaml"]
SERVER = chapter["model-server/base/deployment.yaml"]
CHAT = chapter["model-server/chat/kustomization.yaml"]
CODE = chapter["model-server/code/kustomization.yaml"]
OVERLAYS = chapter["kustomize.console"]


def model_server(instance: str, replicas: int, model: str) -> dict[str, Any]:
    """Return the Deployment of a model server as the chapter describes it."""
    labels = {"app.kubernetes.io/name": "model-server", "app.kubernetes.io/instance": instance}
    pod = simulating_pod(
        "model-server",
        "--model=$(MODEL)",
        "--port=8000",
        "--mode=echo",
        "--force-dummy-tokenizer",
        environment=({"name": "MODEL", "value": model},),
    )
    return {
        "metadata": {"labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@proves(
    BASE,
    SERVER,
    CHAT,
    CODE,
    OVERLAYS,
    evidence="ran",
    uses=["simulator"],
    mutants=[
        Mutant(BASE, "- deployment.yaml", "- nothing.yaml", because="no such file"),
        Mutant(SERVER, "model=$(MODEL)", "model=other", because="overlays set the variable"),
        Mutant(CHAT, "count: 2", "count: 1", because="a pod is missing"),
        Mutant(CHAT, "lab/chat-8b", "lab/code-34b", because="another model"),
        Mutant(CODE, "nameSuffix: -code", "nameSuffix: -chat", because="one replaces the other"),
        Mutant(CODE, "limits: {memory: 256Mi}", "limits: {memory: 128Mi}", because="no more room"),
        Mutant(OVERLAYS, "2/2", "3/3", because="two pods"),
    ],
)
def test_two_overlays_make_two_model_servers_of_one_base(proof: Proof) -> None:
    proof.kubectl("kustomize", proof.path(CHAT).parent)
    proof.transcript(OVERLAYS)
    for name, replicas, model, requested, memory in (
        ("chat", 2, "lab/chat-8b", "32Mi", "128Mi"),
        ("code", 1, "lab/code-34b", "64Mi", "256Mi"),
    ):
        deployment = proof.get("deployment", f"model-server-{name}")
        assert deployment["spec"]["replicas"] == replicas
        assert containers(deployment)["model-server"]["resources"] == {
            "requests": {"cpu": "20m", "memory": requested},
            "limits": {"memory": memory},
        }
        expected = model_server(name, replicas, model)
        assert counterpart(deployment, expected) == expected
        proof.kubectl("rollout", "status", f"deployment/model-server-{name}", "--timeout=30s")
        assert served(proof, f"deployment/model-server-{name}", 8000) == [model]
    overlay = proof.path(CHAT)
    overlay.write_text(
        overlay.read_text().replace("instance: chat}", "instance: chat, example.com/tier: gold}")
    )
    with pytest.raises(CommandFailed, match="field is immutable"):
        proof.kubectl("apply", "-k", overlay.parent)
