"""Chapter 2: a Gateway asks the picker that the chart installed, and one that cannot says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from proofs.api import Mutant, Proof, chapter_of, counterpart, proves
from proofs.documents import read_documents

from .steps import GATEWAY, STANDALONE, chart, containers, rendered, with_helm

chapter = chapter_of(__file__)
ROUTE = chapter["gateway-route.yaml"]
PICKER_TLS = chapter["gateway-picker-tls.yaml"]
APPLIED = chapter["gateway.console"]
ANSWERED = chapter["gateway-answer.console"]
REACH = chapter["reach-gateway.console"]
REMOVE = chapter["remove-gateway.console"]
STATUS = chapter["gateway-status.console"]
CHAT = chapter["model-server/chat/kustomization.yaml"]
VALUES = chapter["router-values.yaml"]

LISTENING = {
    "gatewayClassName": "istio",
    "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
}
#: The reader's forward of the Gateway's Service, which Istio makes.
FORWARD = "kubectl port-forward service/inference-gateway-istio 8081:80"


@proves(
    ROUTE,
    REMOVE,
    evidence="checked",
    uses=["router", "helm"],
    router=">=0.10",
    mutants=[
        Mutant(ROUTE, "kind: InferencePool", "kind: Service", because="it is a pool"),
        Mutant(REMOVE, "gateway-picker-tls", "gateway-picker", because="no such file"),
        Mutant(ROUTE, "request: 300s", "request: 30s", because="the chart waits for longer"),
    ],
)
def test_the_chart_for_gateways_makes_the_same_route_and_no_proxy(proof: Proof) -> None:
    options = ["httpRoute.create=true", "router.modelServers.matchLabels.app=chat"]
    objects = rendered(proof, GATEWAY, *[f"--set={option}" for option in options])
    written = {one.kind: one.content["spec"] for one in read_documents(proof.path(ROUTE).read_text(), ROUTE)}
    assert objects["HTTPRoute/chat"]["spec"] == written["HTTPRoute"]
    assert list(containers(objects["Deployment/chat-epp"])) == ["epp"]
    words = proof.path(REMOVE).read_text().split()
    files = [proof.path(PICKER_TLS).with_name(name) for name in words if name.endswith(".yaml")]
    assert words[:3] == ["$", "kubectl", "delete"]
    assert len(files) == len([file for file in files if file.is_file()]) == 2
    assert [name for name in objects if name.startswith("Gateway/")] == []


@contextmanager
def installed_by_chart(proof: Proof) -> Iterator[None]:
    """Install the model server and the router of the chapter's chart section."""
    proof.kubectl("label", "namespace", proof.namespace, "pod-security.kubernetes.io/enforce-", "--overwrite")
    proof.kubectl("apply", "-k", proof.path(CHAT).parent)
    command: list[str | Path] = [
        "helm",
        "install",
        "chat",
        chart(STANDALONE),
        f"--values={proof.path(VALUES)}",
        "--wait",
    ]
    proof.run(command, environment=with_helm(proof))
    try:
        yield
    finally:
        proof.run(["helm", "uninstall", "chat", "--wait"], environment=with_helm(proof))


@proves(
    ROUTE,
    PICKER_TLS,
    APPLIED,
    REACH,
    ANSWERED,
    evidence="ran",
    uses=["router", "simulator", "helm", "inference-extension", "istio"],
    needs=["istio"],
    router=">=0.10",
    mutants=[
        Mutant(ROUTE, "service-type: ClusterIP", "service-type: NodePort", because="reached inside only"),
        Mutant(PICKER_TLS, "mode: SIMPLE", "mode: DISABLE", because="the picker wants TLS"),
        Mutant(APPLIED, "ResolvedRefs: True", "ResolvedRefs: False", because="it knows pools"),
        Mutant(REACH, "8081:80", "8081:15021", because="that port is for probes"),
        Mutant(ANSWERED, "answer: And who", "answer: And what", because="it echoes"),
    ],
)
def test_a_gateway_asks_the_picker_of_the_chart(proof: Proof) -> None:
    assert proof.path(REACH).read_text() == f"$ {FORWARD}\n"
    with installed_by_chart(proof):
        proof.transcript(APPLIED)
        gateway = proof.wait("gateway", "inference-gateway", "Programmed")
        assert counterpart(gateway["spec"], LISTENING) == LISTENING
        service = proof.get("service", "inference-gateway-istio")
        assert service["spec"]["type"] == "ClusterIP"
        with proof.forward("service/inference-gateway-istio", 80) as url:
            request = {"model": "lab/chat-8b", "messages": [{"role": "user", "content": "Well?"}]}

            def answer() -> httpx.Response:
                found = httpx.post(f"{url}/v1/chat/completions", json=request, timeout=10)
                return found.raise_for_status()

            proof.wait_until(answer, 60, "the Gateway answers")
            proof.transcript(ANSWERED, environment={"ROUTER_URL": url, "MODEL": "lab/chat-8b"})
            # Equal prompts go to one pod: the picker decides, where a Service would spread them.
            assert len({answer().headers["x-inference-pod"] for _ in range(8)}) == 1


@proves(
    ROUTE,
    STATUS,
    evidence="ran",
    uses=["envoy-gateway"],
    needs=["envoy-gateway"],
    mutants=[
        Mutant(ROUTE, "group: inference.networking.k8s.io", 'group: ""', because="another fault"),
        Mutant(STATUS, "(InvalidKind)", "(ResolvedRefs)", because="it is not resolved"),
    ],
)
def test_a_controller_without_the_extension_says_so_in_the_status(proof: Proof) -> None:
    proof.transcript(STATUS)
    route = proof.get("httproute", "chat")
    conditions = {one["type"]: one for one in route["status"]["parents"][0]["conditions"]}
    assert conditions["Accepted"]["status"] == "True"
    assert conditions["ResolvedRefs"]["status"] == "False"
    assert "Group is invalid" in conditions["ResolvedRefs"]["message"]
    with proof.forward("service/inference-gateway", 80) as url:
        answer = httpx.get(f"{url}/v1/models", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")
