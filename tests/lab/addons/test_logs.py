"""Do the lines of every node's containers come together, with their labels, for LogsQL?"""

from __future__ import annotations

import json
import re
import secrets
from typing import Any

import pytest

from lab import addons, cluster
from lab.kwok_nodes import KWOK
from proofs.waiting import wait_until
from tests.lab.addons.traffic import api
from tests.lab.live.space import Space, image

pytestmark = pytest.mark.addon

LOGS = "/api/v1/namespaces/logs/services/victoria-logs:9428/proxy/select"
#: Prints one plain line and one of JSON, then stays.
PRINTS = """\
import json, time
print("plain {token}", flush=True)
print(json.dumps({{"level": "warn", "msg": "structured {token}", "ttft_ms": 321}}), flush=True)
time.sleep(3600)
"""


def speaker(token: str) -> dict[str, Any]:
    """Return a DaemonSet whose pods print lines with a token on each node."""
    labels = {"app": "speaker", "team": "search"}
    container = {
        "name": "voice",
        "image": image("python"),
        "command": ["python3", "-c", PRINTS.format(token=token)],
    }
    spec = {
        "containers": [container],
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "speaker"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def found(query: str) -> list[dict[str, str]]:
    """Return the lines that a LogsQL query finds, each a table of fields."""
    answer = api().request("GET", f"{LOGS}/logsql/query", query={"query": query}, accept="*/*")
    return [json.loads(line) for line in answer.text.splitlines()]


def speak(namespace: Space) -> str:
    """Let a pod on each node print its lines, and return their token."""
    addons.ensure("client")  # for its image
    addons.ensure("logs")
    token = secrets.token_hex(8)
    namespace.create(speaker(token))
    namespace.kubectl("rollout", "status", "daemonset/speaker", "--timeout=60s")
    return token


def test_lines_of_every_node_are_found_with_their_labels(namespace: Space) -> None:
    token = speak(namespace)
    nodes = cluster.kubectl("get", "nodes", f"--selector=!{KWOK}", "-o=name", doing="Listing nodes").split()

    def lines() -> list[dict[str, str]]:
        seen = found(f"plain {token}")
        assert len(seen) == len(nodes)
        return seen

    seen = wait_until(lines, deadline=15, what="one line of each node", interval=1)
    pods = {one["metadata"]["name"]: one["spec"]["nodeName"] for one in namespace.list("pods")}
    assert {f"node/{node}" for node in pods.values()} == set(nodes)
    assert {line["kubernetes.pod_name"]: line["kubernetes.pod_node_name"] for line in seen} == pods
    for line in seen:
        assert line["_msg"] == f"plain {token}"
        assert line["kubernetes.pod_namespace"] == namespace.name
        assert line["kubernetes.container_name"] == "voice"
        assert line["kubernetes.pod_labels.team"] == "search"


def test_fields_of_json_lines_are_searched_and_counted(namespace: Space) -> None:
    token = speak(namespace)
    pods = len(namespace.list("pods"))
    here = f'{{kubernetes.pod_namespace="{namespace.name}"}} {token}'
    query = f"{here} level:warn ttft_ms:>300 | stats by (kubernetes.pod_labels.team) count() lines"
    expected = [{"kubernetes.pod_labels.team": "search", "lines": str(pods)}]
    wait_until(lambda: found(query) == expected, deadline=15, what="the lines are counted", interval=1)
    assert not found(f"{here} ttft_ms:>400")


def test_the_web_interface_and_its_program_are_served() -> None:
    addons.ensure("logs")
    page = api().request("GET", f"{LOGS}/vmui/", accept="text/html").text
    script = re.search(r'<script type="module" [^>]*src="\./([^"]+)"', page)
    assert "UI for VictoriaLogs" in page
    assert script
    assert "logsql" in api().request("GET", f"{LOGS}/vmui/{script[1]}", accept="*/*").text
