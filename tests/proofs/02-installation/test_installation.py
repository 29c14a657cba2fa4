"""Chapter 2: from an empty cluster to a model that answers through the router."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx
import pytest
from ruamel.yaml import YAML

from proofs.api import CommandFailed, Mutant, Proof, proves

CHAPTER = "02-installation"
TOPOLOGY = f"{CHAPTER}/kind-cluster.yaml"
NODES = f"{CHAPTER}/nodes.console"
PREFLIGHT = f"{CHAPTER}/preflight.py"
ALL_WELL = f"{CHAPTER}/preflight.console"
AS_EDITOR = f"{CHAPTER}/preflight-as-editor.console"
NAMESPACE = f"{CHAPTER}/namespace.yaml"
SIMULATOR = f"{CHAPTER}/simulator-deployment.yaml"
POOL = f"{CHAPTER}/inferencepool-demo.yaml"
RIGHTS = f"{CHAPTER}/endpoint-picker-rbac.yaml"
PICKER = f"{CHAPTER}/endpoint-picker-config.yaml"
ENVOY = f"{CHAPTER}/envoy-config.yaml"
ROUTER = f"{CHAPTER}/router-deployment.yaml"
SERVICE = f"{CHAPTER}/router-service.yaml"
INSTALL_MODEL = f"{CHAPTER}/install-model.console"
INSTALL_ROUTER = f"{CHAPTER}/install-router.console"
VERIFY = f"{CHAPTER}/verify.sh"
VERIFIED = f"{CHAPTER}/verify.console"
WITHOUT_MODEL = f"{CHAPTER}/verify-without-model.console"
MODELS = f"{CHAPTER}/models.console"
REQUEST = f"{CHAPTER}/chat-request.json"
CURL = f"{CHAPTER}/chat.console"
CHAT = f"{CHAPTER}/chat.py"
ASK = f"{CHAPTER}/ask.console"
STREAM = f"{CHAPTER}/stream.py"
STREAMED = f"{CHAPTER}/stream.console"
NO_PICKER = f"{CHAPTER}/refused/inferencepool-without-picker.yaml"
MISSPELT = f"{CHAPTER}/refused/deployment-misspelt-field.yaml"

#: The name under which each router line counts the pods that it may choose from.
READY_METRIC = {
    "v0.10.0": "llm_d_epp_ready_endpoints",
    "v0.7.1": "inference_pool_ready_pods",
}
READERS_URL = "http://localhost:8081"


# What several proofs need


def install_router(proof: Proof) -> None:
    """Apply the router's manifests and wait until the picker has found its pool."""
    proof.apply(NAMESPACE, POOL, RIGHTS, PICKER, ENVOY, ROUTER, SERVICE)
    proof.wait("deployment", "router", "Available", deadline=60)


def install(proof: Proof) -> None:
    """Apply the chapter's manifests and wait until both deployments are available."""
    proof.apply(NAMESPACE, SIMULATOR)
    install_router(proof)
    proof.wait("deployment", "simulator", "Available", deadline=60)


@contextmanager
def router(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the router, once the model answers through it."""
    with (
        proof.forward("service/router", 8081) as url,
        httpx.Client(base_url=url, timeout=10) as client,
    ):
        proof.wait_until(lambda: client.get("/v1/models").raise_for_status(), 20, "the model answers")
        yield client


def ready_endpoints(metrics: httpx.Client, line: str) -> int:
    """Return how many pods the picker says it may choose from."""
    text = metrics.get("/metrics").raise_for_status().text
    found = re.search(rf'(?m)^{READY_METRIC[line]}{{name="demo"}} (\d+)$', text)
    assert found, f"no {READY_METRIC[line]} for the pool"
    return int(found[1])


def wait_for_ready_endpoints(proof: Proof, wanted: int) -> None:
    """Wait until the picker says that it may choose from `wanted` pods."""
    with (
        proof.forward("service/router", 9090) as url,
        httpx.Client(base_url=url, timeout=5) as metrics,
    ):
        proof.wait_until(
            lambda: ready_endpoints(metrics, proof.lab.router_line) == wanted,
            20,
            f"{wanted} ready endpoints",
        )


def pods_of_the_model(proof: Proof) -> set[str]:
    """Return the names of the simulator's pods that are not about to end."""
    pods = proof.objects("pod", "app.kubernetes.io/name=simulator")
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def ask(client: httpx.Client, *messages: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Send a chat; all messages but the last are the system's. Return the answer."""
    *system, question = messages
    chat = [{"role": "system", "content": text} for text in system]
    chat.append({"role": "user", "content": question})
    request = {"model": "lab/sim-8b", "messages": chat}
    answer = client.post("/v1/chat/completions", json=request, headers=headers)
    return answer.raise_for_status()


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


# The cluster


@proves(
    TOPOLOGY,
    NODES,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(TOPOLOGY, "zone: a", "zone: d", because="no node is in that zone"),
        Mutant(TOPOLOGY, 'gpu.count: "8"', 'gpu.count: "16"', because="a node has 8"),
        Mutant(TOPOLOGY, 'rack: "3"', 'rack: "4"', because="no node is in that rack"),
        Mutant(NODES, "worker3         c", "worker3         b", because="the zone is c"),
    ],
)
def test_the_nodes_are_those_of_the_topology(proof: Proof) -> None:
    topology = YAML(typ="safe").load(proof.path(TOPOLOGY))
    nodes = {node["metadata"]["name"]: node for node in proof.objects("node")}
    workers = sorted(name for name in nodes if "control-plane" not in name)
    declared = [node["labels"] for node in topology["nodes"] if node["role"] == "worker"]
    assert len(nodes) == len(topology["nodes"])
    for name, labels in zip(workers, declared, strict=True):
        node = nodes[name]
        assert labels.items() <= node["metadata"]["labels"].items()
        gpus = node["status"]["allocatable"].get("nvidia.com/gpu")
        assert gpus == labels.get("nvidia.com/gpu.count")
    proof.transcript(NODES)


@proves(
    PREFLIGHT,
    ALL_WELL,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(PREFLIGHT, "= (1, 29)", "= (1, 99)", because="the server is older"),
        Mutant(PREFLIGHT, 'k8s.io": "v1"', 'k8s.io": "v9"', because="no CRD serves v9"),
        Mutant(PREFLIGHT, '"1Gi"', '"1Pi"', because="no cluster has the memory"),
        Mutant(ALL_WELL, "0 to do", "1 to do", because="nothing is missing"),
    ],
)
def test_preflight_finds_that_the_lab_can_take_llm_d(proof: Proof) -> None:
    proof.transcript(ALL_WELL)


@proves(
    PREFLIGHT,
    AS_EDITOR,
    evidence="ran",
    only_in_lab=True,
    mutants=[
        Mutant(PREFLIGHT, '"group": group', '"group": ""', because="another API group"),
        Mutant(PREFLIGHT, "except DynamicApi", "except Type", because="it must go on"),
        Mutant(PREFLIGHT, "return 1 if missing", "return 0 if missing", because="scripts ask"),
        Mutant(AS_EDITOR, "ok      right to create services", "", because="a right is lost"),
    ],
)
def test_preflight_names_what_an_editor_of_the_namespace_lacks(proof: Proof) -> None:
    account = f"{proof.namespace}:developer"
    proof.kubectl("create", "serviceaccount", "developer")
    proof.kubectl("create", "rolebinding", "developer", "--clusterrole=edit", f"--serviceaccount={account}")
    token = proof.kubectl("create", "token", "developer").strip()
    proof.kubectl("config", "set-credentials", "developer", f"--token={token}")
    proof.kubectl("config", "set-context", "--current", "--user=developer")
    proof.transcript(AS_EDITOR, failing={1})


@proves(
    NAMESPACE,
    evidence="ran",
    mutants=[
        Mutant(NAMESPACE, "enforce: restricted", "enforce: baseline", because="root may run"),
    ],
)
def test_the_namespace_refuses_pods_that_may_run_as_root(proof: Proof) -> None:
    proof.apply(NAMESPACE)
    with pytest.raises(CommandFailed, match='violates PodSecurity "restricted:latest"'):
        proof.kubectl("run", "root", "--image=registry.invalid/any:1", "--dry-run=server")


# What the API server refuses


@proves(
    NO_PICKER,
    evidence="refused",
    uses=["inference-extension"],
    mutants=[
        Mutant(
            NO_PICKER,
            "- number: 8000\n",
            "- number: 8000\n  endpointPickerRef: {name: router, port: {number: 9002}}\n",
            because="it names a picker",
        )
    ],
)
def test_a_pool_without_picker_is_refused(proof: Proof) -> None:
    proof.refused(NO_PICKER)


@proves(
    MISSPELT,
    evidence="refused",
    mutants=[Mutant(MISSPELT, "replica: 3", "replicas: 3", because="it is spelt right")],
)
def test_a_misspelt_field_is_refused(proof: Proof) -> None:
    proof.refused(MISSPELT)


# The router


@proves(
    ENVOY,
    evidence="checked",
    uses=["envoy"],
    mutants=[
        Mutant(ENVOY, "CLUSTER_PROVIDED", "ROUND_ROBIN", because="the header decides"),
        Mutant(
            ENVOY, "request_trailer_mode: SEND", "request_trailer_mode: SKIP", because="duplex needs trailers"
        ),
    ],
)
def test_envoy_takes_its_configuration(proof: Proof, tmp_path: Path) -> None:
    config_map = YAML(typ="safe").load(proof.path(ENVOY))
    file = tmp_path / "envoy.yaml"
    file.write_text(config_map["data"]["envoy.yaml"])
    printed = proof.run(["envoy", "--mode", "validate", "--config-path", file])
    assert f"configuration '{file}' OK" in printed


@proves(
    RIGHTS,
    ROUTER,
    SERVICE,
    evidence="ran",
    uses=["router", "envoy", "inference-extension"],
    mutants=[
        Mutant(RIGHTS, "[inferencepools]", "[none]", because="the picker cannot see its pool"),
        Mutant(ROUTER, "--pool-name=demo", "--pool-name=other", because="no such pool"),
        Mutant(SERVICE, "targetPort: metrics", "targetPort: 9", because="nothing listens"),
        Mutant(SERVICE, "targetPort: grpc", "targetPort: other", because="no port has that name"),
    ],
)
def test_the_router_is_ready_before_there_is_a_model(proof: Proof) -> None:
    install_router(proof)
    wait_for_ready_endpoints(proof, 0)
    with proof.forward("service/router", 9002):
        pass  # for gateways; a port that leads to none of the pod's is refused


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
    wait_for_ready_endpoints(proof, 3)
    with router(proof) as client:
        assert len(pods_that_answer(client, 24)) == 3
        proof.kubectl("scale", "deployment/simulator", "--replicas=2")
        wait_for_ready_endpoints(proof, 2)
        assert pods_that_answer(client, 12) == pods_of_the_model(proof)


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


@proves(
    PICKER,
    evidence="ran",
    uses=["router", "simulator"],
    mutants=[
        Mutant(
            PICKER,
            "prefix-cache-scorer\n            weight: 3",
            "prefix-cache-scorer\n            weight: 0",
            because="what a pod has seen does not count",
        ),
    ],
)
def test_a_long_prompt_returns_to_the_pod_that_has_seen_it(proof: Proof) -> None:
    manual = "Answer as the manual says, and only as the manual says. " * 20
    install(proof)
    with router(proof) as client:
        pods = {ask(client, manual, f"Page {page}?").headers["x-inference-pod"] for page in range(8)}
    assert len(pods) == 1


# What readers run


@proves(
    INSTALL_ROUTER,
    VERIFY,
    WITHOUT_MODEL,
    evidence="ran",
    uses=["router", "envoy", "inference-extension"],
    mutants=[
        Mutant(INSTALL_ROUTER, "/demo serverside-applied", "/demo", because="it says more"),
        Mutant(VERIFY, "== 3 ]]\nreport", "== 0 ]]\nreport", because="no pod would do"),
        Mutant(WITHOUT_MODEL, "FAILED  the model", "ok      the model", because="none answers"),
    ],
)
def test_the_router_goes_in_as_printed_and_misses_the_model(proof: Proof) -> None:
    proof.transcript(INSTALL_ROUTER)
    proof.transcript(WITHOUT_MODEL, failing={1})


@proves(
    INSTALL_MODEL,
    VERIFIED,
    evidence="ran",
    uses=["router", "simulator", "envoy", "inference-extension"],
    mutants=[
        Mutant(INSTALL_MODEL, "simulator condition", "model condition", because="another name"),
        Mutant(VERIFIED, "sees 3 pods", "sees 4 pods", because="it sees three"),
    ],
)
def test_the_model_goes_in_as_printed_and_nothing_is_missed(proof: Proof) -> None:
    install_router(proof)
    proof.transcript(INSTALL_MODEL)
    proof.transcript(VERIFIED)


@proves(
    MODELS,
    REQUEST,
    CURL,
    CHAT,
    ASK,
    STREAM,
    STREAMED,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(MODELS, '"id": "lab/sim-8b"', '"id": "lab/sim-70b"', because="no such model"),
        Mutant(REQUEST, "did what", "did that", because="the answer echoes"),
        Mutant(CURL, "x-inference-pod: simulator", "x-inference-pod: model", because="no such pod"),
        Mutant(CHAT, 'get("x-inference-pod"', 'get("server"', because="no pod named"),
        Mutant(ASK, "tokens: 15", "tokens: 16", because="it took 15"),
        Mutant(STREAM, '"stream": True', '"stream": False', because="nothing comes in pieces"),
        Mutant(STREAMED, "'did '", "'done '", because="another piece"),
    ],
)
def test_the_model_answers_as_printed(proof: Proof) -> None:
    install(proof)
    with router(proof) as client:
        url = str(client.base_url).rstrip("/")
        for transcript in (MODELS, CURL, ASK, STREAMED):
            proof.transcript(transcript, exchange={READERS_URL: url}, environment={"ROUTER_URL": url})
