"""Are spans counted, traces kept as the policies say, and found by the id that a model server was sent?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lab import addons
from proofs.failures import Missing
from proofs.waiting import wait_until
from tests.lab.addons.traffic import api, complete, pods, reach
from tests.lab.live.space import Space, image

pytestmark = pytest.mark.addon

JAEGER = "/api/v1/namespaces/traces/services/jaeger:16686/proxy"
PROMETHEUS = "/api/v1/namespaces/prometheus/services/prometheus:9090/proxy"
#: Requests of which a tenth is kept, unless they are slow on a busy host.
MANY = 40
#: Seconds below which a request is surely not slow, by the policy of the add-on.
QUICK = 0.4
#: A model server that takes as long as the header x-seconds asks, and answers with the
#: traceparent that it was sent.
ECHO = """\
import json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METRICS = "vllm:num_requests_waiting 0\\nvllm:num_requests_running 0\\nvllm:kv_cache_usage_perc 0\\n"

class Echo(BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        self.answer(METRICS if self.path == "/metrics" else "{}")

    def do_POST(self):
        if length := self.headers["content-length"]:
            self.rfile.read(int(length))
        else:
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        time.sleep(float(self.headers["x-seconds"] or 0))
        self.answer(json.dumps({"traceparent": self.headers["traceparent"]}))

ThreadingHTTPServer(("", 8000), Echo).serve_forever()
"""


@pytest.fixture(scope="module")
def router() -> Iterator[str]:
    """Return the namespace of a router that is traced, before a model server that echoes."""
    addons.ensure("traces")
    spec = "router:tracing=on,replicas=1,namespace=traced"
    namespace = Space(addons.ensure(spec).namespace)
    container = {
        "name": "echo",
        "image": image("python"),
        "command": ["python3", "-c", ECHO],
        "ports": [{"containerPort": 8000}],
        "readinessProbe": {"tcpSocket": {"port": 8000}, "periodSeconds": 1},
    }
    namespace.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "echo", "labels": {"app": "sim"}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
    )
    namespace.kubectl("wait", "pod/echo", "--for=condition=Ready", "--timeout=60s")
    namespace.kubectl("scale", "deployment/sim", "--replicas=0")
    wait_until(lambda: pods(namespace.name) == ["echo"], deadline=30, what="the simulator is gone")
    yield namespace.name
    namespace.kubectl("delete", "pod/echo", "--ignore-not-found")
    addons.remove(spec)


def trace_id(client: httpx.Client, seconds: float = 0) -> tuple[str, float]:
    """Send a request; return the id of the trace that the model server was sent, and how long it took.

    The model server takes `seconds` to answer.
    """
    answer = complete(client, headers={"x-seconds": str(seconds)}).raise_for_status()
    traceparent: str = answer.json()["traceparent"]
    return traceparent.split("-")[1], answer.elapsed.total_seconds()


def kept(trace: str) -> dict[str, Any]:
    """Return the trace with this id from Jaeger; an empty one where it is not kept."""
    try:
        found = api().request("GET", f"{JAEGER}/api/traces/{trace}").content["data"]
    except Missing:
        return {}
    return dict(found[0])


def ask(query: str) -> float:
    """Return the sum of what a PromQL query gives now."""
    answer = api().request("GET", f"{PROMETHEUS}/api/v1/query", query={"query": query}).content
    return sum(float(sample["value"][1]) for sample in answer["data"]["result"])


def test_a_slow_request_is_found_by_its_id_with_the_picker_s_pod(router: str) -> None:
    with reach(router, "service/router", 8081) as client:
        trace, _ = trace_id(client, seconds=1)
    found = wait_until(lambda: kept(trace), deadline=60, what=f"the trace {trace}", interval=1)
    spans = {span["operationName"]: span for span in found["spans"]}
    request = spans["gateway.request"]
    assert request["duration"] > 1e6  # microseconds
    process = found["processes"][request["processID"]]
    tags = {tag["key"]: tag["value"] for tag in process["tags"]}
    assert process["serviceName"] == "llm-d-epp"
    assert tags["k8s.namespace.name"] == router
    assert [tags["k8s.pod.name"]] == pods(router, "app.kubernetes.io/name=router")


def test_all_requests_are_counted_and_a_share_of_the_quick_ones_is_kept(router: str) -> None:
    spans = f'traces_span_metrics_calls_total{{span_name="gateway.request",k8s_namespace_name="{router}"}}'
    dropped = 'otelcol_processor_tail_sampling_global_count_traces_sampled{sampled="false"}'
    with reach(router, "service/router", 8081) as client:
        slow, _ = trace_id(client, seconds=1)
        wait_until(lambda: kept(slow), deadline=60, what=f"the trace {slow}", interval=1)
        before = ask(spans), ask(dropped)  # after all that came before the slow one
        took = dict(trace_id(client) for _ in range(MANY))
    quick = {trace for trace, seconds in took.items() if seconds < QUICK}
    assert len(quick) > MANY / 4  # else the host is too busy to tell

    def counted() -> bool:
        found = {trace for trace in took if kept(trace)}
        assert not quick <= found
        assert ask(spans) - before[0] == MANY
        assert ask(dropped) - before[1] == MANY - len(found)
        return True

    wait_until(counted, deadline=60, what="the collector's figures", interval=1)
