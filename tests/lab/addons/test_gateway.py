"""Does a request reach a fleet through a Gateway that Envoy Gateway runs?"""

from __future__ import annotations

import pytest

from lab import addons
from proofs.waiting import wait_until
from tests.lab.addons.gateways import condition, gateway
from tests.lab.addons.traffic import reach
from tests.lab.live.space import Object, Space, image

pytestmark = pytest.mark.addon

MODEL = "gateway-model"
#: Seconds until a new Gateway's Envoy answers on a busy host.
PROGRAMMED = 180


def route(fleet: str) -> Object:
    """Return a route from /chat/... to a fleet's /v1/..., marked with a header."""
    mark = {"add": [{"name": "x-came-through", "value": "envoy-gateway"}]}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "chat"},
        "spec": {
            "parentRefs": [{"name": "front"}],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/chat"}}],
                    "filters": [
                        {
                            "type": "URLRewrite",
                            "urlRewrite": {
                                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}
                            },
                        },
                        {"type": "ResponseHeaderModifier", "responseHeaderModifier": mark},
                    ],
                    "backendRefs": [{"name": "sim", "namespace": fleet, "port": 8000}],
                }
            ],
        },
    }


def grant(namespace: Space) -> Object:
    """Return the fleet's consent to a route of another namespace."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "ReferenceGrant",
        "metadata": {"name": "front"},
        "spec": {
            "from": [
                {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": namespace.name}
            ],
            "to": [{"group": "", "kind": "Service"}],
        },
    }


def test_a_route_leads_to_a_fleet_and_nothing_else_does(namespace: Space) -> None:
    addons.ensure("envoy-gateway")
    fleet = addons.ensure(f"fleet:model={MODEL},replicas=1").namespace
    namespace.create(gateway("eg"), route(fleet))
    wait_until(
        lambda: condition(namespace.read("gateway", "front"), "Programmed") == "True",
        deadline=PROGRAMMED,
        what="the Gateway is programmed",
    )
    containers = namespace.list("pods")[0]["spec"]["containers"]
    assert containers[0]["image"] == image("envoy")
    with reach(namespace.name, "service/front", 80) as client:
        # Without the fleet's consent, the route has no backend.
        refused = wait_until(lambda: client.get("/chat/models", timeout=5), deadline=60, what="Envoy answers")
        assert refused.status_code == 500
        Space(fleet).create(grant(namespace))
        try:
            answer = wait_until(
                lambda: client.get("/chat/models", timeout=5).raise_for_status(),
                deadline=60,
                what="the fleet answers",
            )
            assert answer.json()["data"][0]["id"] == MODEL
            assert answer.headers["x-came-through"] == "envoy-gateway"
            assert client.get("/v1/models", timeout=5).status_code == 404
        finally:
            Space(fleet).kubectl("delete", "referencegrant", "front")
