"""Chapter 3: where each request goes, who says so, and who may change it."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from tests.examples.test_02_installation import (
    ENVOY,
    PICKER,
    POOL,
    RIGHTS,
    ROUTER,
    SERVICE,
    SIMULATOR,
    ask,
    pods_of_the_model,
    router,
)

from lab.router_lines.differences import metric
from proofs.api import CommandFailed, Mutant, Proof, proves

CHAPTER = "03-architecture"
SHORT = f"{CHAPTER}/short-request.json"
LONG = f"{CHAPTER}/long-request.json"
VERBOSE = f"{CHAPTER}/verbose-picker.json"
TRACE = f"{CHAPTER}/trace.py"
TRACED = f"{CHAPTER}/trace.console"
TRACED_APART = f"{CHAPTER}/trace-disaggregated.console"
SPREAD = f"{CHAPTER}/spread.py"
ONLY_QUEUE = f"{CHAPTER}/only-queue-config.yaml"
ONLY_PREFIX = f"{CHAPTER}/only-prefix-config.yaml"
SPREAD_BY_QUEUE = f"{CHAPTER}/spread-queue.console"
SPREAD_BY_PREFIX = f"{CHAPTER}/spread-prefix.console"
INDEX = f"{CHAPTER}/prefix-index.console"
APART = f"{CHAPTER}/disaggregated-config.yaml"
PREFILL = f"{CHAPTER}/prefill-deployment.yaml"
DECODE = f"{CHAPTER}/decode-deployment.yaml"
DECISIONS = f"{CHAPTER}/decisions.console"
EVERY_FIELD = f"{CHAPTER}/inferencepool-every-field.yaml"
OBJECTIVES = f"{CHAPTER}/inferenceobjectives.yaml"
REWRITE = f"{CHAPTER}/inferencemodelrewrite.yaml"
OBJECTS = f"{CHAPTER}/objects.console"
PRIORITIES = f"{CHAPTER}/priorities.console"
SPLIT_PROXY = f"{CHAPTER}/split-proxy.yaml"
SPLIT_PICKER = f"{CHAPTER}/split-picker.yaml"
FAIL_OPEN = f"{CHAPTER}/fail-open.console"
FAIL_CLOSE = f"{CHAPTER}/fail-close.console"
VOLUME = f"{CHAPTER}/model-volume.yaml"
LOADER = f"{CHAPTER}/model-loader.yaml"
READERS = f"{CHAPTER}/model-readers.yaml"
VOLUME_USED = f"{CHAPTER}/model-volume.console"
PERSONAS = f"{CHAPTER}/personas.yaml"
MATRIX = f"{CHAPTER}/rights.toml"
ASK_RIGHTS = f"{CHAPTER}/rights.py"
RIGHTS_ASKED = f"{CHAPTER}/rights.console"
SWAPPED = f"{CHAPTER}/swapped-plugins-config.yaml"
PLUGINS = f"{CHAPTER}/plugins.console"

NO_PORT = f"{CHAPTER}/refused/inferencepool-picker-without-port.yaml"
FAIL_CLOSED = f"{CHAPTER}/refused/inferencepool-fail-closed.yaml"
EXPRESSIONS = f"{CHAPTER}/refused/inferencepool-match-expressions.yaml"
PORT_TWICE = f"{CHAPTER}/refused/inferencepool-same-port-twice.yaml"
NO_POOL = f"{CHAPTER}/refused/inferenceobjective-without-pool.yaml"
PRIORITY_WORD = f"{CHAPTER}/refused/inferenceobjective-priority-word.yaml"
PREFIX_MATCH = f"{CHAPTER}/refused/inferencemodelrewrite-prefix.yaml"
NO_WEIGHT = f"{CHAPTER}/refused/inferencemodelrewrite-weight-zero.yaml"
ALPHA = f"{CHAPTER}/refused/alpha-plugin.yaml"
MOVED = f"{CHAPTER}/refused/moved-parameter.yaml"

#: Nine of the rules in the long request; without them it is short.
MOST_RULES = """\
    {"role": "system", "content": "Quote the manual by chapter and page."},
    {"role": "system", "content": "Say first what must be switched off."},
    {"role": "system", "content": "Then say which tool is needed where."},
    {"role": "system", "content": "Give every torque in newton metres."},
    {"role": "system", "content": "Name parts by number, not by name."},
    {"role": "system", "content": "Do not guess: say what is not known."},
    {"role": "system", "content": "Warn of everything that is under load."},
    {"role": "system", "content": "Write for people who wear gloves."},
    {"role": "system", "content": "Keep sentences short, and number them."},
"""
RULES_OF_ALL = "You answer in one sentence, and politely. " * 25
#: More than 64 tokens that no pod has seen.
LONG_PROMPT = "Number {0} begins like no other prompt before it. " * 12
#: What the reader's port-forwards give, and the variables that tell programs otherwise.
PORTS = {8081: "ROUTER_URL", 9090: "METRICS_URL", 19000: "ENVOY_ADMIN_URL"}
FORGED = {"x-gateway-destination-endpoint": "127.0.0.1:9901"}
CORRECTED_POOL = '{"spec": {"poolRef": {"name": "demo"}}}'
SEEN_BY_PICKER = "x-went-into-resp-headers"


# What several proofs need


def install(proof: Proof, config: str, *servers: str, pool: str = POOL) -> None:
    """Apply chapter 2's router with a configuration of the picker, and model servers.

    Returns once the model answers: a picker that is ready may not know its pods yet.
    """
    proof.apply(pool, RIGHTS, config, ENVOY, ROUTER, SERVICE, *servers)
    for name in deployments(proof):
        proof.wait("deployment", name, "Available", deadline=120)
    with router(proof):
        pass


def deployments(proof: Proof) -> list[str]:
    """Return the names of the deployments in the proof's namespace."""
    return [one["metadata"]["name"] for one in proof.objects("deployment")]


@contextmanager
def forwards(proof: Proof, *ports: int) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield what a transcript exchanges, and its environment, while ports of the router are open."""
    if not ports:
        yield {}, {}
        return
    port, *others = ports
    with proof.forward("deployment/router", port) as url, forwards(proof, *others) as (exchange, variables):
        readers = {f"localhost:{port}": url.removeprefix("http://")}
        yield {**exchange, **readers}, {**variables, PORTS[port]: url}


def transcript(proof: Proof, listing: str, *ports: int, failing: tuple[int, ...] = ()) -> None:
    """Prove a transcript whose commands reach the router at these ports."""
    with forwards(proof, *ports) as (exchange, variables):
        proof.transcript(listing, exchange=exchange, environment=variables, failing=failing)


def post(
    client: httpx.Client, proof: Proof, listing: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send a request that is a listing."""
    body = json.loads(proof.path(listing).read_text())
    return client.post("/v1/chat/completions", json=body, headers=headers)


def counted(proof: Proof, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples with these labels, as the picker counts them."""
    wanted = metric(name, proof.lab.router_line)
    with proof.forward("service/router", 9090) as url:
        text = httpx.get(f"{url}/metrics", timeout=5).raise_for_status().text
    samples = re.findall(rf"(?m)^{wanted}\{{(.*)\}} (\S+)$", text)
    parts = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(float(value) for given, value in samples if all(part in given for part in parts))


def pods_by_conversation(client: httpx.Client) -> dict[str, set[str]]:
    """Send twelve turns of four conversations; return the pods that answered each."""
    pods = defaultdict(set)
    subjects = ("boats", "bread", "bridges", "butterflies")
    with ThreadPoolExecutor(len(subjects)) as threads:
        for turn in range(12):
            rules = [f"You are an expert on {subject}. " * 25 for subject in subjects]
            answers = threads.map(lambda text, turn=turn: ask(client, text, f"Question {turn}?"), rules)
            for subject, answer in zip(subjects, answers, strict=True):
                pods[subject].add(answer.headers["x-inference-pod"])
    return pods


def only_one_router_is_left(proof: Proof) -> None:
    """End the router's old pod at once: logs and ports may lead to it while it drains."""
    for pod in proof.objects("pod", "app.kubernetes.io/name=router"):
        if "deletionTimestamp" in pod["metadata"]:
            proof.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    selector = "app.kubernetes.io/name=router"
    proof.wait_until(lambda: len(proof.objects("pod", selector)) == 1, 90, "the old router goes")


# The request path


@proves(
    SHORT,
    VERBOSE,
    TRACE,
    TRACED,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(SHORT, "and why?", "and why not?", because="the answer is longer"),
        Mutant(VERBOSE, "--v=4", "--v=2", because="no scores are printed"),
        Mutant(TRACE, '"router decoding headers"', '"request headers"', because="the request again"),
        Mutant(TRACED, "7.00", "4.00", because="the pod knows the prompt"),
        Mutant(TRACED, "+ x-gateway-destination-endpoint", "+ x-endpoint", because="another name"),
    ],
)
def test_a_request_is_followed_from_hop_to_hop(proof: Proof) -> None:
    install(proof, PICKER, SIMULATOR)
    with forwards(proof, 8081, 19000) as (_, variables):
        silent = proof.run([sys.executable, "trace.py", "long-request.json"], environment=variables)
    assert "2  the picker printed no scores" in silent
    is_talkative(proof)
    with router(proof) as client:
        first = post(client, proof, SHORT).raise_for_status()
    transcript(proof, TRACED, 8081, 19000)
    chosen = first.headers["x-inference-pod"]
    with forwards(proof, 8081, 19000) as (_, variables):
        again = proof.run([sys.executable, "trace.py", "short-request.json"], environment=variables)
    address = proof.get("pod", chosen)["status"]["podIP"]
    assert f"x-gateway-destination-endpoint: {address}:8000" in again
    assert f"x-inference-pod: {chosen}" in again
    # Exercises 1 and 2: a new beginning knows no pod, and clients name no address.
    with forwards(proof, 8081, 19000) as (_, variables):
        fresh = proof.run([sys.executable, "trace.py", "long-request.json"], environment=variables)
    assert fresh.count(" 4.00 ") == 3
    with router(proof) as client:
        forged = post(client, proof, SHORT, {"x-gateway-destination-endpoint": "127.0.0.1:19000"})
    assert forged.headers["x-inference-pod"] == chosen
    for arguments, complaint in (
        ([], "Usage: "),
        (["none.json"], "none.json: "),
        (["trace.py"], "trace.py: "),
    ):
        with pytest.raises(CommandFailed, match=complaint):
            proof.run([sys.executable, "trace.py", *arguments])
    nowhere = {"ROUTER_URL": "http://127.0.0.1:9", "ENVOY_ADMIN_URL": "http://127.0.0.1:9"}
    with pytest.raises(CommandFailed, match=r"http://127.0.0.1:9: .*refused"):
        proof.run([sys.executable, "trace.py", "short-request.json"], environment=nowhere)


# One scorer alone


@proves(
    ONLY_QUEUE,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            ONLY_QUEUE,
            "- type: queue-scorer",
            "- type: prefix-cache-scorer\n        name: queue-scorer",
            because="another scorer bears the name",
        ),
    ],
)
def test_equal_queues_tear_conversations_apart(proof: Proof) -> None:
    install(proof, ONLY_QUEUE, SIMULATOR)
    with router(proof) as client:
        pods = pods_by_conversation(client)
    assert min(len(seen) for seen in pods.values()) > 1


@proves(
    ONLY_PREFIX,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            ONLY_PREFIX,
            "- type: prefix-cache-scorer",
            "- type: queue-scorer\n        name: prefix-cache-scorer",
            because="a scorer that knows no prompts",
        ),
    ],
)
def test_known_beginnings_keep_conversations_together(proof: Proof) -> None:
    install(proof, ONLY_PREFIX, SIMULATOR)
    with router(proof) as client:
        pods = pods_by_conversation(client)
        everybody = [ask(client, RULES_OF_ALL, f"Question {number}?") for number in range(12)]
    assert [len(seen) for seen in pods.values()] == [1, 1, 1, 1]
    # One beginning for all, and one pod has all the requests.
    assert len({answer.headers["x-inference-pod"] for answer in everybody}) == 1


def past_the_picker(proof: Proof) -> None:
    """Send the conversations to one of the pods instead: the picker does not count them."""
    with (
        proof.forward("deployment/simulator", 8000) as url,
        forwards(proof, 9090) as (_, variables),
    ):
        said = proof.run([sys.executable, "spread.py"], environment={**variables, "ROUTER_URL": url})
    assert said.splitlines()[-1] == "the picker counted 0 decisions, for other pods"


@proves(
    SPREAD,
    SPREAD_BY_QUEUE,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            SPREAD, 'answer.headers.get("x-inference-pod", "unknown")', '"any"', because="no pod is named"
        ),
        Mutant(
            SPREAD_BY_QUEUE,
            "boats       12 turns, answered by several",
            "boats 12 turns, answered by one",
            because="chance does not keep twelve turns together",
        ),
    ],
)
def test_the_picker_counts_the_spread_of_the_queue_scorer(proof: Proof) -> None:
    install(proof, ONLY_QUEUE, SIMULATOR)
    transcript(proof, SPREAD_BY_QUEUE, 8081, 9090)
    past_the_picker(proof)
    # What has no body is not scheduled.
    name = "llm_d_epp_scheduler_attempts_total"
    before = counted(proof, name)
    with router(proof) as client:
        for _ in range(10):
            client.get("/v1/models").raise_for_status()
    assert counted(proof, name) == before > 0


@proves(
    SPREAD,
    SPREAD_BY_PREFIX,
    INDEX,
    LONG,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[
        Mutant(SPREAD, "* 25", "* 0", because="the turns have no beginning in common"),
        Mutant(SPREAD_BY_PREFIX, "48 decisions", "47 decisions", because="there were 48"),
        Mutant(INDEX, "hit_ratio_count", "hit_rate_count", because="another name"),
        Mutant(LONG, MOST_RULES, "", because="a prompt of one block"),
    ],
)
def test_the_picker_counts_what_the_prefix_scorer_keeps_together(proof: Proof) -> None:
    install(proof, ONLY_PREFIX, SIMULATOR)
    transcript(proof, INDEX, 8081, 9090)
    transcript(proof, SPREAD_BY_PREFIX, 8081, 9090)
    nowhere = {"ROUTER_URL": "http://127.0.0.1:9", "METRICS_URL": "http://127.0.0.1:9"}
    with pytest.raises(CommandFailed, match=r"http://127.0.0.1:9: .*refused"):
        proof.run([sys.executable, "spread.py"], environment=nowhere)


# Prefill and decode


@proves(
    APART,
    PREFILL,
    DECODE,
    evidence="ran",
    uses=["router", "simulator"],
    needs=["disaggregation:config=prefix,decode-replicas=1,prefill-replicas=1"],
    mutants=[
        Mutant(APART, "{nonCachedTokens: 64}", "{nonCachedTokens: 6400}", because="nothing is worth the way"),
        Mutant(APART, "{nonCachedTokens: 64}", "{nonCachedTokens: 0}", because="it is switched off"),
        Mutant(
            PREFILL,
            "    llm-d.ai/role: prefill\nspec",
            "    llm-d.ai/role: decode\nspec",
            because="nobody reads",
        ),
        Mutant(DECODE, "--model-server-port=8200", "--model-server-port=8300", because="no engine listens"),
    ],
)
def test_a_long_prompt_is_read_on_another_pod(proof: Proof) -> None:
    install(proof, APART, PREFILL, DECODE)
    with router(proof) as client:
        answers = [post(client, proof, listing).raise_for_status() for listing in (SHORT, LONG, LONG)]
    (decoder,) = proof.objects("pod", "llm-d.ai/role=decode")
    assert {answer.headers["x-inference-pod"] for answer in answers} == {decoder["metadata"]["name"]}
    name = "llm_d_epp_disagg_decision_total"
    assert counted(proof, name, decision_type="decode-only") == 2
    assert counted(proof, name, decision_type="prefill-decode") == 1


@proves(
    DECISIONS,
    TRACED_APART,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    needs=["disaggregation:config=prefix,decode-replicas=1,prefill-replicas=1"],
    mutants=[
        Mutant(
            DECISIONS, 'decision_type="prefill-decode"', 'decision_type="prefill"', because="another name"
        ),
        Mutant(TRACED_APART, "+ x-prefiller-host-port", "+ x-prefill", because="another header"),
    ],
)
def test_the_decision_is_counted_and_written_into_a_header(proof: Proof) -> None:
    install(proof, APART, PREFILL, DECODE)
    transcript(proof, DECISIONS, 8081, 9090)
    is_talkative(proof)
    transcript(proof, TRACED_APART, 8081, 19000)
    name = "llm_d_epp_disagg_decision_total"
    with router(proof) as client:
        # A client's own header passes the router, and nobody listens where it points.
        forged = post(client, proof, SHORT, {"x-prefiller-host-port": "127.0.0.1:9"})
        assert (forged.status_code, forged.text) == (502, "")
        prompts = (LONG_PROMPT.format(number) for number in itertools.count())
        alone = counted(proof, name, decision_type="decode-only")
        scale(proof, "prefill", 0)
        proof.wait_until(
            lambda: ask(client, next(prompts)) and counted(proof, name, decision_type="decode-only") > alone,
            60,
            "long prompts stay on the decode pod",
        )
        # A pool without any pod answers otherwise, with 503.
        scale(proof, "prefill", 1)
        proof.wait("deployment", "prefill", "Available", deadline=120)
        scale(proof, "decode", 0)
        refused = proof.wait_until(lambda: refusal(client), 60, "nobody decodes")
    assert "failed to find available decode workers" in refused


def is_talkative(proof: Proof) -> None:
    """Have the picker print scores, and wait until its old pod has gone."""
    proof.kubectl("patch", "deployment/router", "--type=json", f"--patch-file={proof.path(VERBOSE)}")
    proof.kubectl("rollout", "status", "deployment/router")
    only_one_router_is_left(proof)


def scale(proof: Proof, deployment: str, replicas: int) -> None:
    """Give a deployment another number of pods."""
    proof.kubectl("scale", f"deployment/{deployment}", f"--replicas={replicas}")


def refusal(client: httpx.Client) -> str:
    """Return the text of a refusal with 429; empty for any other answer."""
    question = {"model": "lab/sim-8b", "messages": [{"role": "user", "content": "Who are you?"}]}
    answer = client.post("/v1/chat/completions", json=question)
    return answer.text if answer.status_code == 429 else ""


# Custom resources


@proves(
    EVERY_FIELD,
    evidence="ran",
    uses=["router", "inference-extension"],
    mutants=[
        Mutant(EVERY_FIELD, "appProtocol: http", "appProtocol: kubernetes.io/h2c", because="no default"),
        Mutant(EVERY_FIELD, "number: 8000", "number: 8001", because="nobody listens there"),
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
    install(proof, PICKER, SIMULATOR, pool=EVERY_FIELD)
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
    install(proof, PICKER, SIMULATOR)
    request = {"model": "chat", "messages": [{"role": "user", "content": "Who are you?"}]}
    with router(proof) as client:
        assert client.post("/v1/chat/completions", json=request).status_code == 404
        for header in ("x-llm-d-model-name-rewrite", "x-gateway-model-name-rewrite"):
            client.post(
                "/v1/chat/completions", json=request, headers={header: "lab/sim-8b"}
            ).raise_for_status()
        proof.apply(REWRITE)
        proof.wait_until(
            lambda: client.post("/v1/chat/completions", json=request).raise_for_status(),
            20,
            "the alias works",
        )
        other = {**request, "model": "Chat"}
        assert client.post("/v1/chat/completions", json=other).status_code == 404


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
    install(proof, PICKER, SIMULATOR)
    proof.transcript(OBJECTS)
    with router(proof):
        pass
    transcript(proof, PRIORITIES, 8081, 9090)
    for one in proof.objects("inferenceobjectives.llm-d.ai"):
        assert "status" not in one
    # Exercise 4: a corrected objective needs no restart.
    proof.kubectl("patch", "inferenceobjectives.llm-d.ai/forgotten", "--type=merge", "-p", CORRECTED_POOL)

    def is_counted() -> bool:
        with router(proof) as client:
            post(client, proof, SHORT, {"x-llm-d-inference-objective": "forgotten"}).raise_for_status()
        return counted(proof, "llm_d_epp_request_total", priority="50") > 0

    proof.wait_until(is_counted, 60, "the corrected objective counts")
    idle_pods_answer_below_zero(proof)


@proves(
    NO_PORT,
    FAIL_CLOSED,
    EXPRESSIONS,
    PORT_TWICE,
    evidence="refused",
    uses=["inference-extension"],
    mutants=[
        Mutant(
            NO_PORT, "name: router\n", "name: router\n    port: {number: 9002}\n", because="it has a port"
        ),
        Mutant(FAIL_CLOSED, "failureMode: FailClosed", "failureMode: FailClose", because="a known word"),
        Mutant(
            EXPRESSIONS,
            "matchExpressions:\n      - {key: tier, operator: In, values: [gold]}",
            "matchLabels: {tier: gold}",
            because="labels are known",
        ),
        Mutant(PORT_TWICE, "8000\n    - number: 8000", "8000\n    - number: 8001", because="two ports"),
    ],
)
def test_pools_are_refused(proof: Proof) -> None:
    for listing in (NO_PORT, FAIL_CLOSED, EXPRESSIONS, PORT_TWICE):
        proof.refused(listing)


@proves(
    NO_POOL,
    PRIORITY_WORD,
    PREFIX_MATCH,
    NO_WEIGHT,
    evidence="refused",
    uses=["router"],
    mutants=[
        Mutant(NO_POOL, "priority: 100", "priority: 100\n  poolRef: {name: demo}", because="it has a pool"),
        Mutant(PRIORITY_WORD, "priority: Critical", "priority: 100", because="a number"),
        Mutant(PREFIX_MATCH, "type: Prefix", "type: Exact", because="the only type"),
        Mutant(NO_WEIGHT, "weight: 0", "weight: 1", because="the smallest weight"),
    ],
)
def test_objectives_and_rewrites_are_refused(proof: Proof) -> None:
    for listing in (NO_POOL, PRIORITY_WORD, PREFIX_MATCH, NO_WEIGHT):
        proof.refused(listing)


# Networking and storage


@contextmanager
def split_router(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the proxy, once the picker has seen an answer."""
    proof.apply(POOL, RIGHTS, PICKER, SPLIT_PICKER, SIMULATOR)
    for name in ("picker", "simulator", "proxy"):
        proof.wait("deployment", name, "Available", deadline=120)

    def is_asked() -> bool:
        # A port-forward of its own: one ends when the proxy breaks a connection off.
        with proxied(proof) as client:
            return SEEN_BY_PICKER in post(client, proof, SHORT).headers

    proof.wait_until(is_asked, 90, "the picker is asked")
    with proxied(proof) as client:
        yield client


@contextmanager
def proxied(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the proxy that stands alone."""
    with (
        proof.forward("service/proxy", 8081) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client


@proves(
    SPLIT_PROXY,
    SPLIT_PICKER,
    FAIL_OPEN,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(
            SPLIT_PROXY, "failure_mode_allow: true", "failure_mode_allow: false", because="it fails closed"
        ),
        Mutant(SPLIT_PROXY, "- remove: x-gateway", "- remove: x-nothing", because="clients name addresses"),
        Mutant(
            SPLIT_PROXY,
            "healthy_panic_threshold: {value: 0}",
            "healthy_panic_threshold: {value: 100}",
            because="it asks a picker that is gone",
        ),
        Mutant(
            SPLIT_PICKER, "--health-checking=true", "--health-checking=false", because="it counts as gone"
        ),
        Mutant(FAIL_OPEN, "200 true", "200 false", because="the picker sees the answer"),
    ],
)
def test_without_a_picker_any_pod_answers(proof: Proof) -> None:
    proof.apply(SPLIT_PROXY)
    with split_router(proof) as client:
        assert post(client, proof, SHORT, FORGED).status_code == 200
        proof.transcript(FAIL_OPEN, exchange={"http://localhost:8081": str(client.base_url).rstrip("/")})
        for headers in ({}, FORGED):
            answer = post(client, proof, SHORT, headers)
            assert answer.status_code == 200
            assert SEEN_BY_PICKER not in answer.headers
            assert answer.headers["x-inference-pod"] in pods_of_the_model(proof)
        proof.apply(SPLIT_PICKER)
        proof.wait_until(
            lambda: SEEN_BY_PICKER in post(client, proof, SHORT).headers, 60, "the picker is back"
        )


@proves(
    FAIL_CLOSE,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[Mutant(FAIL_CLOSE, "500\n", "200\n", because="nobody may choose")],
)
def test_closed_the_proxy_refuses_without_a_picker(proof: Proof) -> None:
    file = proof.path(SPLIT_PROXY)
    file.write_text(file.read_text().replace("failure_mode_allow: true", "failure_mode_allow: false"))
    proof.apply(SPLIT_PROXY)
    with split_router(proof) as client:
        proof.transcript(FAIL_CLOSE, exchange={"http://localhost:8081": str(client.base_url).rstrip("/")})
    the_word_alone_opens_nothing(proof)


def the_word_alone_opens_nothing(proof: Proof) -> None:
    """Show what chapter 2's router does when only failure_mode_allow is changed and no picker is there."""
    file = proof.path(ENVOY)
    text = file.read_text().replace("failure_mode_allow: false", "failure_mode_allow: true")
    file.write_text(text.replace("port_value: 9002", "port_value: 9999"))
    proof.apply(ENVOY, ROUTER, SERVICE)
    proof.wait("deployment", "router", "Available", deadline=120)
    pod = proof.get("pod", min(pods_of_the_model(proof)))
    with proof.forward("deployment/router", 8081) as url, httpx.Client(base_url=url, timeout=20) as client:
        assert post(client, proof, SHORT).status_code == 500
        listed = client.get("/v1/models")
        assert (listed.status_code, listed.text) == (503, "no healthy upstream")
        forged = {"x-gateway-destination-endpoint": f"{pod['status']['podIP']}:8000"}
        assert client.get("/v1/models", headers=forged).status_code == 200


def not_even_root_writes(proof: Proof) -> None:
    """Give the readers the loader's user, and try to write the file that belongs to it."""
    file = proof.path(READERS)
    text = file.read_text().replace("runAsNonRoot: true", "runAsNonRoot: false")
    file.write_text(text.replace("runAsUser: 1000", "runAsUser: 0"))
    proof.apply(READERS)
    proof.kubectl("rollout", "status", "deployment/reader")
    with pytest.raises(CommandFailed, match="Read-only file system"):
        proof.kubectl("exec", "deployment/reader", "--", "touch", "/models/lab/sim-8b/weights.bin")


@proves(
    VOLUME,
    LOADER,
    READERS,
    VOLUME_USED,
    evidence="ran",
    needs=["client"],  # for the image of Python
    alone=True,
    only_in_lab=True,
    mutants=[
        Mutant(VOLUME, "values: [c]", "values: [z]", because="no node has the folder"),
        Mutant(LOADER, "bytes(8)", "bytes(9)", because="another size"),
        Mutant(
            READERS, "mountPath: /models, readOnly: true", "mountPath: /models", because="no longer refused"
        ),
        Mutant(VOLUME_USED, "Read-only file system", "Permission denied", because="another refusal"),
    ],
)
def test_three_pods_read_a_model_and_none_writes_it(proof: Proof) -> None:
    proof.apply(VOLUME)
    try:
        proof.apply(LOADER)
        proof.wait("job", "load-model", "Complete", deadline=120)
        proof.apply(READERS)
        proof.wait("deployment", "reader", "Available", deadline=120)
        proof.wait("deployment", "reader", lambda one: one["status"].get("readyReplicas") == 3, deadline=120)
        proof.transcript(VOLUME_USED, failing={2})
        not_even_root_writes(proof)
    finally:
        proof.kubectl("delete", "deployment,job", "--all", "--wait", "--grace-period=0")
        proof.kubectl("delete", "persistentvolumeclaim", "models", "--wait")
        proof.kubectl("delete", "persistentvolume", "lab-models", "--wait")


# Rights


def differs_from_matrix(proof: Proof, command: list[str]) -> bool:
    """Tell whether the program finds a right that the matrix does not have."""
    try:
        proof.run(command)
    except CommandFailed as failure:
        return "exited with 1" in str(failure) and "NOT AS WRITTEN" in str(failure)
    return False


@proves(
    PERSONAS,
    MATRIX,
    ASK_RIGHTS,
    RIGHTS_ASKED,
    evidence="ran",
    router=">=0.10",  # the older line's kinds have another group, which a matrix in TOML does not know
    mutants=[
        Mutant(PERSONAS, "resources: [configmaps, pods/log]", "resources: ['*']", because="Secrets too"),
        Mutant(PERSONAS, "verbs: [get, list, patch]", "verbs: [get, list]", because="no restart"),
        Mutant(
            MATRIX,
            'pods = ["get", "list", "delete"]\nconfigmaps = ["get", "list", "create"',
            'pods = ["get", "list"]\nconfigmaps = ["get", "list", "create"',
            because="more is allowed than written",
        ),
        Mutant(MATRIX, '  "secrets",\n', "", because="nobody asks for Secrets"),
        Mutant(ASK_RIGHTS, '"system:authenticated"', '"system:nobody"', because="rights of all count"),
        Mutant(ASK_RIGHTS, '.partition(":")', '.partition("/")', because="a subresource has a colon"),
        Mutant(ASK_RIGHTS, "return 1 if differ else 0", "return 0", because="pipelines ask for the status"),
        Mutant(RIGHTS_ASKED, "196 questions", "195 questions", because="it asked 196"),
    ],
)
def test_everybody_may_do_what_the_matrix_says_and_no_more(proof: Proof) -> None:
    proof.apply(RIGHTS, PERSONAS)
    proof.transcript(RIGHTS_ASKED)
    question = [
        "auth",
        "can-i",
        "list",
        "secrets",
        f"--as=system:serviceaccount:{proof.namespace}:endpoint-picker",
    ]
    with pytest.raises(CommandFailed):
        proof.kubectl(*question)
    rights = [sys.executable, "rights.py", f"--namespace={proof.namespace}"]
    with pytest.raises(CommandFailed, match="no cluster: "):
        proof.run(rights, environment={"KUBECONFIG": "/nowhere"})
    # A subresource in the list of what is asked: whoever is on call may read logs.
    matrix = proof.path(MATRIX)
    written = matrix.read_text()
    matrix.write_text(written.replace('"pods",', '"pods", "pods:log",'))
    assert differs_from_matrix(proof, rights)
    matrix.write_text(written)
    # What everybody may do, a persona may do too.
    everybody = ("everybody", "--clusterrole=view", "--group=system:authenticated")
    proof.kubectl("create", "rolebinding", *everybody)
    assert differs_from_matrix(proof, rights)
    proof.kubectl("delete", "rolebinding", "everybody")
    # Exercise 3: a right too many.
    file = proof.path(PERSONAS)
    file.write_text(file.read_text().replace("[configmaps, pods/log]", "[configmaps, pods/log, secrets]"))
    proof.apply(PERSONAS)
    assert differs_from_matrix(proof, rights)


# Extension points


@proves(
    SWAPPED,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            SWAPPED,
            "- type: weighted-random-picker",
            "- type: max-score-picker\n        name: weighted-random-picker",
            because="another picker ran",
        ),
    ],
)
def test_plugins_are_exchanged_by_configuration(proof: Proof) -> None:
    install(proof, SWAPPED, SIMULATOR)
    with router(proof) as client:
        ask(client, "Who are you?")
    name = "llm_d_epp_plugin_duration_seconds_count"
    for plugin, point in (("active-request-scorer", "Scorer"), ("weighted-random-picker", "Picker")):
        assert counted(proof, name, plugin_type=plugin, extension_point=point) == 1
    for plugin in ("queue-scorer", "max-score-picker"):
        assert counted(proof, name, plugin_type=plugin) == 0


@proves(
    PLUGINS,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    mutants=[Mutant(PLUGINS, 'extension_point="Picker"', 'extension_point="Pick"', because="another name")],
)
def test_the_picker_times_every_plugin_that_runs(proof: Proof) -> None:
    install(proof, SWAPPED, SIMULATOR)
    transcript(proof, PLUGINS, 8081, 9090)


def refusal_of_the_picker(proof: Proof, listing: str) -> str:
    """Start a picker with a configuration; return why it did not start."""
    proof.apply(POOL, RIGHTS, listing, ENVOY, ROUTER)

    def refusal() -> str:
        lines = proof.logs("deployment/router", "endpoint-picker").splitlines()
        errors = [json.loads(line) for line in lines if '"level":"error"' in line]
        assert errors
        return f"{errors[0]['msg']}: {errors[0]['error']}"

    return proof.wait_until(refusal, 60, "the picker says why it does not start")


@proves(
    ALPHA,
    MOVED,
    evidence="refused",
    router=">=0.10",
    uses=["router"],
    mutants=[
        Mutant(
            ALPHA,
            "- type: session-affinity-scorer",
            "- type: queue-scorer\n        name: session-affinity-scorer",
            because="a plugin of stage Beta",
        ),
        Mutant(MOVED, "parameters: {blockSizeTokens: 64}", "parameters: {}", because="nothing is misplaced"),
    ],
)
def test_a_picker_refuses_plugins_that_it_must_not_run(proof: Proof) -> None:
    for listing in (ALPHA, MOVED):
        proof.answered(listing, refusal_of_the_picker(proof, listing), by="The endpoint picker")
        proof.kubectl("delete", "deployment/router", "--wait", "--grace-period=0", "--cascade=foreground")
