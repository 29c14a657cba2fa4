"""Chapter 2: from nothing to a real model that answers, and what the router adds to its time."""

from __future__ import annotations

import json
import socket
import sys
import time
from contextlib import ExitStack
from statistics import median
from typing import Any

import httpx

from extensions import lab_archive
from lab.router_lines import differs
from proofs.api import Mutant, Proof, chapter_of, proves
from proofs.transcripts import read_transcript
from tests.proofs.installed import install

chapter = chapter_of(__file__)
CLUSTER = chapter["start-cluster.console"]
START = chapter["start.console"]
SIMULATED = chapter["start-simulated.console"]
REACH = chapter["reach-router.console"]
FIRST = chapter["first-answer.console"]
VERIFIED = chapter["verify-help-desk.console"]

#: The real engine behind the router, and what stands in for it where disk is short.
HELP_DESK = "vllm-router:model=smollm2,namespace=help-desk"
STAND_IN = "router:model=smollm2,mode=echo,replicas=1,namespace=help-desk-simulated"
USES = ["router", "envoy"]
#: When each piece of a streamed answer arrived, from the engine and through the router. They are
#: seconds of a machine, kept as they are: remove the file to record others.
RECORDED = chapter.root / "source/plots/streamed-answer.json"
QUESTION = "Tell me in three sentences how to restart a printer."


def commands(proof: Proof, listing: str) -> list[list[str]]:
    """Return the words of each command of a transcript."""
    return [step.command.split() for step in read_transcript(proof.path(listing).read_text(), listing)]


@proves(
    CLUSTER,
    evidence="checked",
    mutants=[
        Mutant(CLUSTER, "unzip life-with-llm-d-lab", "unzip lab", because="the archive is called otherwise"),
        Mutant(CLUSTER, "requirements/lab.txt", "requirements.txt", because="no such file"),
        Mutant(CLUSTER, "lab up", "lab start", because="no such command"),
        Mutant(CLUSTER, "cd life-with-llm-d-lab", "cd llm-d", because="no such folder"),
    ],
)
def test_the_commands_that_start_the_cluster_exist(proof: Proof) -> None:
    unpack, enter, environment, activate, install_packages, up = commands(proof, CLUSTER)
    assert unpack == ["unzip", f"{lab_archive.NAME}.zip"]
    assert enter == ["cd", lab_archive.NAME]
    assert activate == [".", f"{environment[-1]}/bin/activate"]
    assert (chapter.root / install_packages[-1]).is_file()
    assert up[:3] == ["python", "-m", "lab"]
    assert "Usage: python -m lab up" in proof.run([sys.executable, "-m", "lab", *up[3:], "--help"])


@proves(
    START,
    evidence="ran",
    uses=USES,
    needs=[HELP_DESK],
    only_in_lab=True,
    mutants=[
        Mutant(START, "in the namespace help-desk.", "in the namespace desk.", because="another namespace")
    ],
)
def test_what_the_chapter_starts_is_there(proof: Proof) -> None:
    proof.transcript(START)


@proves(
    SIMULATED,
    evidence="ran",
    uses=["router", "envoy", "simulator"],
    needs=[STAND_IN],
    only_in_lab=True,
    mutants=[
        Mutant(
            SIMULATED, "in the namespace help-desk.", "in the namespace desk.", because="another namespace"
        )
    ],
)
def test_a_simulator_takes_the_place_of_the_engine(proof: Proof) -> None:
    proof.transcript(SIMULATED, exchange={"help-desk": "help-desk-simulated"})
    with proof.forward("service/router", 8081, namespace="help-desk-simulated") as url:
        answer = asked(url, {"model": "smollm2", "messages": [{"role": "user", "content": "Who?"}]})
    assert answer.json()["choices"][0]["message"]["content"] == "Who?"


@proves(
    REACH,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(REACH, "8081:8081", "8081:9090", because="that port has the metrics"),
        Mutant(REACH, "service/router", "service/model", because="no such Service"),
    ],
)
def test_the_forward_leads_to_the_model(proof: Proof) -> None:
    install(proof)
    [step] = read_transcript(proof.path(REACH).read_text(), REACH)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    forward = step.command.replace("8081:", f"{port}:", 1)
    ask = "curl --silent --fail --retry 9 --retry-connrefused --retry-delay 1"
    script = f"{forward} >&2 & trap 'kill $!' EXIT; {ask} http://localhost:{port}/v1/models"
    assert '"id":"lab/sim-8b"' in proof.run(["bash", "-c", script])


def asked(url: str, body: dict[str, Any]) -> httpx.Response:
    """Send a chat and return what came back, whatever it is."""
    return httpx.post(f"{url}/v1/chat/completions", json=body, timeout=120)


@proves(
    FIRST,
    evidence="ran",
    uses=USES,
    needs=[HELP_DESK],
    only_in_lab=True,
    mutants=[
        Mutant(FIRST, "France is Paris", "France is London", because="it knows that much"),
        Mutant(FIRST, "tokens: 45", "tokens: 44", because="it took 45"),
    ],
)
def test_a_real_model_answers_as_printed(proof: Proof) -> None:
    chat = [{"role": "user", "content": "What is the capital of France?"}]
    with ExitStack() as open_forwards:
        router, engine = (
            open_forwards.enter_context(proof.forward(target, port, namespace="help-desk"))
            for target, port in (("service/router", 8081), ("service/vllm", 8000))
        )
        proof.transcript(FIRST, environment={"ROUTER_URL": router}, deadline=400)
        # A body without a model: the engine takes it, the picker does not.
        assert asked(engine, {"messages": chat, "max_tokens": 1}).status_code == httpx.codes.OK
        refused = asked(router, {"messages": chat, "max_tokens": 1})
        assert refused.status_code == httpx.codes.BAD_REQUEST
        prefix = differs("error-prefix", proof.lab.router_line)
        assert refused.text == f"{prefix}BadRequest - model not found in request body"
        # A model that is not served: the engine's own sentence comes through the router.
        unknown = asked(router, {"model": "other", "messages": chat})
        assert unknown.status_code == httpx.codes.NOT_FOUND
        assert unknown.json()["error"]["message"].startswith("The model `other` does not exist.")
        if proof.recording and not RECORDED.exists():
            recorded = by_turns({"engine": engine, "router": router})
            RECORDED.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


def by_turns(ways: dict[str, str], answers: int = 9) -> dict[str, list[list[float]]]:
    """Return the arrivals of several answers by each way, asked by turns: load comes and goes."""
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for _ in range(answers):
        for way, url in ways.items():
            found[way].append(arrivals(url))
    return found


def arrivals(url: str) -> list[float]:
    """Return the seconds from the question to each piece of the answer's text."""
    request = {
        "model": "smollm2",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "temperature": 0,
        "max_tokens": 16,
        "ignore_eos": True,
    }
    begin = time.monotonic()
    found = []
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=request, timeout=120) as response:
        for line in response.raise_for_status().iter_lines():
            data = line.removeprefix("data: ")
            if data.startswith("{") and any(
                choice["delta"].get("content") for choice in json.loads(data)["choices"]
            ):
                found.append(round(time.monotonic() - begin, 3))
    return found


def test_the_page_quotes_the_recorded_seconds() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    begins = {way: median(answer[0] for answer in answers) for way, answers in recorded.items()}
    quoted = f"within {begins['router']:.2f} s through the router, and within {begins['engine']:.2f} s from"
    assert quoted in chapter.page.read_text(encoding="utf-8")


@proves(
    VERIFIED,
    evidence="ran",
    uses=USES,
    needs=[HELP_DESK],
    only_in_lab=True,
    mutants=[Mutant(VERIFIED, "sees 1 pod", "sees 2 pod", because="there is one")],
)
def test_the_installation_with_the_real_model_is_verified(proof: Proof) -> None:
    proof.transcript(VERIFIED)
