"""Chapter 2: the picker follows the pods of the model, and the pod that it chose answers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import httpx

from lab.edition import versions
from lab.router_lines import differs
from proofs.api import Mutant, Proof, counterpart, proves
from tests.proofs.installed import ENVOY, POOL, SIMULATOR, ask, install, pods_of_the_model, router

from .steps import simulating_pod, wait_for_ready_endpoints

DEPLOYMENT = {
    "replicas": 3,
    "selector": {"matchLabels": {"app.kubernetes.io/name": "simulator"}},
    "template": {
        "spec": simulating_pod(
            "simulator",
            "--model=lab/sim-8b",
            "--port=8000",
            "--mode=echo",
            "--time-to-first-token=200ms",
            "--inter-token-latency=50ms",
            "--force-dummy-tokenizer",
        )
    },
}
DEMO = {
    "selector": {"matchLabels": {"app.kubernetes.io/name": "simulator"}},
    "targetPorts": [{"number": 8000}],
    "endpointPickerRef": {"name": "router", "port": {"number": 9002}, "failureMode": "FailClose"},
}


def pods_that_answer(client: httpx.Client, requests: int) -> set[str]:
    """Return the pods that answer `requests` different questions, four at a time."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        questions = [f"Question {number}?" for number in range(requests)]
        answers = pool.map(lambda question: ask(client, question), questions)
        return {answer.headers["x-inference-pod"] for answer in answers}


def seconds_between(pieces: list[tuple[float, str]]) -> float:
    """Return the time from the first to the last piece of a streamed answer."""
    return pieces[-1][0] - pieces[0][0]


def arrivals(client: httpx.Client, question: str) -> list[tuple[float, str]]:
    """Return each piece of a streamed answer and the time of its arrival in seconds."""
    request = {
        "model": "lab/sim-8b",
        "messages": [{"role": "user", "content": question}],
        "stream": True,
    }
    with client.stream("POST", "/v1/chat/completions", json=request) as response:
        return [
            (time.monotonic(), line.removeprefix("data: "))
            for line in response.iter_lines()
            if line.startswith("data: ")
        ]


@proves(
    SIMULATOR,
    POOL,
    evidence="ran",
    uses=["router", "simulator", "inference-extension"],
    mutants=[
        Mutant(SIMULATOR, "replicas: 3", "replicas: 2", because="a pod is missing"),
        Mutant(POOL, "name: simulator", "name: nobody", because="the pool selects no pod"),
    ],
)
def test_the_picker_follows_the_pods_of_the_model(proof: Proof) -> None:
    install(proof)
    for kind, name, expected in (("deployment", "simulator", DEPLOYMENT), ("inferencepool", "demo", DEMO)):
        assert counterpart(proof.get(kind, name)["spec"], expected) == expected
    wait_for_ready_endpoints(proof, 3)
    with router(proof) as client:
        assert len(pods_that_answer(client, 24)) == 3
        same = {ask(client, "Who is it?").headers["x-inference-pod"] for _ in range(10)}
        # The older line takes another pod for a prompt that is shorter than a block.
        assert len(same) == 1 or proof.lab.router_line != versions()["router"], (
            "equal questions go to one pod"
        )
        proof.kubectl("scale", "deployment/simulator", "--replicas=2")
        wait_for_ready_endpoints(proof, 2)
        assert pods_that_answer(client, 12) == pods_of_the_model(proof)
        every_process_refuses_in_its_own_words(proof, client)


def every_process_refuses_in_its_own_words(proof: Proof, client: httpx.Client) -> None:
    """Show the refusals of the chapter's table: of the model server, the picker and Envoy."""
    chat = [{"role": "user", "content": "Who?"}]

    def refusal(**model: str) -> httpx.Response:
        return client.post("/v1/chat/completions", json={"messages": chat, **model})

    unknown = refusal(model="other")
    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert unknown.json()["error"]["message"] == "The model `other` does not exist."
    nameless = refusal()
    assert nameless.status_code == httpx.codes.BAD_REQUEST
    prefix = differs("error-prefix", proof.lab.router_line)
    assert nameless.text == f"{prefix}BadRequest - model not found in request body"
    proof.kubectl("scale", "deployment/simulator", "--replicas=0")
    wait_for_ready_endpoints(proof, 0)
    empty = refusal(model="lab/sim-8b")
    assert empty.status_code == httpx.codes.SERVICE_UNAVAILABLE
    said = differs("empty-pool-message", proof.lab.router_line)
    assert f"{said} for serving the request" in empty.text
    # An image that nobody has: the picker ends, and Envoy stays.
    [pod] = proof.objects("pod", "app.kubernetes.io/name=router")
    proof.kubectl("set", "image", f"pod/{pod['metadata']['name']}", "endpoint-picker=localhost/none:1")
    proof.wait_until(lambda: not refusal(model="lab/sim-8b").content, 60, "the picker is gone")
    dead = refusal(model="lab/sim-8b")
    assert dead.content == b""
    assert (dead.status_code, dead.headers["server"]) == (500, "envoy")


@proves(
    SIMULATOR,
    ENVOY,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(SIMULATOR, "--model=lab/sim-8b", "--model=other", because="no such model"),
        Mutant(SIMULATOR, "latency=50ms", "latency=0ms", because="no time between the pieces"),
        Mutant(
            ENVOY,
            "response_body_mode: FULL_DUPLEX_STREAMED",
            "response_body_mode: BUFFERED",
            because="the picker gets no answer to read",
        ),
    ],
)
def test_a_pod_that_the_picker_chose_answers_in_pieces(proof: Proof) -> None:
    install(proof)
    with router(proof) as client:
        answer = ask(client, "Who are you?")
        forged = ask(client, "And now?", headers={"x-gateway-destination-endpoint": "127.0.0.1:19000"})
        answers = [arrivals(client, "One two three four five six") for _ in range(9)]
    for response, said in ((answer, "Who are you?"), (forged, "And now?")):
        assert response.json()["choices"][0]["message"]["content"] == said
        assert response.headers["x-inference-pod"] in pods_of_the_model(proof)
        assert response.headers["x-inference-namespace"] == proof.namespace
    assert all(len(pieces) > 6 and pieces[-1][1] == "[DONE]" for pieces in answers)
    # Half of them: a busy host reads some at once, and keeps others waiting.
    assert median(map(seconds_between, answers)) > 0.15, "the pieces came together"
