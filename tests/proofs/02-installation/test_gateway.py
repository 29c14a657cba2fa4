"""Chapter 2: the chart for Gateways, and a controller that lacks the inference extension."""

from __future__ import annotations

import httpx

from proofs.api import Mutant, Proof, chapter_of, counterpart, proves
from proofs.documents import read_documents

from .steps import GATEWAY, containers, rendered

chapter = chapter_of(__file__)
ROUTE = chapter["gateway-route.yaml"]
STATUS = chapter["gateway-status.console"]

LISTENING = {
    "gatewayClassName": "eg",
    "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
}


@proves(
    ROUTE,
    evidence="checked",
    uses=["router", "helm"],
    router=">=0.10",
    mutants=[
        Mutant(ROUTE, "kind: InferencePool", "kind: Service", because="it is a pool"),
        Mutant(ROUTE, "request: 300s", "request: 30s", because="the chart waits for longer"),
    ],
)
def test_the_chart_for_gateways_makes_the_same_route_and_no_proxy(proof: Proof) -> None:
    options = ["httpRoute.create=true", "router.modelServers.matchLabels.app=chat"]
    objects = rendered(proof, GATEWAY, *[f"--set={option}" for option in options])
    written = {one.kind: one.content["spec"] for one in read_documents(proof.path(ROUTE).read_text(), ROUTE)}
    assert objects["HTTPRoute/chat"]["spec"] == written["HTTPRoute"]
    assert list(containers(objects["Deployment/chat-epp"])) == ["epp"]
    assert [name for name in objects if name.startswith("Gateway/")] == []


@proves(
    ROUTE,
    STATUS,
    evidence="ran",
    uses=["envoy-gateway"],
    needs=["envoy-gateway"],
    mutants=[
        Mutant(ROUTE, "gatewayClassName: eg", "gatewayClassName: none", because="nobody answers"),
        Mutant(ROUTE, "group: inference.networking.k8s.io", 'group: ""', because="another fault"),
        Mutant(STATUS, "reason: InvalidKind", "reason: ResolvedRefs", because="it is not resolved"),
    ],
)
def test_a_controller_without_the_extension_says_so_in_the_status(proof: Proof) -> None:
    proof.kubectl("apply", "--server-side", f"--filename={proof.path(ROUTE)}")
    assert counterpart(proof.get("gateway", "inference-gateway")["spec"], LISTENING) == LISTENING
    proof.wait("gateway", "inference-gateway", "Programmed")
    route = proof.wait("httproute", "chat", lambda found: bool(found["status"]["parents"]), 30)
    conditions = {one["type"]: one for one in route["status"]["parents"][0]["conditions"]}
    assert conditions["Accepted"]["status"] == "True"
    assert conditions["ResolvedRefs"]["status"] == "False"
    assert "Group is invalid" in conditions["ResolvedRefs"]["message"]
    proof.transcript(STATUS)
    with proof.forward("service/inference-gateway", 80) as url:
        answer = httpx.get(f"{url}/v1/models", timeout=10)
    assert (answer.status_code, answer.content) == (500, b"")
