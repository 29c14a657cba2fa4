"""Chapter 2: Kustomize makes a model server of a base and an overlay."""

from __future__ import annotations

from typing import Any

import pytest

from proofs.api import CommandFailed, Mutant, Proof, chapter_of, counterpart, proves

from .steps import containers, served, simulating_pod

chapter = chapter_of(__file__)
BASE = chapter["model-server/base/kustomization.yaml"]
SERVER = chapter["model-server/base/deployment.yaml"]
CHAT = chapter["model-server/chat/kustomization.yaml"]
OVERLAYS = chapter["kustomize.console"]
#: The run's namespace was made before it.
NAMESPACE_IS_THERE = {"kubectl create namespace": "printf 'namespace/%s created\\n'"}


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
    OVERLAYS,
    evidence="ran",
    uses=["simulator"],
    mutants=[
        Mutant(BASE, "- deployment.yaml", "- nothing.yaml", because="no such file"),
        Mutant(SERVER, "model=$(MODEL)", "model=other", because="overlays set the variable"),
        Mutant(CHAT, "count: 2", "count: 1", because="a pod is missing"),
        Mutant(CHAT, "lab/chat-8b", "lab/code-34b", because="another model"),
        Mutant(OVERLAYS, "model-server-chat created", "model-server created", because="it has a suffix"),
    ],
)
def test_an_overlay_makes_a_model_server_of_the_base(proof: Proof) -> None:
    proof.transcript(OVERLAYS, exchange=NAMESPACE_IS_THERE)
    deployment = proof.get("deployment", "model-server-chat")
    assert deployment["spec"]["replicas"] == 2
    assert containers(deployment)["model-server"]["resources"] == {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"memory": "128Mi"},
    }
    expected = model_server("chat", 2, "lab/chat-8b")
    assert counterpart(deployment, expected) == expected
    assert served(proof, "deployment/model-server-chat", 8000) == ["lab/chat-8b"]
    overlay = proof.path(CHAT)
    overlay.write_text(
        overlay.read_text().replace("instance: chat}", "instance: chat, example.com/tier: gold}")
    )
    with pytest.raises(CommandFailed, match="field is immutable"):
        proof.kubectl("apply", "-k", overlay.parent)
