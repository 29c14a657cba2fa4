"""What each program answers where a request fails: statuses, texts, and the reason in a header."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tools.reference.metrics import kinds, named
from tools.reference.programs import Programs
from tools.reference.stack import Setting, Stack, running

REASON = "x-llm-d-request-dropped-reason"
#: Characters of a body that are kept.
BEGINNING = 160
Ask = Callable[[Stack], httpx.Response]


def first_refused(text: str) -> Ask:
    """Return a crowd of requests, of whose answers the first with a text in it counts."""

    def ask(stack: Stack) -> httpx.Response:
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: stack.ask(), range(8)))
        return next(answer for answer in answers if text in answer.text)

    return ask


def without_picker(stack: Stack) -> httpx.Response:
    """Ask when the endpoint picker is gone."""
    stack.picker_process.kill()
    stack.picker_process.wait()
    return stack.ask()


NARROW = Setting(
    configuration={
        "featureGates": ["flowControl"],
        "plugins": kinds("active-request-scorer", named("concurrency-detector", maxConcurrency=1)),
        "flowControl": {
            "saturationDetector": {"pluginRef": "concurrency-detector"},
            "defaultRequestTTL": "1s",
            "priorityBands": [{"priority": 0, "maxRequests": "2"}],
        },
    },
    simulator=["--max-num-seqs=1", "--time-to-first-token=4s"],
)
GOLD = named("label-selector-filter", matchLabels={"tier": "gold"})
#: What a stack is started with -> what is asked of it, by the names in http.toml.
SCENES: tuple[tuple[Setting, Mapping[str, Ask]], ...] = (
    (
        Setting(),
        {
            "unknown path": lambda stack: stack.ask(path="/v1/unknown"),
            "no model": lambda stack: stack.client.post("/v1/completions", json={"prompt": "Hello"}),
            "unknown model": lambda stack: stack.ask(model="unknown"),
            "asked for": lambda stack: stack.ask(headers={"X-Return-Error": "503"}),
            "no picker": without_picker,
        },
    ),
    (Setting(configuration={"plugins": kinds(GOLD)}), {"no pod after filters": lambda stack: stack.ask()}),
    (
        NARROW,
        {"full band": first_refused("at capacity"), "long wait": first_refused("timed out")},
    ),
    (
        Setting(simulator=["--max-num-seqs=1", "--max-waiting-queue-length=1", "--time-to-first-token=1s"]),
        {"full pod": first_refused("queue is full")},
    ),
    (
        Setting(labels=()),
        {
            "no pods": lambda stack: stack.ask(),
            "no pods, no body": lambda stack: stack.client.get("/v1/models"),
        },
    ),
)


def record(programs: Programs) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each question and what was answered."""
    for setting, questions in SCENES:
        with running(programs, setting) as stack:
            for name, ask in questions.items():
                answer = ask(stack)
                reason = answer.headers.get(REASON, "")
                text = " ".join(answer.text.split())[:BEGINNING]
                yield (
                    name,
                    {"status": answer.status_code, "says": text} | ({"reason": reason} if reason else {}),
                )
