"""Does a real engine on CPUs answer, count, cache and refuse as vLLM does?"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import httpx
import pytest

from lab import addons, cluster, vllm_environment
from lab.errors import LabError
from proofs.waiting import wait_until
from tests.lab.addons.traffic import reach

pytestmark = pytest.mark.addon

MODEL = "tiny"
LORA = "tiny-lora"
#: Tokens of a block of the KV cache on CPUs.
BLOCK = 128
#: Metrics that the router, the autoscalers and the book's dashboards read.
METRICS = {
    "cache_config_info",
    "e2e_request_latency_seconds",
    "generation_tokens",
    "inter_token_latency_seconds",
    "kv_cache_usage_perc",
    "lora_requests_info",
    "num_preemptions",
    "num_requests_running",
    "num_requests_waiting",
    "prefix_cache_hits",
    "prefix_cache_queries",
    "prompt_tokens",
    "request_decode_time_seconds",
    "request_prefill_time_seconds",
    "request_queue_time_seconds",
    "request_success",
    "time_to_first_token_seconds",
}
#: Runs in the pod, where ZeroMQ and msgpack are: asks for one answer, and prints what the
#: engine publishes of its cache meanwhile.
LISTENER = """
import json, sys, urllib.request, msgspec, zmq
listener = zmq.Context().socket(zmq.SUB)
listener.connect("tcp://127.0.0.1:5556")
listener.subscribe("kv@")
listener.setsockopt(zmq.RCVTIMEO, 500)
for attempt in range(20):  # what is published before the subscription arrives is lost
    body = {"model": "tiny", "prompt": f"{attempt} {sys.argv[1]}", "max_tokens": 1}
    request = urllib.request.Request("http://127.0.0.1:8000/v1/completions", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    urllib.request.urlopen(request).read()
    try:
        topic, _, batch = listener.recv_multipart()
    except zmq.Again:
        continue
    print(json.dumps([topic.decode(), msgspec.msgpack.decode(batch)[1]], default=lambda raw: raw.hex()))
    break
"""


@pytest.fixture(scope="module")
def namespace() -> str:
    """Return the namespace of the engine and a router before it, started if need be."""
    return addons.ensure("vllm-router").namespace


@pytest.fixture(scope="module")
def engine(namespace: str) -> Iterator[httpx.Client]:
    """Return a client of the engine's Service."""
    with reach(namespace, "service/vllm", 8000) as opened:
        yield opened


def inside(namespace: str, *command: str) -> str:
    """Return what a command prints that runs beside the engine."""
    where = ("exec", f"--namespace={namespace}", "deployment/vllm", "--")
    return cluster.kubectl(*where, *command, doing="Running a command beside the engine", timeout=600)


def complete(engine: httpx.Client, prompt: str, model: str = MODEL, tokens: int = 16) -> dict[str, Any]:
    """Return the engine's answer to a prompt, the likeliest token each time."""
    body = {"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0}
    answer: dict[str, Any] = engine.post("/v1/completions", json=body).raise_for_status().json()
    return answer


@contextmanager
def busy(engine: httpx.Client, sequences: int, tokens: int) -> Iterator[None]:
    """Let the engine write this many answers of this length; they are finished at the end."""
    body = {"model": MODEL, "prompt": "Tell me more.", "max_tokens": tokens, "n": sequences}
    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(engine.post, "/v1/completions", json=body, timeout=300)
        yield
    assert answer.result().raise_for_status().json()["usage"]["completion_tokens"] == tokens * sequences


def samples(engine: httpx.Client) -> dict[str, float]:
    """Return metric -> value, summed over labels."""
    found: dict[str, float] = {}
    for name, value in re.findall(r"^vllm:(\w+)\{.*\} (\S+)$", engine.get("/metrics").text, re.MULTILINE):
        found[name] = found.get(name, 0) + float(value)
    return found


def unheard(length: int) -> str:
    """Return a text that no test sent before."""
    return secrets.token_hex(length // 2)


def test_the_engine_is_the_pinned_one(engine: httpx.Client) -> None:
    assert engine.get("/version").json() == {"version": vllm_environment.version()}


def test_probes_answer(engine: httpx.Client) -> None:
    assert engine.get("/health").status_code == 200
    assert engine.get("/ping").status_code == 200


def test_models_lists_the_model_and_its_adapter(engine: httpx.Client) -> None:
    models = {one["id"]: one for one in engine.get("/v1/models").json()["data"]}
    assert {name: one["parent"] for name, one in models.items()} == {MODEL: None, LORA: MODEL}
    assert models[MODEL]["max_model_len"] == 2048


def test_a_completion_has_the_length_that_was_asked_for(engine: httpx.Client) -> None:
    answer = complete(engine, "Why is the sky blue?", tokens=24)
    assert answer["usage"] == {
        **answer["usage"],
        "prompt_tokens": len("Why is the sky blue?"),
        "completion_tokens": 24,
    }
    text = answer["choices"][0]["text"]
    assert len(text) == 24
    assert {*text} <= {*string.ascii_lowercase, " "}
    assert complete(engine, "Why is the sky blue?", tokens=24)["choices"][0]["text"] == text


def test_a_chat_arrives_in_parts(engine: httpx.Client) -> None:
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 8,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with engine.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = [line.removeprefix("data: ") for line in answer.iter_lines() if line]
    assert lines.pop() == "[DONE]"
    usage = json.loads(lines.pop())["usage"]
    said = [json.loads(line)["choices"][0]["delta"].get("content") for line in lines]
    assert len([part for part in said if part]) > 1
    assert len("".join(filter(None, said))) == usage["completion_tokens"] == 8
    assert usage["prompt_tokens"] == len("user: Hello\nassistant: ")


def test_the_chat_template_and_the_tokenizer_are_the_models(engine: httpx.Client) -> None:
    body = {"model": MODEL, "prompt": "hé", "add_special_tokens": False}
    assert engine.post("/tokenize", json=body).json()["tokens"] == [*"hé".encode()]
    chat = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}
    tokens = engine.post("/tokenize", json=chat).json()["tokens"]
    assert bytes(tokens).decode() == "user: Hello\nassistant: "


def test_a_repeated_prompt_is_found_in_the_cache(engine: httpx.Client) -> None:
    prompt = unheard(3 * BLOCK)
    before = samples(engine)
    complete(engine, prompt)
    first = samples(engine)
    assert first["prefix_cache_hits_total"] == before["prefix_cache_hits_total"]
    complete(engine, prompt)
    second = samples(engine)
    assert second["prefix_cache_queries_total"] - first["prefix_cache_queries_total"] == 3 * BLOCK
    # The last block is computed again: an answer begins with the last token's output.
    assert second["prefix_cache_hits_total"] - first["prefix_cache_hits_total"] == 2 * BLOCK


def test_metrics_have_the_names_that_the_book_relies_on(engine: httpx.Client) -> None:
    complete(engine, "Count this.", model=LORA)
    page = engine.get("/metrics").text
    families = set(re.findall(r"^# TYPE vllm:(\w+) ", page, re.MULTILINE))
    assert not METRICS - {name.removesuffix("_total") for name in families}
    assert f'model_name="{MODEL}"' in page
    assert f'block_size="{BLOCK}"' in page
    assert LORA in page


def test_finished_requests_are_counted(engine: httpx.Client) -> None:
    before = samples(engine)
    complete(engine, "One.", tokens=5)
    after = samples(engine)
    assert after["request_success_total"] - before["request_success_total"] == 1
    assert after["generation_tokens_total"] - before["generation_tokens_total"] == 5
    assert after["prompt_tokens_total"] - before["prompt_tokens_total"] == len("One.")


def test_an_adapter_answers_under_its_own_name_and_differently(engine: httpx.Client) -> None:
    answers = {model: complete(engine, "The quick brown fox", model) for model in (MODEL, LORA)}
    assert {model: answer["model"] for model, answer in answers.items()} == {MODEL: MODEL, LORA: LORA}
    assert answers[MODEL]["choices"][0]["text"] != answers[LORA]["choices"][0]["text"]


def test_an_unknown_model_is_not_found(engine: httpx.Client) -> None:
    answer = engine.post("/v1/completions", json={"model": "unheard-of", "prompt": "Hello"})
    assert answer.status_code == 404
    assert "`unheard-of` does not exist" in answer.json()["error"]["message"]


def test_a_prompt_beyond_the_context_is_refused(engine: httpx.Client) -> None:
    body = {"model": MODEL, "prompt": "x" * 2049, "max_tokens": 1}
    answer = engine.post("/v1/completions", json=body)
    assert answer.status_code == 400
    assert "maximum context length is 2048 tokens" in answer.json()["error"]["message"]


def test_what_the_cache_stores_is_published(namespace: str) -> None:
    prompt = unheard(2 * BLOCK)
    topic, events = json.loads(inside(namespace, "python3", "-c", LISTENER, prompt))
    address = cluster.kubectl(
        "get",
        "pods",
        f"--namespace={namespace}",
        "--selector=app=vllm",
        "-o=jsonpath={.items[*].status.podIP}",
        doing="Asking for the engine's address",
    )
    assert topic == f"kv@{address}:8000@{MODEL}"
    stored = [event for event in events if event["type"] == "BlockStored"]
    assert {event["block_size"] for event in stored} == {BLOCK}
    # One token is one byte; the listener puts the number of its attempt before the prompt.
    _, _, text = bytes(stored[0]["token_ids"][:BLOCK]).decode().partition(" ")
    assert prompt.startswith(text)


def test_more_requests_than_sequences_wait(engine: httpx.Client) -> None:
    with busy(engine, sequences=24, tokens=500):  # eight more than max-num-seqs
        seen = wait_until(
            lambda: now if (now := samples(engine))["num_requests_waiting"] else {},
            deadline=60,
            what="a request waits in the engine",
        )
    assert seen["num_requests_running"] <= 16
    assert seen["num_requests_running"] + seen["num_requests_waiting"] <= 24
    assert samples(engine)["num_requests_waiting"] == 0


def test_an_unknown_argument_stops_the_engine(namespace: str) -> None:
    command = ("python3", "-m", "vllm.entrypoints.cli.main", "serve", MODEL, "--no-such-argument")
    with pytest.raises(LabError, match="unrecognized arguments: --no-such-argument"):
        inside(namespace, *command)


def test_the_router_of_chapter_2_leads_to_the_engine_and_its_adapter(
    engine: httpx.Client, namespace: str
) -> None:
    before = samples(engine)
    with reach(namespace, "service/router", 8081) as router:
        for model in (MODEL, LORA):
            answer = complete(router, "Hello through the router", model)
            assert answer["model"] == model
            assert answer["choices"] == complete(engine, "Hello through the router", model)["choices"]
    assert samples(engine)["request_success_total"] - before["request_success_total"] == 4


def test_the_endpoint_picker_reads_the_metrics_of_the_engine(engine: httpx.Client, namespace: str) -> None:
    running = 'inference_pool_average_running_requests{name="demo"}'
    with reach(namespace, "service/router", 9090) as picker:
        assert 'inference_pool_ready_pods{name="demo"} 1' in picker.get("/metrics").text
        # Past the router, which cannot have counted them, and longer than it keeps a figure (5 s).
        with busy(engine, sequences=4, tokens=2000):
            wait_until(
                lambda: f"{running} 4" in picker.get("/metrics").text,
                deadline=60,
                what="the endpoint picker sees four requests run in the engine",
            )


# --- A model whose answers make sense, in several replicas -------------------------------

SMOLLM2 = "vllm-router:model=smollm2,replicas=3"
#: Turns of the conversations of talk.py in which the beginning can be known.
LATER = range(2, 6)


@pytest.fixture(scope="module")
def replicas() -> Iterator[str]:
    """Return the namespace of three engines with SmolLM2 and a router before them; they go at the end."""
    yield addons.ensure(SMOLLM2).namespace
    addons.remove(SMOLLM2)


@pytest.fixture(scope="module")
def smollm2(replicas: str) -> Iterator[httpx.Client]:
    """Return a client of the router before SmolLM2."""
    with reach(replicas, "service/router", 8081) as opened:
        yield opened


def chat(client: httpx.Client, question: str, **settings: object) -> str:
    """Return what SmolLM2 answers, the likeliest token each time."""
    messages = [{"role": "user", "content": question}]
    body = {"model": "smollm2", "messages": messages, "max_tokens": 40, "temperature": 0, **settings}
    answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    return str(answer["choices"][0]["message"]["content"])


def test_a_real_model_knows_the_capital_of_france(smollm2: httpx.Client) -> None:
    assert "Paris" in chat(smollm2, "What is the capital of France?")


def test_a_schema_holds_what_a_small_model_says_to_its_form(smollm2: httpx.Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "category": {"enum": ["printer", "login", "network"]},
            "urgent": {"type": "boolean"},
        },
        "required": ["category", "urgent"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "ticket", "schema": schema}}
    found = json.loads(chat(smollm2, "My printer jams every morning.", response_format=wanted))
    assert found.keys() == {"category", "urgent"}
    assert found["category"] == "printer"


def test_conversations_stay_where_their_beginning_is_known(replicas: str) -> None:
    program = Path(__file__).with_name("talk.py").read_text()
    ways = (f"http://router.{replicas}:8081", f"http://vllm.{replicas}:8000")
    shares, seconds = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for line in inside(replicas, "python3", "-c", program, "smollm2", *ways).splitlines():
        way, turn, share, first_token = json.loads(line)
        if turn in LATER:
            shares[way].append(share)
            seconds[way].append(first_token)
    router, service = ways
    # All but the newest question, and what does not fill the last block.
    assert min(shares[router]) >= 0.9
    # The Service leads to any of three: that no conversation ever moves has a chance of 3^-16.
    assert min(shares[service]) < 0.5
    assert mean(seconds[router]) < 0.8 * mean(seconds[service])
