"""When is a prompt read on another pod than the one that answers?"""

from __future__ import annotations

import itertools

import httpx

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import PICKER, SIMULATOR, ask, router

from .steps import (
    LONG,
    OWN_NAMES,
    SHORT,
    assert_configured,
    chapter,
    counted,
    held,
    install_with,
    post,
    transcript,
)

APART = chapter["disaggregated-config.yaml"]
PREFILL = chapter["prefill-deployment.yaml"]
DECODE = chapter["decode-deployment.yaml"]
DISAGGREGATE = chapter["disaggregate.console"]
DECISIONS = chapter["decisions.console"]

NEEDS = ["disaggregation:config=prefix,decode-replicas=1,prefill-replicas=1"]
DECISION = "llm_d_epp_disagg_decision_total"
#: More than 64 tokens that no pod has seen.
LONG_PROMPT = "Number {0} begins like no other prompt before it. " * 12


def engine(port_name: str, port: int) -> dict[str, object]:
    """Return what a simulator's container must say, besides what holds for every workload."""
    return {
        "name": "simulator",
        "args": ["--model=lab/sim-8b", f"--port={port}", "--mode=echo", "--force-dummy-tokenizer"],
        "env": OWN_NAMES,
        "ports": [{"name": port_name, "containerPort": port}],
    }


def deployment(role: str, **pod: object) -> dict[str, object]:
    """Return what a deployment of one such pod must say."""
    selected = {"app.kubernetes.io/name": "simulator", "llm-d.ai/role": role}
    return {"spec": {"replicas": 1, "selector": {"matchLabels": selected}, "template": {"spec": pod}}}


MODEL_SERVERS = {
    "deployment/prefill": deployment("prefill", containers=[engine("http", 8000)]),
    "deployment/decode": deployment(
        "decode",
        containers=[engine("engine", 8200)],
        initContainers=[
            {
                "name": "sidecar",
                "restartPolicy": "Always",
                "ports": [{"name": "http", "containerPort": 8000}],
                # The only listing with this image: there is no other to compare it with.
                "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
            }
        ],
    ),
}
#: What the sidecar is told, besides the engine's port, whose flag the older line calls otherwise.
SIDECAR = {"--port=8000", "--kv-connector=nixlv2", "--secure-proxy=false"}


@proves(
    APART,
    PREFILL,
    DECODE,
    evidence="ran",
    uses=["router", "simulator"],
    needs=NEEDS,
    mutants=[
        Mutant(APART, "{nonCachedTokens: 64}", "{nonCachedTokens: 6400}", because="no prompt is that long"),
        Mutant(APART, "{nonCachedTokens: 64}", "{nonCachedTokens: 0}", because="it is switched off"),
        Mutant(
            PREFILL,
            "    llm-d.ai/role: prefill\nspec",
            "    llm-d.ai/role: decode\nspec",
            because="no pod reads for others",
        ),
        Mutant(DECODE, "--model-server-port=8200", "--model-server-port=8300", because="no engine listens"),
    ],
)
def test_a_long_prompt_is_read_on_another_pod(proof: Proof) -> None:
    install_with(proof, APART, PREFILL, DECODE)
    assert held(proof, MODEL_SERVERS) == MODEL_SERVERS
    (sidecar,) = proof.get("deployment", "decode")["spec"]["template"]["spec"]["initContainers"]
    assert set(sidecar["args"]) >= SIDECAR
    assert_configured(
        proof,
        plugins=[
            "prefill-filter",
            "decode-filter",
            ("approx-prefix-cache-producer", {"autoTune": False, "blockSizeTokens": 64}),
            "prefix-cache-scorer",
            "max-score-picker",
            ("prefix-based-pd-decider", {"nonCachedTokens": 64}),
            ("disagg-profile-handler", {"deciders": {"prefill": "prefix-based-pd-decider"}}),
        ],
        profiles={
            "prefill": ["prefill-filter", "prefix-cache-scorer", "max-score-picker"],
            "decode": ["decode-filter", "prefix-cache-scorer", "max-score-picker"],
        },
    )
    with router(proof) as client:
        answers = [post(client, proof, listing).raise_for_status() for listing in (SHORT, LONG, LONG)]
    (decoder,) = proof.objects("pod", "llm-d.ai/role=decode")
    assert {answer.headers["x-inference-pod"] for answer in answers} == {decoder["metadata"]["name"]}
    assert counted(proof, DECISION, decision_type="decode-only") == 2
    assert counted(proof, DECISION, decision_type="prefill-decode") == 1


@proves(
    DISAGGREGATE,
    DECISIONS,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    needs=NEEDS,
    mutants=[
        Mutant(DISAGGREGATE, "prefill serverside", "prefiller serverside", because="no such pod"),
        Mutant(
            DECISIONS, 'decision_type="prefill-decode"', 'decision_type="prefill"', because="another name"
        ),
    ],
)
def test_the_decision_is_counted(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    proof.transcript(DISAGGREGATE)
    for name in ("prefill", "decode"):
        proof.wait("deployment", name, "Available", deadline=120)
    with router(proof):
        pass
    transcript(proof, DECISIONS, 8081, 9090)
    with router(proof) as client:
        # A client's own header passes the router, and no program listens where it points.
        forged = post(client, proof, SHORT, {"x-prefiller-host-port": "127.0.0.1:9"})
        assert (forged.status_code, forged.text) == (502, "")
        prompts = (LONG_PROMPT.format(number) for number in itertools.count())
        alone = counted(proof, DECISION, decision_type="decode-only")
        scale(proof, "prefill", 0)
        proof.wait_until(
            lambda: (
                ask(client, next(prompts)) and counted(proof, DECISION, decision_type="decode-only") > alone
            ),
            60,
            "long prompts stay on the decode pod",
        )
        # A pool without any pod answers otherwise, with 503.
        scale(proof, "prefill", 1)
        proof.wait("deployment", "prefill", "Available", deadline=120)
        scale(proof, "decode", 0)
        refused = proof.wait_until(lambda: refusal(client), 60, "no pod decodes")
    assert "failed to find available decode workers" in refused


def scale(proof: Proof, name: str, replicas: int) -> None:
    """Give a deployment another number of pods."""
    proof.kubectl("scale", f"deployment/{name}", f"--replicas={replicas}")


def refusal(client: httpx.Client) -> str:
    """Return the text of a refusal with 429; empty for any other answer."""
    question = {"model": "lab/sim-8b", "messages": [{"role": "user", "content": "Who are you?"}]}
    answer = client.post("/v1/chat/completions", json=question)
    return answer.text if answer.status_code == 429 else ""
