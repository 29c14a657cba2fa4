"""What do the EPP's decisions look like in Prometheus when all prompts begin alike?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import SIMULATOR, ask, router
from tests.proofs.prometheus_page import SIZE, go_to_the_graph

from .steps import chapter, install_with

ONLY_PREFIX = chapter["only-prefix-config.yaml"]
PICTURE = chapter["decisions-in-prometheus.png"]

#: Per pod of the reader's namespace, how often it is chosen in a second.
QUERY = 'sum by (endpoint_name) (rate(llm_d_epp_scheduler_attempts_total{namespace="llm-d"}[30s]))'
MANUAL = "Switch the machine off before you open the cover. " * 25
#: Seconds of each kind of traffic, and requests under way at once.
SECONDS, CLIENTS = 40, 4
#: So much longer, while the picture is taken.
PICTURE_SECONDS = 15
#: One of the three pods gets nearly all, or about as many as the others.
ALL, ALIKE = 0.95, 0.6


@contextmanager
def prometheus(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the add-on."""
    namespace = proof.addon("prometheus").namespace
    with (
        proof.forward("service/prometheus", 9090, namespace=namespace) as url,
        httpx.Client(base_url=url, timeout=10) as client,
    ):
        yield client


def converse(client: httpx.Client, seconds: float, *, manual: str) -> None:
    """Send questions for a while, a few at once, each behind the same manual."""
    end = time.monotonic() + seconds

    def talk(number: int) -> None:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            # The number comes first: without a manual no two prompts begin alike.
            question = f"{number}.{turn}: what comes next?"
            ask(client, *([manual] if manual else []), question)
            time.sleep(1)

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(talk, range(CLIENTS)))


def greatest_share(client: httpx.Client, query: str) -> float:
    """Return the share of the decisions of 30 seconds that went to the pod with most of them."""
    result: list[dict[str, Any]] = (
        client.get("/api/v1/query", params={"query": query}).raise_for_status().json()["data"]["result"]
    )
    rates = [float(one["value"][1]) for one in result]
    assert sum(rates) > 0, "Prometheus has no decisions of this router"
    return max(rates) / sum(rates)


@proves(
    PICTURE,
    ONLY_PREFIX,
    evidence="ran",
    router=">=0.10",
    uses=["router", "simulator"],
    needs=["prometheus"],
    alone=True,  # it compares shares of a load
    mutants=[
        Mutant(
            ONLY_PREFIX,
            "- type: prefix-cache-scorer",
            "- type: queue-scorer\n        name: prefix-cache-scorer",
            because="a common beginning draws nothing to one pod",
        ),
    ],
)
def test_prometheus_shows_one_pod_with_all_decisions(proof: Proof) -> None:
    install_with(proof, ONLY_PREFIX, SIMULATOR)
    query = QUERY.replace("llm-d", proof.namespace)
    with router(proof) as client, prometheus(proof) as watched:
        converse(client, SECONDS, manual="")
        assert greatest_share(watched, query) < ALIKE
        with ThreadPoolExecutor(1) as meanwhile:
            more = meanwhile.submit(converse, client, SECONDS + PICTURE_SECONDS, manual=MANUAL)
            time.sleep(SECONDS)
            assert greatest_share(watched, query) > ALL
            graph = {"g0.expr": query, "g0.tab": "0", "g0.range_input": "2m"}
            proof.screenshot(
                PICTURE,
                f"{watched.base_url}/classic/graph?{urlencode(graph)}",
                shows=["sum by (endpoint_name)", '{endpoint_name="simulator-'],
                before=partial(go_to_the_graph, query=QUERY),
                size=SIZE,
            )
            more.result()
