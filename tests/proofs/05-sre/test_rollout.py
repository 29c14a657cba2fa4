"""Which requests does a rollout cost, with time to end and without?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from proofs.api import Mutant, Proof, counterpart, proves

from . import expected
from .steps import (
    ENVOY,
    MODEL_SERVER,
    ROUTER,
    chapter,
    install,
    opened,
    pods_of_the_model,
    query,
    wait_until_scraped,
    watched,
)

ROLLOUT = chapter["rollout.console"]
HASTY = chapter["hasty-patch.json"]
HASTY_RUN = chapter["rollout-hasty.console"]
EVICT = chapter["evict.sh"]
EVICTED = chapter["evict.console"]
#: What the page prints of the hasty rollout, which is another number each time.
RECORDED = chapter.root / "source/plots/rollout.json"
USES = ["router", "simulator", "envoy"]
SENT = 60
CUT = "envoy_cluster_upstream_cx_destroy_remote_with_active_rq"
FAILED = re.compile(r"failed +(\d+): (.*)")


@proves(
    MODEL_SERVER,
    ROLLOUT,
    evidence="ran",
    router=">=0.10",
    uses=USES,
    mutants=[
        Mutant(
            MODEL_SERVER,
            "terminationGracePeriodSeconds: 60",
            "terminationGracePeriodSeconds: 1",
            because="answers are cut off",
        ),
        Mutant(
            MODEL_SERVER,
            "{maxSurge: 1, maxUnavailable: 0}",
            "{maxSurge: 0, maxUnavailable: 3}",
            because="no pod is left",
        ),
        Mutant(MODEL_SERVER, "matchLabelKeys: [pod-template-hash]", "matchLabelKeys: [zone]", because="each"),
        Mutant(MODEL_SERVER, "sleep: {seconds: 5}", "sleep: {seconds: 1}", because="five, as the page says"),
        Mutant(MODEL_SERVER, "--max-num-seqs=5", "--max-num-seqs=1", because="others wait, and are lost"),
        Mutant(ROLLOUT, "failed       0", "failed       1", because="none failed"),
    ],
)
def test_a_rollout_costs_no_request(proof: Proof) -> None:
    install(proof)
    held = proof.get("deployment", "simulator")["spec"]
    assert counterpart(held, expected.MODEL_SERVER) == expected.MODEL_SERVER
    budget = proof.get("poddisruptionbudget", "simulator")["spec"]
    assert counterpart(budget, expected.BUDGET) == expected.BUDGET
    before = {pod["metadata"]["name"] for pod in pods_of_the_model(proof)}
    with opened(proof) as url:
        proof.transcript(ROLLOUT, environment={"ROUTER_URL": url})
    proof.kubectl("rollout", "status", "deployment/simulator")
    now = pods_of_the_model(proof)
    assert not before & {pod["metadata"]["name"] for pod in now}
    nodes = {node["metadata"]["name"]: node for node in proof.objects("node")}
    zones = {
        nodes[pod["spec"]["nodeName"]]["metadata"]["labels"]["topology.kubernetes.io/zone"] for pod in now
    }
    assert len(zones) == 3


@proves(
    HASTY,
    HASTY_RUN,
    ENVOY,
    evidence="ran",
    router=">=0.10",
    uses=USES,
    needs=["prometheus"],
    mutants=[
        Mutant(
            HASTY,
            '"terminationGracePeriodSeconds": 2',
            '"terminationGracePeriodSeconds": 30',
            because="the simulator waits by itself",
        ),
        Mutant(HASTY_RUN, "cut off", "status 503", because="their status was 200"),
        Mutant(ENVOY, "{path: /stats/prometheus}", "{path: /stats}", because="Prometheus asks there"),
    ],
)
def test_without_time_to_end_answers_are_cut_off_after_their_200(proof: Proof) -> None:
    install(proof)
    as_recorded = ""
    if RECORDED.exists():
        cut = json.loads(RECORDED.read_text())["cut"]
        as_recorded = (
            f" | sed -E 's/^answered +[0-9]+/answered     {SENT - cut}/; s/[0-9]+: [0-9]+/{cut}: {cut}/'"
        )
    with watched(proof) as (exchange, variables):
        url = variables["PROMETHEUS_URL"]
        wait_until_scraped(proof, url)
        of = f'namespace="{proof.namespace}"'
        five = f'sum(envoy_http_downstream_rq_xx{{{of},envoy_response_code_class="5"}})'
        # While the EPP began, Envoy refused.
        refused = query(url, five)
        printed = proof.path(HASTY_RUN).parent / "printed.txt"
        shown = f"--words 200 | tee {printed}{as_recorded}"
        proof.transcript(
            HASTY_RUN,
            exchange={**exchange, "--words 200": shown},
            environment=variables,
        )
        found = FAILED.search(printed.read_text())
        assert found
        failed = int(found[1])
        assert found[2] == f"{failed} cut off"
        assert failed >= 3
        # Envoy counted no 5xx, and each of them as a connection that a pod closed.
        closed = f'sum({CUT}{{{of},envoy_cluster_name="chosen-pod"}})'
        proof.wait_until(lambda: query(url, closed) == [failed], 30, "Prometheus has all of them")
        assert query(url, five) == refused
    # What the patch took away is back.
    held = proof.get("deployment", "simulator")["spec"]
    assert counterpart(held, expected.MODEL_SERVER) == expected.MODEL_SERVER
    if proof.recording and not RECORDED.exists():
        RECORDED.write_text(json.dumps({"sent": SENT, "cut": failed}, indent=1) + "\n")


def test_the_page_prints_the_recorded_number() -> None:
    if not RECORDED.exists():
        pytest.skip("the hasty rollout was not recorded yet")
    cut = json.loads(RECORDED.read_text())["cut"]
    assert f"{cut} cut off" in (chapter.root / "examples" / HASTY_RUN).read_text()
    assert f"- {cut} of {SENT}\n" in chapter.page.read_text()


@proves(
    EVICT,
    EVICTED,
    MODEL_SERVER,
    evidence="ran",
    mutants=[
        Mutant(MODEL_SERVER, "  maxUnavailable: 1\n", "  maxUnavailable: 3\n", because="all of them may go"),
        Mutant(EVICT, '"kind": "Eviction"', '"kind": "Deletion"', because="the API has no such kind"),
        Mutant(EVICTED, "Success", "Created", because="the API server answers so"),
    ],
)
def test_of_three_evictions_the_budget_allows_one(proof: Proof) -> None:
    install(proof)
    proof.transcript(EVICTED)


@proves(
    ROUTER,
    evidence="ran",
    router=">=0.10",
    uses=USES,
    mutants=[
        Mutant(ROUTER, "sleep: {seconds: 30}", "sleep: {seconds: 1}", because="Envoy ends at once"),
        Mutant(
            ROUTER, "{maxSurge: 1, maxUnavailable: 0}", "{maxSurge: 0, maxUnavailable: 1}", because="a gap"
        ),
    ],
)
def test_a_restart_of_the_router_ends_no_answer(proof: Proof) -> None:
    install(proof)
    held = proof.get("deployment", "router")["spec"]
    assert counterpart(held, expected.ROUTER) == expected.ROUTER
    for one in held["template"]["spec"]["containers"]:
        assert one["lifecycle"] == {"preStop": {"sleep": {"seconds": 30}}}
    (old,) = proof.objects("pod", "app.kubernetes.io/name=router")
    name = old["metadata"]["name"]
    with long_answer(proof, name) as lines, ThreadPoolExecutor(1) as thread:
        first = next(lines)
        assert first.startswith("data: ")
        proof.kubectl("rollout", "restart", "deployment/router")
        # Until the new one is Ready, the old one is in the Service.
        ready = thread.submit(always_ready, proof)
        *_, last = (line for line in lines if line)
        assert last == "data: [DONE]"
        assert ready.result()
    proof.kubectl("rollout", "status", "deployment/router")


@contextmanager
def long_answer(proof: Proof, pod: str) -> Iterator[Iterator[str]]:
    """Yield the lines of an answer of fifteen seconds through a router's pod."""
    question = "word " * 300
    body = {
        "model": "lab/sim-8b",
        "messages": [{"role": "user", "content": question}],
        "stream": True,
    }
    with (
        proof.forward(f"pod/{pod}", 8081) as url,
        httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer,
    ):
        answer.raise_for_status()
        yield answer.iter_lines()


def always_ready(proof: Proof) -> bool:
    """Tell whether the Service has a Ready pod until the rollout is over."""
    endless = 300
    for _ in range(endless):
        status = proof.get("deployment", "router")["status"]
        if not status.get("readyReplicas"):
            return False
        if status.get("updatedReplicas") == 1 and not status.get("unavailableReplicas"):
            return True
        proof.kubectl("wait", "deployment/router", "--for=create", "--timeout=1s")
    return False
