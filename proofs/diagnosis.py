"""What a person needs to see of a namespace when a proof in it has failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from urllib3.exceptions import HTTPError

from proofs.failures import HarnessError, Missing, ProofFailed
from proofs.proof import Proof

LOG_LINES = 15
EVENTS = 30


def sections(proof: Proof) -> Iterator[tuple[str, str]]:
    """Yield title and text of every part of the diagnosis that holds anything."""
    parts: list[tuple[str, Callable[[Proof], str]]] = [
        ("Status of the applied objects", _statuses),
        ("Pods", _pods),
        ("Events", _events),
        (f"Last {LOG_LINES} log lines of every container", _logs),
    ]
    for title, tell in parts:
        try:
            text = tell(proof)
        except (HarnessError, HTTPError) as error:
            text = f"cannot be read: {error}"
        if text:
            yield f"{title} ({proof.namespace})", text


def _statuses(proof: Proof) -> str:
    return "\n".join(
        f"{resource.kind}/{name}: {_status(proof, resource.path(namespace, name))}"
        for resource, namespace, name in proof.applied
    )


def _status(proof: Proof, path: str) -> str:
    try:
        found = proof.cluster.request("GET", path).content
    except Missing:
        return "gone"
    status = found.get("status")
    return "\n" + _yaml(status) if status else "exists"


def _pods(proof: Proof) -> str:
    return "\n".join(
        f"{pod['metadata']['name']}: {pod['status'].get('phase')}"
        + "".join(f"\n  {line}" for line in _troubles(pod))
        for pod in proof.objects("pods")
    )


def _troubles(pod: dict[str, Any]) -> Iterator[str]:
    status = pod["status"]
    for condition in status.get("conditions", []):
        if condition["status"] != "True":
            yield f"{condition['type']}={condition['status']}: {condition.get('message', '')}"
    for container in status.get("containerStatuses", []):
        for state, detail in container["state"].items():
            if state != "running":
                yield f"{container['name']} {state}: {detail}"


def _events(proof: Proof) -> str:
    events = sorted(proof.objects("events"), key=lambda event: event["metadata"]["creationTimestamp"])
    return "\n".join(
        f"{event['type']} {event['reason']} "
        f"{event['involvedObject']['kind']}/{event['involvedObject'].get('name')}: "
        f"{event.get('message', '').strip()}"
        for event in events[-EVENTS:]
    )


def _logs(proof: Proof) -> str:
    return "\n".join(
        f"--- {pod['metadata']['name']} {container['name']}\n{_log(proof, pod, container)}"
        for pod in proof.objects("pods")
        for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    )


def _log(proof: Proof, pod: dict[str, Any], container: dict[str, Any]) -> str:
    path = f"/api/v1/namespaces/{proof.namespace}/pods/{pod['metadata']['name']}/log"
    query = {"container": container["name"], "tailLines": str(LOG_LINES)}
    try:
        return proof.cluster.request("GET", path, query=query, accept="*/*").text
    except ProofFailed as error:  # it has not started
        return str(error)


def _yaml(content: Mapping[str, Any]) -> str:
    printed = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(content, printed)
    return printed.getvalue()
