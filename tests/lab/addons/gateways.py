"""Gateways of the Gateway API, as each controller takes them."""

from __future__ import annotations

from tests.lab.live.space import Object


def gateway(controller: str, **annotations: str) -> Object:
    """Return a Gateway of a class, `eg` or `istio`, that takes routes of its namespace on port 80."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "front", "annotations": annotations},
        "spec": {
            "gatewayClassName": controller,
            "listeners": [{"name": "http", "protocol": "HTTP", "port": 80}],
        },
    }


def condition(found: Object, kind: str) -> str:
    """Return a condition's status, empty while nothing has written it."""
    return next((one["status"] for one in found["status"].get("conditions", []) if one["type"] == kind), "")
