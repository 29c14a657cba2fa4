"""Chapter 2: Envoy takes its configuration, and the configuration is what the chapter describes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from proofs.api import Mutant, Proof, proves
from proofs.documents import read_documents
from tests.proofs.installed import ENVOY

TYPES = "type.googleapis.com/envoy.extensions."
ROUTER: dict[str, Any] = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{TYPES}filters.http.router.v3.Router"},
}


def address(host: str, port: int) -> dict[str, Any]:
    """Return where something listens, as Envoy writes it."""
    return {"socket_address": {"address": host, "port_value": port}}


def listener(name: str, port: int, route: dict[str, Any], *filters: dict[str, Any]) -> dict[str, Any]:
    """Return a listener for HTTP with one route for all hosts, as Envoy writes it."""
    hosts = [{"name": "every-host", "domains": ["*"], "routes": [route]}]
    manager = {
        "@type": f"{TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": hosts},
        "http_filters": list(filters),
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": address("0.0.0.0", port), "filter_chains": [chain]}  # noqa: S104


#: Ask the picker about all of a request and its answer; without it, no answer.
ASK_THE_PICKER = {
    "name": "envoy.filters.http.ext_proc",
    "typed_config": {
        "@type": f"{TYPES}filters.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "endpoint-picker"}},
        "failure_mode_allow": False,
        "processing_mode": {
            f"{direction}_{what}_mode": mode
            for direction in ("request", "response")
            for what, mode in (("header", "SEND"), ("body", "FULL_DUPLEX_STREAMED"), ("trailer", "SEND"))
        },
    },
}
REQUESTS = listener(
    "requests",
    8081,
    {"match": {"prefix": "/"}, "route": {"cluster": "chosen-pod", "timeout": "0s"}},
    ASK_THE_PICKER,
    {**ROUTER, "typed_config": {**ROUTER["typed_config"], "suppress_envoy_headers": True}},
)
READINESS = listener(
    "readiness", 19001, {"match": {"path": "/ready"}, "direct_response": {"status": 200}}, ROUTER
)
#: The pod whose address the picker wrote into a header.
CHOSEN_POD = {
    "name": "chosen-pod",
    "type": "ORIGINAL_DST",
    "lb_policy": "CLUSTER_PROVIDED",
    "connect_timeout": "5s",
    "original_dst_lb_config": {
        "use_http_header": True,
        "http_header_name": "x-gateway-destination-endpoint",
    },
}
#: The picker in the same pod, which speaks gRPC over TLS.
THE_PICKER = {
    "name": "endpoint-picker",
    "type": "STATIC",
    "connect_timeout": "5s",
    "load_assignment": {
        "cluster_name": "endpoint-picker",
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address("127.0.0.1", 9002)}}]}],
    },
    "transport_socket": {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPES}transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {"alpn_protocols": ["h2"]},
        },
    },
    "typed_extension_protocol_options": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{TYPES}upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    },
}


@proves(
    ENVOY,
    evidence="checked",
    uses=["envoy"],
    mutants=[
        Mutant(ENVOY, "CLUSTER_PROVIDED", "ROUND_ROBIN", because="the header decides"),
        Mutant(
            ENVOY, "request_trailer_mode: SEND", "request_trailer_mode: SKIP", because="duplex needs trailers"
        ),
    ],
)
def test_envoy_takes_its_configuration(proof: Proof, tmp_path: Path) -> None:
    [config_map] = read_documents(proof.path(ENVOY).read_text(), ENVOY)
    file = tmp_path / "envoy.yaml"
    file.write_text(config_map.content["data"]["envoy.yaml"])
    printed = proof.run(["envoy", "--mode", "validate", "--config-path", file])
    assert f"configuration '{file}' OK" in printed
    [configuration] = read_documents(file.read_text(), ENVOY)
    assert configuration.content == {
        "admin": {"address": address("127.0.0.1", 19000)},
        "static_resources": {"listeners": [REQUESTS, READINESS], "clusters": [CHOSEN_POD, THE_PICKER]},
    }
