"""Do the add-ons of llm-d itself do what their parameters say, on the real programs?"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from lab import addons
from lab.errors import NotAvailable
from lab.router_lines import here
from lab.router_lines.differences import differs, metric
from proofs.waiting import wait_until
from tests.lab.addons.traffic import (
    POD,
    all_to,
    at_once,
    complete,
    count,
    fake_metrics,
    pods,
    pods_that_answer,
    reach,
)

pytestmark = pytest.mark.addon


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, str]]:
    """Return namespace -> spec of what this module's tests start; it goes at the end."""
    specs: dict[str, str] = {}
    yield specs
    for spec in specs.values():
        addons.remove(spec)


def start(started: dict[str, str], spec: str) -> str:
    """Start an add-on and return its namespace; skip what this lab's router has no counterpart for."""
    try:
        addon = addons.ensure(spec)
    except NotAvailable as error:
        pytest.skip(str(error))
    started[addon.namespace] = spec
    return addon.namespace


def test_a_fleet_has_the_names_latency_adapters_and_cache_that_were_asked_for(
    started: dict[str, str],
) -> None:
    namespace = start(
        started,
        "fleet:model=base,served-names=small big,loras=sql poems,kv-cache=on,mode=echo,"
        "time-to-first-token=400ms,inter-token-latency=100ms,replicas=1",
    )
    prompt = "word " * 200
    with reach(namespace, "service/sim", 8000) as client:
        listed = client.get("/v1/models").json()["data"]
        assert {one["id"] for one in listed} == {"small", "big", "sql", "poems"}
        for name in ("small", "big", "sql", "poems"):
            assert complete(client, model=name).status_code == 200
        assert complete(client, model="base").status_code == 404
        begin = time.monotonic()
        first, second = (complete(client, prompt, model="big").json() for _ in range(2))
        # Echo answers with the prompt: 400 ms to the first token, 100 ms to each further one.
        assert time.monotonic() - begin >= 2 * (0.4 + 0.1 * (first["usage"]["completion_tokens"] - 1))
    assert first["choices"][0]["text"] == prompt
    assert first["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
    # Whole blocks of 16 tokens are kept.
    cached = second["usage"]["prompt_tokens"] // 16 * 16
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] == cached > 0


def test_a_fleet_fails_as_often_and_in_the_way_that_was_asked_for(started: dict[str, str]) -> None:
    namespace = start(started, "fleet:failure-rate=100,failure-types=rate_limit server_error,replicas=1")
    with reach(namespace, "service/sim", 8000) as client:
        statuses = {complete(client).status_code for _ in range(30)}
    assert statuses == {429, 503}


def test_a_fleets_queue_fills(started: dict[str, str]) -> None:
    namespace = start(
        started, "fleet:max-num-seqs=1,max-waiting-queue-length=2,time-to-first-token=2s,replicas=1"
    )
    with reach(namespace, "service/sim", 8000) as client:
        answers = at_once(6, lambda _: complete(client))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 429, 429, 429]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all("waiting requests queue is full" in answer.text for answer in refused)


def test_a_fleet_shows_the_metrics_that_it_is_told(started: dict[str, str]) -> None:
    namespace = start(started, "fleet:fake-metrics=on,replicas=2")
    first, second = pods(namespace)
    fake_metrics(namespace, first, {"waiting-requests": 7, "kv-cache-usage": 0.5})

    def shown(pod: str) -> tuple[float, float]:
        names = ("vllm:num_requests_waiting", "vllm:kv_cache_usage_perc")
        waiting, usage = (count(namespace, f"pods/{pod}", 8000, name) for name in names)
        return waiting, usage

    wait_until(lambda: shown(first) == (7, 0.5), deadline=10, what="the metrics change")
    assert shown(second) == (0, 0)


def test_the_router_of_chapter_2_answers_from_every_pod(started: dict[str, str]) -> None:
    namespace = start(started, "router")
    with reach(namespace, "service/router", 8081) as client:
        # Different prompts: the router sends equal ones to the pod that knows them.
        answers = {complete(client, f"{number} bottles").headers[POD] for number in range(30)}
        assert complete(client, model="unknown").status_code == 404
    assert answers == set(pods(namespace))
    ready = partial(count, namespace, "services/router", 9090, metric("llm_d_epp_ready_endpoints", line()))
    wait_until(lambda: ready(name="demo") == 3, deadline=30, what="the picker counts three pods")


def test_the_chosen_configuration_decides_where_requests_go(started: dict[str, str]) -> None:
    # One namespace: a picker is replaced when its configuration changes.
    where = "fake-metrics=on,loras=sql poems,namespace=steered-router"
    namespace = start(started, f"router:config=queue,{where}")
    loaded = [{"running": "sql", "waiting": "", "timestamp": 1}]
    roomy, idle, adapted = pods(namespace)
    fake_metrics(namespace, roomy, {"waiting-requests": 9, "kv-cache-usage": 0.1})
    fake_metrics(namespace, idle, {"waiting-requests": 0, "kv-cache-usage": 0.9})
    fake_metrics(namespace, adapted, {"waiting-requests": 4, "kv-cache-usage": 0.5, "loras": loaded})
    with reach(namespace, "service/router", 8081) as client:
        wait_until(lambda: all_to(client, idle), deadline=30, what="requests go where none wait")
    start(started, f"router:config=kv-cache,{where}")
    with reach(namespace, "service/router", 8081) as client:
        wait_until(lambda: all_to(client, roomy), deadline=30, what="requests go where the cache is free")
    start(started, f"router:config=lora,{where}")
    with reach(namespace, "service/router", 8081) as client:
        wait_until(
            lambda: all_to(client, adapted, model="sql"), deadline=30, what="requests go where the adapter is"
        )


def test_equal_beginnings_go_to_one_pod(started: dict[str, str]) -> None:
    namespace = start(started, "router:config=prefix,kv-cache=on")
    families = {name: f"{name} " * 200 for name in ("alpha", "beta", "gamma", "delta")}
    with reach(namespace, "service/router", 8081) as client:
        for beginning in families.values():
            answers = [complete(client, f"{beginning} question {number}") for number in range(5)]
            assert len({answer.headers[POD] for answer in answers}) == 1
            cached = [one.json()["usage"]["prompt_tokens_details"]["cached_tokens"] for one in answers]
            assert cached[0] == 0
            assert min(cached[1:]) > 150


def line() -> str:
    """Return the version of the router in this lab."""
    return here.line()


def decisions(namespace: str, decision: str) -> float:
    """Return how often the picker decided for `prefill-decode` or `decode-only`."""
    name = metric("llm_d_epp_disagg_decision_total", line())
    return count(namespace, "services/router", 9090, name, decision_type=decision)


def prompts_read_elsewhere(namespace: str) -> float:
    """Return for how many prompts the prefill pods say that another pod decodes them."""
    return sum(
        count(namespace, f"pods/{pod}", 8000, "vllm:request_success_total", finish_reason="remote_decode")
        for pod in pods(namespace, "llm-d.ai/role=prefill")
    )


def test_a_request_goes_through_a_prefill_pod_and_is_answered_by_a_decode_pod(
    started: dict[str, str],
) -> None:
    namespace = start(started, "disaggregation:namespace=disaggregated")
    with reach(namespace, "service/router", 8081) as client:
        before = decisions(namespace, "prefill-decode"), prompts_read_elsewhere(namespace)
        answered = pods_that_answer(client, 10)
    assert set(answered) <= set(pods(namespace, "llm-d.ai/role=decode"))
    assert decisions(namespace, "prefill-decode") - before[0] == 10
    assert prompts_read_elsewhere(namespace) - before[1] == 10


def test_a_short_or_known_prompt_stays_on_the_decode_pod(started: dict[str, str]) -> None:
    namespace = start(started, "disaggregation:config=prefix,decode-replicas=1,namespace=disaggregated")
    story = "once upon a time " * 40
    with reach(namespace, "service/router", 8081) as client:
        wait_until(lambda: complete(client, "Hi").raise_for_status(), deadline=30, what="the new picker")
        assert decisions(namespace, "prefill-decode") == 0
        read = prompts_read_elsewhere(namespace)
        for _ in range(4):
            complete(client, story).raise_for_status()
    assert decisions(namespace, "prefill-decode") == 1
    assert prompts_read_elsewhere(namespace) - read == 1
    assert decisions(namespace, "decode-only") >= 4


FLOWS = "replicas=2,max-num-seqs=1"


def priority(name: str) -> dict[str, str]:
    """Return the header that gives a request an objective, in the spelling that every line reads."""
    return {"x-gateway-inference-objective": name}


def waiting(namespace: str, band: int) -> float:
    """Return how many requests of a priority wait in the picker."""
    name = metric("llm_d_epp_flow_control_queue_size", line())
    return count(namespace, "services/router", 9090, name, priority=str(band))


def test_premium_requests_overtake_standard_ones_that_wait(started: dict[str, str]) -> None:
    namespace = start(started, f"flow-control:time-to-first-token=4s,{FLOWS}")
    with reach(namespace, "service/router", 8081) as client, ThreadPoolExecutor(16) as threads:

        def ends(objective: str) -> float:
            complete(client, headers=priority(objective)).raise_for_status()
            return time.monotonic()

        standard = [threads.submit(ends, "standard") for _ in range(12)]
        wait_until(lambda: waiting(namespace, 0) >= 6, deadline=20, what="standard requests wait")
        premium = [threads.submit(ends, "premium") for _ in range(4)]
        last_premium = max(one.result() for one in premium)
        slower = [one for one in standard if one.result() > last_premium]
    # In the order of their arrival, no standard request would end after the last premium one.
    assert len(slower) >= 4


def test_a_full_queue_refuses_and_a_long_wait_ends(started: dict[str, str]) -> None:
    namespace = start(started, f"flow-control:time-to-first-token=4s,band-requests=2,ttl=1s,{FLOWS}")
    with reach(namespace, "service/router", 8081) as client:
        answers = at_once(8, lambda _: complete(client, headers=priority("standard")))
    seen = Counter((answer.status_code, dropped_reason(answer)) for answer in answers)
    # Two run, two wait for longer than a second, four find no place.
    full = differs("capacity-status", line()), differs("capacity-reason", line())
    late = differs("ttl-expired-status", line()), differs("ttl-expired-reason", line())
    assert seen == {(200, None): 2, full: 4, late: 2}


def dropped_reason(answer: httpx.Response) -> str | None:
    """Return why flow control dropped a request, where the router's line tells."""
    header = differs("dropped-reason-header", line())
    return answer.headers.get(header) if header else None


def refusal(answer: httpx.Response) -> httpx.Response:
    """Return an answer if it is an error."""
    assert answer.is_error
    return answer


def test_full_pods_hold_requests_back_until_they_have_room(started: dict[str, str]) -> None:
    namespace = start(started, f"flow-control:config=utilization,fake-metrics=on,ttl=5s,{FLOWS}")

    def say_waiting(requests: int) -> None:
        for pod in pods(namespace):
            fake_metrics(namespace, pod, {"waiting-requests": requests})

    with reach(namespace, "service/router", 8081) as client, ThreadPoolExecutor(4) as threads:
        wait_until(lambda: complete(client).raise_for_status(), deadline=30, what="the new picker")
        say_waiting(9)
        expired = wait_until(lambda: refusal(complete(client)), deadline=30, what="full pods")
        assert expired.status_code == differs("ttl-expired-status", line())
        assert dropped_reason(expired) == differs("ttl-expired-reason", line())
        held = [threads.submit(complete, client) for _ in range(4)]
        wait_until(lambda: waiting(namespace, 0) == 4, deadline=4, what="requests wait")
        say_waiting(0)
        assert [one.result().status_code for one in held] == [200] * 4


def wait_until_heard(pod: httpx.Client, heard: Callable[[], float]) -> None:
    """Send a pod new prompts until the picker hears of one: what it told before is lost."""
    before, numbers = heard(), itertools.count()

    def is_heard() -> bool:
        complete(pod, f"{next(numbers)} bottles " * 10)
        return heard() > before

    wait_until(is_heard, deadline=60, interval=1, what="the pod is heard")


def test_pods_tell_the_picker_what_they_hold(started: dict[str, str]) -> None:
    namespace = start(started, "kv-events")

    def seen(metric: str) -> float:
        return count(namespace, "services/router", 9090, f"llm_d_router_epp_kv_cache_{metric}")

    def is_known(blocks: float) -> bool:
        return seen("index_admissions_total") >= blocks

    for pod in pods(namespace):
        with reach(namespace, f"pod/{pod}", 8000) as direct:
            wait_until_heard(direct, lambda: seen("index_admissions_total"))
    # 100 characters are a full block of 16 tokens here, and too short for a guess without events.
    families = [(f"{name} " * 20)[:100] for name in ("alpha", "beta", "gamma", "delta")]
    known = seen("index_admissions_total")
    with reach(namespace, "service/router", 8081) as client:
        for beginning in families:
            first = complete(client, f"{beginning} first question").headers[POD]
            known += 1
            wait_until(partial(is_known, known), deadline=10, what="the pod tells what it stored")
            others = pods_that_answer(client, 4, prompt=f"{beginning} another question")
            assert others == {first: 4}
    assert seen("index_lookup_hits_total") >= 16
    assert seen("events_messages_received_total") >= 4
