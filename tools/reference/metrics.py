"""Which metrics the programs show: names, types, labels and help, from live scrapes after traffic."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from proofs.waiting import wait_until
from tools.reference.programs import Programs
from tools.reference.stack import MODEL, Setting, Stack, running

SAMPLE = re.compile(r"(?m)^(?P<name>[\w:]+)(?:\{(?P<labels>.*)\})? ")
LABEL = re.compile(r'(\w+)="')
HELP = re.compile(r"(?m)^# HELP (\S+) (.*)$")
TYPE = re.compile(r"(?m)^# TYPE (\S+) (\S+)$")
#: Labels that a type of metric has of itself.
OF_THE_TYPE = {"histogram": {"le"}, "summary": {"quantile"}}
SERIES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
#: What comes with the language and its libraries, and is not llm-d's.
FOREIGN = (
    "go_",
    "process_",
    "promhttp_",
    "controller_runtime_",
    "rest_client_",
    "workqueue_",
    "certwatcher_",
    "leader_election_",
)

Metric = dict[str, Any]
#: A picture of one point.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
LONG = "once upon a time " * 60


def parse(text: str) -> dict[str, Metric]:
    """Return every metric of a scrape: type, help and the labels of its samples."""
    helps = dict(HELP.findall(text))
    found = {
        name: {"type": kind, "help": helps.get(name, "").strip(), "labels": set()}
        for name, kind in TYPE.findall(text)
    }
    owners = {
        f"{name}{suffix}": name
        for name, metric in found.items()
        for suffix in ("", *SERIES.get(metric["type"], ()))
    }
    for sample in SAMPLE.finditer(text):
        if owner := owners.get(sample["name"]):
            metric = found[owner]
            labels = set(LABEL.findall(sample["labels"] or ""))
            metric["labels"] |= labels - OF_THE_TYPE.get(metric["type"], set())
    return found


def merged(scrapes: Iterable[Mapping[str, Metric]]) -> dict[str, Metric]:
    """Return the metrics of several scrapes by name, with all labels that were seen."""
    whole: dict[str, Metric] = {}
    for scrape in scrapes:
        for name, metric in scrape.items():
            known = whole.setdefault(name, {**metric, "labels": set()})
            known["labels"] |= metric["labels"]
    return {
        name: {**metric, "labels": sorted(metric["labels"])}
        for name, metric in sorted(whole.items())
        if not name.startswith(FOREIGN)
    }


def everyday(stack: Stack) -> None:
    """Ask in several ways, once for a model that nobody serves."""
    for number in range(3):
        stack.ask(f"{LONG} {number}").raise_for_status()
    chat(stack, "Hello " * 9, stream=True, stream_options={"include_usage": True})
    stack.ask(model="sql", headers={"x-llm-d-model-name-rewrite": MODEL})
    stack.ask(model="sql").raise_for_status()
    assert stack.ask(model="unknown").is_error


def crowd(stack: Stack) -> None:
    """Send more than the pods take and the queue holds."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: stack.ask().status_code, range(8)))
    assert {200, 429} <= set(answers), answers


def overflow(stack: Stack) -> None:
    """Let requests wait in the pods, and the picker look for a pod that is gone."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: stack.ask(), range(8)))


def families(stack: Stack) -> None:
    """Ask several times with equal beginnings, which nobody has sent before."""
    family = secrets.token_hex(4)
    for number in range(4):
        stack.ask(f"{family} {LONG} {number}").raise_for_status()


def events(stack: Stack) -> None:
    """Ask with new beginnings until the picker hears of one: what pods tell before it listens is lost."""

    def is_heard() -> bool:
        families(stack)
        return "kv_cache_events_messages_received_total{" in stack.scrape()[0]

    wait_until(is_heard, deadline=60, what="an event of a cache")


def pictures(stack: Stack) -> None:
    """Ask about a picture, twice."""
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    for _ in range(2):
        chat(stack, [{"type": "text", "text": LONG}, picture])


def chat(stack: Stack, content: str | list[dict[str, Any]], **more: Any) -> None:  # noqa: ANN401 - any JSON
    """Ask as a chat, and take any answer."""
    talk = [{"role": "user", "content": content}]
    stack.client.post("/v1/chat/completions", json={"model": MODEL, "messages": talk, **more})


def profile(*plugins: str, name: str = "default") -> dict[str, Any]:
    """Return a profile that runs some plugins."""
    return {"name": name, "plugins": [{"pluginRef": plugin} for plugin in plugins]}


def kinds(*plugins: str | dict[str, Any]) -> list[dict[str, Any]]:
    """Return entries of plugins, of which some have parameters."""
    return [{"type": plugin} if isinstance(plugin, str) else plugin for plugin in plugins]


def named(kind: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the entry of a plugin with parameters."""
    return {"type": kind, "parameters": parameters}


CACHE = ("--enable-kvcache=true", "--max-model-len=4096", "--mode=echo")
LORA = ("--lora-modules", '{"name": "sql", "path": "/sql"}')
QUEUES = {
    "featureGates": ["flowControl"],
    "plugins": kinds(
        "active-request-scorer", "program-aware-fairness", named("concurrency-detector", maxConcurrency=1)
    ),
    "flowControl": {
        "saturationDetector": {"pluginRef": "concurrency-detector"},
        "defaultRequestTTL": "1s",
        "priorityBands": [{"priority": 0, "maxRequests": "2", "fairnessPolicyRef": "program-aware-fairness"}],
    },
}
THRESHOLDS = {
    "featureGates": ["flowControl"],
    "plugins": kinds("queue-scorer", "predicted-latency-producer"),
    "flowControl": {"defaultRequestTTL": "30s"},
}
STAGES = {
    "plugins": kinds(
        "prefill-filter",
        "decode-filter",
        "prefix-cache-scorer",
        "always-disagg-pd-decider",
        named("disagg-profile-handler", deciders={"prefill": "always-disagg-pd-decider"}),
    ),
    "schedulingProfiles": [
        profile("prefill-filter", "prefix-cache-scorer", name="prefill"),
        profile("decode-filter", "prefix-cache-scorer", name="decode"),
    ],
}
INDEX = {
    "plugins": kinds(
        named("token-producer", modelName=MODEL, vllm={"url": "$SIMULATOR"}),
        named(
            "precise-prefix-cache-producer",
            tokenProcessorConfig={"blockSizeTokens": 16},
            kvEventsConfig={"zmqEndpoint": "tcp://$EVENTS", "discoverPods": False},
            indexerConfig={"kvBlockIndexConfig": {"enableMetrics": True}},
        ),
        named("prefix-cache-scorer", prefixMatchInfoProducerName="precise-prefix-cache-producer"),
    ),
    "schedulingProfiles": [profile("prefix-cache-scorer")],
}
#: What is started, and what is asked of it.
SCENES: Mapping[str, tuple[Setting, Callable[[Stack], None]]] = {
    "defaults": (
        Setting(
            flags=["--enable-grpc-stream-metrics"],
            simulator=[*CACHE, *LORA, "--time-to-first-token=20ms", "--inter-token-latency=30ms"],
        ),
        everyday,
    ),
    "queues": (Setting(QUEUES, simulator=["--max-num-seqs=1", "--time-to-first-token=2s"]), crowd),
    "full and missing pods": (
        Setting(THRESHOLDS, simulator=["--max-num-seqs=1", "--time-to-first-token=300ms"], missing=1),
        overflow,
    ),
    "prefill and decode": (
        Setting(STAGES, labels=[{"llm-d.ai/role": "prefill"}, {"llm-d.ai/role": "decode"}]),
        families,
    ),
    "events of caches": (
        Setting(INDEX, simulator=[*CACHE, "--zmq-endpoint=tcp://$EVENTS", "--event-batch-size=1"]),
        events,
    ),
    "pictures": (
        Setting({"plugins": kinds("mm-embeddings-cache-scorer")}, simulator=["--max-model-len=4096"]),
        pictures,
    ),
}


def counts_pods(stack: Stack) -> bool:
    """Tell whether the picker shows the averages of its pool, which come after a while."""
    return "llm_d_epp_ready_endpoints{" in stack.scrape()[0]


def record(programs: Programs) -> dict[str, dict[str, Metric]]:
    """Return the metrics of endpoint picker and simulator after every scene."""
    pickers, simulators = [], []
    for setting, ask in SCENES.values():
        with running(programs, setting) as stack:
            ask(stack)
            wait_until(partial(counts_pods, stack), deadline=60, what="the picker counts its pods")
            picker, others = stack.scrape()
        pickers.append(parse(picker))
        simulators += [parse(other) for other in others]
    return {"endpoint picker": merged(pickers), "simulator": merged(simulators)}
