"""What only a cluster shows: metrics of a pool, of objectives and of rewritten names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from lab import addons, cluster
from lab.errors import LabError
from proofs.waiting import wait_until
from tests.lab.addons.traffic import api, complete, pods, reach
from tools.reference.metrics import Metric, merged, parse

ROOM = "reference"
ROUTER = f"router:namespace={ROOM},replicas=2"
REWRITE = {
    "apiVersion": "llm-d.ai/v1alpha2",
    "kind": "InferenceModelRewrite",
    "metadata": {"name": "reference", "namespace": ROOM},
    "spec": {
        "poolRef": {"name": "demo"},
        "rules": [{"matches": [{"model": {"value": "alias"}}], "targets": [{"modelRewrite": "demo-model"}]}],
    },
}


def is_up() -> bool:
    """Tell whether a lab runs here."""
    try:
        cluster.connect()
    except LabError:
        return False
    return True


def record(known: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Metric]]:
    """Return the metrics that a router of the lab shows beside those that are known already."""
    addons.ensure(ROUTER)
    try:
        version = REWRITE["apiVersion"]
        path = f"/apis/{version}/namespaces/{ROOM}/inferencemodelrewrites"
        api().request("POST", path, body=REWRITE)
        with reach(ROOM, "service/router", 8081) as client:
            ask = partial(complete, client, model="alias")
            wait_until(lambda: ask().raise_for_status(), deadline=60, what="the name is rewritten")
        wait_until(
            lambda: "llm_d_epp_ready_endpoints" in scrape("services/router", 9090),
            deadline=60,
            what="the picker counts its pods",
        )
        seen = {
            "endpoint picker": merged([parse(scrape("services/router", 9090))]),
            "simulator": merged(parse(scrape(f"pods/{pod}", 8000)) for pod in pods(ROOM)),
        }
    finally:
        addons.remove(ROUTER)
    return {
        program: {name: metric for name, metric in metrics.items() if name not in known.get(program, {})}
        for program, metrics in seen.items()
    }


def scrape(target: str, port: int) -> str:
    """Return the metrics of a pod or service of the room."""
    kind, name = target.split("/")
    path = f"/api/v1/namespaces/{ROOM}/{kind}/{name}:{port}/proxy/metrics"
    return api().request("GET", path, accept="*/*").text
