"""What do the objects of llm-d and of the inference extension change?"""

from __future__ import annotations

import json

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import PICKER, POOL, SIMULATOR, ask, pods_of_the_model, router

from .steps import SHORT, assert_configured, chapter, counted, held, install_with, post, transcript

EVERY_FIELD = chapter["inferencepool-every-field.yaml"]
OBJECTIVES = chapter["inferenceobjectives.yaml"]
REWRITE = chapter["inferencemodelrewrite.yaml"]
SPLIT = chapter["inferencemodelrewrite-split.yaml"]
TWO_MODELS = chapter["two-models.json"]
SPLIT_RUN = chapter["split.console"]
OBJECTS = chapter["objects.console"]
PRIORITIES = chapter["priorities.console"]

CORRECTED_POOL = '{"spec": {"poolRef": {"name": "demo"}}}'


@proves(
    EVERY_FIELD,
    evidence="ran",
    uses=["router", "inference-extension"],
    mutants=[
        Mutant(EVERY_FIELD, "appProtocol: http", "appProtocol: kubernetes.io/h2c", because="no default"),
        Mutant(EVERY_FIELD, "number: 8000", "number: 8001", because="no program listens there"),
        Mutant(EVERY_FIELD, "FailClose", "FailOpen", because="the default is another"),
    ],
)
def test_the_short_pool_means_what_the_long_one_says(proof: Proof) -> None:
    (short,) = proof.apply(POOL)
    (long,) = proof.apply(EVERY_FIELD)
    assert short["spec"] == long["spec"]
    every_field = proof.path(EVERY_FIELD)
    written = every_field.read_text()
    every_field.write_text(written.replace("    failureMode: FailClose\n", ""))
    proof.delete("inferencepool", "demo")
    (shorter,) = proof.apply(EVERY_FIELD)
    assert shorter["spec"] == long["spec"]
    every_field.write_text(written)
    install_with(proof, PICKER, SIMULATOR, pool=EVERY_FIELD)
    with router(proof) as client:
        assert ask(client, "Who are you?").headers["x-inference-pod"] in pods_of_the_model(proof)


@proves(
    REWRITE,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(REWRITE, "value: chat", "value: chatter", because="another name is meant"),
        Mutant(REWRITE, "modelRewrite: lab/sim-8b", "modelRewrite: lab/sim-70b", because="no such model"),
    ],
)
def test_an_alias_is_answered_by_the_model_behind_it(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    request = {"model": "chat", "messages": [{"role": "user", "content": "Who are you?"}]}
    with router(proof) as client:
        assert client.post("/v1/chat/completions", json=request).status_code == 404
        for header in ("x-llm-d-model-name-rewrite", "x-gateway-model-name-rewrite"):
            client.post(
                "/v1/chat/completions", json=request, headers={header: "lab/sim-8b"}
            ).raise_for_status()
        (rewrite,) = proof.apply(REWRITE)
        proof.wait_until(
            lambda: client.post("/v1/chat/completions", json=request).raise_for_status(),
            20,
            "the alias works",
        )
        other = {**request, "model": "Chat"}
        assert client.post("/v1/chat/completions", json=other).status_code == 404
    assert rewrite["metadata"]["name"] == "chat"
    assert rewrite["spec"] == {
        "poolRef": rewrite["spec"]["poolRef"] | {"name": "demo"},
        "rules": [
            {
                "matches": [{"model": {"type": "Exact", "value": "chat"}}],
                "targets": [{"modelRewrite": "lab/sim-8b", "weight": 100}],
            }
        ],
    }


@proves(
    SPLIT,
    TWO_MODELS,
    SPLIT_RUN,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(SPLIT, "weight: 9", "weight: 1", because="half of the requests are for each"),
        Mutant(TWO_MODELS, "lab/sim-8b-next", "lab/sim-8b-last", because="no pod serves the new model"),
        Mutant(SPLIT_RUN, "600 200", "600 404", because="every pod serves both models"),
    ],
)
def test_weights_split_the_requests_of_an_alias(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    transcript(proof, SPLIT_RUN, 8081, 9090)
    (rule,) = proof.get("inferencemodelrewrites.llm-d.ai", "chat")["spec"]["rules"]
    assert [target["weight"] for target in rule["targets"]] == [9, 1]
    name = "llm_d_epp_model_rewrite_decisions_total"
    old, new = (counted(proof, name, target_model=f"lab/sim-8b{end}") for end in ("", "-next"))
    assert old + new == 600
    # An answer has the name that the client used, so answers can't be counted by it.
    question = json.loads(proof.path(SPLIT_RUN).with_name("chat-request.json").read_text())
    with router(proof) as client:
        assert client.post("/v1/chat/completions", json=question).json()["model"] == "chat"


def objective(priority: int, pool: str) -> dict[str, object]:
    """Return what an objective must say."""
    return {"spec": {"priority": priority, "poolRef": {"name": pool}}}


EXPECTED_OBJECTIVES = {
    "inferenceobjectives.llm-d.ai/interactive": objective(100, "demo"),
    "inferenceobjectives.llm-d.ai/nightly": objective(-10, "demo"),
    "inferenceobjectives.llm-d.ai/forgotten": objective(50, "demmo"),
}


def idle_pods_answer_below_zero(proof: Proof) -> None:
    """Ask often with the objective below zero: what was read of the pods counts as known meanwhile."""
    with router(proof) as client:
        for _ in range(20):
            post(client, proof, SHORT, {"x-llm-d-inference-objective": "nightly"}).raise_for_status()


@proves(
    OBJECTIVES,
    OBJECTS,
    PRIORITIES,
    PICKER,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "inference-extension"],
    mutants=[
        Mutant(OBJECTIVES, "priority: 100", "priority: 90", because="another priority is counted"),
        Mutant(OBJECTIVES, "name: demmo", "name: demo", because="the pool exists"),
        Mutant(OBJECTS, "demmo ", "demo  ", because="the name is kept as written"),
        Mutant(PICKER, "Threshold: 5s", "Threshold: 5ms", because="idle pods count as full"),
        Mutant(PRIORITIES, 'priority="100"', 'priority="50"', because="it is worth more"),
    ],
)
def test_a_requests_priority_is_that_of_its_objective(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    assert_configured(
        proof,
        plugins=[
            "queue-scorer",
            "kv-cache-utilization-scorer",
            "prefix-cache-scorer",
            "max-score-picker",
            ("utilization-detector", {"metricsStalenessThreshold": "5s"}),
        ],
        profiles={
            "default": [
                ("queue-scorer", 2),
                ("kv-cache-utilization-scorer", 2),
                ("prefix-cache-scorer", 3),
                "max-score-picker",
            ]
        },
    )
    proof.transcript(OBJECTS)
    assert held(proof, EXPECTED_OBJECTIVES) == EXPECTED_OBJECTIVES
    with router(proof):
        pass
    transcript(proof, PRIORITIES, 8081, 9090)
    for one in proof.objects("inferenceobjectives.llm-d.ai"):
        assert "status" not in one
    # Exercise 2: a corrected objective needs no restart.
    proof.kubectl("patch", "inferenceobjectives.llm-d.ai/forgotten", "--type=merge", "-p", CORRECTED_POOL)

    def is_counted() -> bool:
        with router(proof) as client:
            post(client, proof, SHORT, {"x-llm-d-inference-objective": "forgotten"}).raise_for_status()
        return counted(proof, "llm_d_epp_request_total", priority="50") > 0

    proof.wait_until(is_counted, 60, "the corrected objective counts")
    idle_pods_answer_below_zero(proof)
