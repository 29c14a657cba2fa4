"""Do the add-ons that observe see what really happens, and pass it on?"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from lab import addons, cluster
from lab.errors import LabError
from proofs.cluster import Cluster
from proofs.waiting import wait_until

pytestmark = pytest.mark.addon

FLEET = "fleet:model=observed,replicas=2,namespace=observed"
RULES = """\
groups:
  - name: proof
    rules:
      - alert: Always
        expr: vector(1)
        labels: {{space: {space}}}
      - record: proof:recorded
        expr: vector(7)
        labels: {{space: {space}}}
"""


@pytest.fixture(scope="module")
def server() -> Cluster:
    """Return the API server, as the lab's user."""
    return Cluster(cluster.connect().kubeconfig)


@pytest.fixture
def space() -> Iterator[str]:
    """Return a namespace that is removed afterwards."""
    name = f"observability-{secrets.token_hex(3)}"
    cluster.kubectl("create", "namespace", name, doing="Making a namespace")
    yield name
    cluster.kubectl("delete", "namespace", name, doing="Removing a namespace", timeout=120)


def proxied(namespace: str, service: str, path: str) -> str:
    """Return the URL path at which the API server passes requests on to a service."""
    return f"/api/v1/namespaces/{namespace}/services/{service}/proxy{path}"


def ask(server: Cluster, query: str) -> list[float]:
    """Return the values that a PromQL query gives now."""
    path = proxied("prometheus", "prometheus:9090", "/api/v1/query")
    answer = server.request("GET", path, query={"query": query}).content
    return [float(sample["value"][1]) for sample in answer["data"]["result"]]


def add_rules(space: str, text: str) -> None:
    """Put a rule file into a ConfigMap that Prometheus reads."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "rules", "namespace": space, "labels": {"prometheus-rules": "true"}},
        "data": {"rules.yaml": text},
    }
    cluster.kubectl("apply", "--filename=-", doing="Adding rules", given=json.dumps(body))


def check_rules(text: str) -> str:
    """Return what `promtool check rules` prints about a rule file; raise LabError if it fails."""
    command = "exec --stdin --namespace=prometheus deployment/prometheus --container=prometheus --"
    return cluster.kubectl(*command.split(), "promtool", "check", "rules", doing="Checking rules", given=text)


def test_a_request_to_a_fleet_is_counted(server: Cluster) -> None:
    addons.ensure("prometheus")
    namespace = addons.ensure(FLEET).namespace
    up = f'up{{namespace="{namespace}",container="sim"}}'
    wait_until(lambda: ask(server, up) == [1, 1], deadline=60, what="both pods are scraped")
    query = f'sum(vllm:request_success_total{{namespace="{namespace}"}})'
    before = sum(ask(server, query))
    server.request(
        "POST",
        proxied(namespace, "sim:8000", "/v1/completions"),
        body={"model": "observed", "prompt": "How many?", "max_tokens": 2},
    )
    after = wait_until(
        lambda: (found := sum(ask(server, query))) > before and found,
        deadline=30,
        what="the request is counted",
    )
    assert after == before + 1


def test_a_rule_fires_and_reaches_alertmanager(server: Cluster, space: str) -> None:
    addons.ensure("prometheus")
    add_rules(space, RULES.format(space=space))

    def alerts() -> list[str]:
        path = proxied("prometheus", "alertmanager:9093", "/api/v2/alerts")
        found: Any = server.request("GET", path, query={"filter": f'space="{space}"'}).content
        return [alert["labels"]["alertname"] for alert in found]

    assert wait_until(alerts, deadline=60, what="the alert reaches Alertmanager") == ["Always"]


def test_bad_rules_are_taken_out_and_mended_ones_come_back(server: Cluster, space: str) -> None:
    addons.ensure("prometheus")
    rules = RULES.format(space=space)

    def wait_for(*values: float) -> None:
        query = f'proof:recorded{{space="{space}"}}'
        wait_until(lambda: ask(server, query) == list(values), deadline=60, what=f"{query} is {values}")

    add_rules(space, rules)
    wait_for(7)
    add_rules(space, rules.replace("vector(7)", "vector("))
    wait_for()
    add_rules(space, rules.replace("vector(7)", "vector(8)"))
    wait_for(8)
    cluster.kubectl("delete", "configmap/rules", f"--namespace={space}", doing="Removing the rules")
    wait_for()


def test_promtool_accepts_good_rules_and_refuses_bad_ones() -> None:
    addons.ensure("prometheus")
    rules = RULES.format(space="any")
    assert "SUCCESS: 2 rules found" in check_rules(rules)
    with pytest.raises(LabError, match="could not parse expression"):
        check_rules(rules.replace("vector(7)", "vector("))


def test_kubectl_top_prints_figures_of_every_node() -> None:
    addons.ensure("metrics-server")
    nodes = cluster.kubectl("get", "nodes", "-o=name", doing="Listing the nodes").split()

    def figures() -> dict[str, list[str]]:
        try:
            printed = cluster.kubectl("top", "nodes", "--no-headers", doing="Measuring the nodes")
        except LabError as error:  # until the kubelets have been read twice
            raise LookupError(str(error)) from error
        return {f"node/{line.split()[0]}": line.split()[1:] for line in printed.splitlines()}

    measured = wait_until(
        lambda: found if (found := figures()).keys() == set(nodes) and "<unknown>" not in str(found) else {},
        deadline=90,
        what="figures of all nodes",
        interval=1,
    )
    for cores, _, memory, _ in measured.values():
        assert int(cores.removesuffix("m")) > 0
        assert int(memory.removesuffix("Mi")) > 50


def test_a_span_that_is_sent_to_the_collector_is_seen(server: Cluster) -> None:
    namespace = addons.ensure("opentelemetry-collector").namespace
    span = {
        "traceId": secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": "answer a question",
        "kind": 2,
        "startTimeUnixNano": "1795618347000000000",
        "endTimeUnixNano": "1795618347250000000",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "proof"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
    server.request("POST", proxied(namespace, "otel-collector:4318", "/v1/traces"), body=body)

    def log() -> str:
        words = f"logs deployment/otel-collector --namespace={namespace} --tail=100"
        return cluster.kubectl(*words.split(), doing="Reading the collector's log")

    wait_until(lambda: str(span["traceId"]) in log(), deadline=30, what="the span is in the log", interval=1)
    assert "answer a question" in log()
