"""What several proofs of chapter 3 do: install a router, ask it, read what it counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from lab.edition import versions
from lab.router_lines.differences import metric
from proofs.api import Proof, chapter_of, counterpart
from tests.proofs.installed import ENVOY, POOL, RIGHTS, ROUTER, SERVICE, router

chapter = chapter_of(__file__)
SHORT = chapter["short-request.json"]
LONG = chapter["long-request.json"]
VERBOSE_RUN = chapter["verbose.console"]

#: What the reader's port-forwards give, and the variables that tell programs otherwise.
PORTS = {8081: "ROUTER_URL", 9090: "METRICS_URL", 19000: "ENVOY_ADMIN_URL"}
#: What a model server of the lab is told of itself.
OWN_NAMES = [
    {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
    for name, path in (
        ("POD_NAME", "metadata.name"),
        ("POD_NAMESPACE", "metadata.namespace"),
        ("POD_IP", "status.podIP"),
    )
]
READ_CONFIGURATION = "Raw config after phase one"


# Installing


def install_with(proof: Proof, config: str, *servers: str, pool: str = POOL) -> None:
    """Apply chapter 2's router with a configuration of the picker, and model servers.

    Returns once the model answers: a picker that is ready may not know its pods yet.
    """
    proof.apply(pool, RIGHTS, config, ENVOY, ROUTER, SERVICE, *servers)
    for deployment in proof.objects("deployment"):
        proof.wait("deployment", deployment["metadata"]["name"], "Available", deadline=120)
    with router(proof):
        pass


def print_scores(proof: Proof) -> None:
    """Have the picker print scores, and wait until its old pod has gone."""
    proof.transcript(VERBOSE_RUN)
    proof.kubectl("rollout", "status", "deployment/router")
    # Logs and ports may lead to the old pod while it drains: end it at once.
    selector = "app.kubernetes.io/name=router"
    for pod in proof.objects("pod", selector):
        if "deletionTimestamp" in pod["metadata"]:
            proof.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
    proof.wait_until(lambda: len(proof.objects("pod", selector)) == 1, 90, "the old router goes")


# Comparing


def held(proof: Proof, expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API server holds of objects, as far as `expected` (kind/name -> object) goes."""
    return {name: counterpart(proof.get(*name.split("/")), wanted) for name, wanted in expected.items()}


def assert_configured(proof: Proof, *, plugins: list[Any], profiles: Mapping[str, list[Any]]) -> None:
    """Check what the picker prints of the configuration that it has read.

    `plugins` are types, with parameters if they have any; `profiles` map a profile to
    the names of its plugins, with weights if they have any.
    """
    if proof.lab.router_line != versions()["router"]:
        return  # the older line reads a translation, and prints it in another form
    lines = proof.logs("deployment/router", "endpoint-picker").splitlines()
    (read,) = (json.loads(line)["config"] for line in lines if READ_CONFIGURATION in line)
    assert [_pair(one, "type", "parameters") for one in read["plugins"]] == plugins
    found = {
        one["name"]: [_pair(two, "pluginRef", "weight") for two in one["plugins"]]
        for one in read["schedulingProfiles"]
    }
    assert found == profiles


def _pair(entry: Mapping[str, Any], name: str, detail: str) -> Any:  # noqa: ANN401 - a name, or a pair
    return entry[name] if entry.get(detail) is None else (entry[name], entry[detail])


# Asking


@contextmanager
def forwards(proof: Proof, *ports: int) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield what a transcript exchanges, and its environment, while ports of the router are open."""
    if not ports:
        yield {}, {}
        return
    port, *others = ports
    with proof.forward("deployment/router", port) as url, forwards(proof, *others) as (exchange, variables):
        readers = {f"localhost:{port}": url.removeprefix("http://")}
        yield {**exchange, **readers}, {**variables, PORTS[port]: url}


def transcript(proof: Proof, listing: str, *ports: int, failing: tuple[int, ...] = ()) -> None:
    """Prove a transcript whose commands reach the router at these ports."""
    with forwards(proof, *ports) as (exchange, variables):
        proof.transcript(listing, exchange=exchange, environment=variables, failing=failing)


def post(
    client: httpx.Client, proof: Proof, listing: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    """Send a request that is a listing."""
    body = json.loads(proof.path(listing).read_text())
    return client.post("/v1/chat/completions", json=body, headers=headers)


def counted(proof: Proof, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples with these labels, as the picker counts them."""
    wanted = metric(name, proof.lab.router_line)
    with proof.forward("service/router", 9090) as url:
        text = httpx.get(f"{url}/metrics", timeout=5).raise_for_status().text
    samples = re.findall(rf"(?m)^{wanted}\{{(.*)\}} (\S+)$", text)
    parts = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(float(value) for given, value in samples if all(part in given for part in parts))
