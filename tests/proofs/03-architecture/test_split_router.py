"""What happens to requests when the picker, in a pod of its own, is gone?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from ruamel.yaml import YAML

from proofs.api import Mutant, Proof, counterpart, proves
from tests.proofs.installed import (
    ENVOY,
    PICKER,
    POOL,
    RIGHTS,
    ROUTER,
    SERVICE,
    SIMULATOR,
    pods_of_the_model,
)

from .steps import SHORT, chapter, held, install_with, post

SPLIT_PROXY = chapter["split-proxy.yaml"]
SPLIT_PICKER = chapter["split-picker.yaml"]
SPLIT_ROUTER = chapter["split-router.console"]
FAIL_OPEN = chapter["fail-open.console"]
FAIL_CLOSE = chapter["fail-close.console"]

FORGED = {"x-gateway-destination-endpoint": "127.0.0.1:9901"}
SEEN_BY_PICKER = "x-went-into-resp-headers"


@contextmanager
def split_router(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the proxy, once the picker has seen an answer."""
    proof.apply(POOL, RIGHTS, PICKER, SPLIT_PICKER, SIMULATOR)
    for name in ("picker", "simulator", "proxy"):
        proof.wait("deployment", name, "Available", deadline=120)

    def is_asked() -> bool:
        # A port-forward of its own: one ends when the proxy breaks a connection off.
        with proxied(proof) as client:
            return SEEN_BY_PICKER in post(client, proof, SHORT).headers

    proof.wait_until(is_asked, 90, "the picker is asked")
    with proxied(proof) as client:
        yield client


@contextmanager
def proxied(proof: Proof) -> Iterator[httpx.Client]:
    """Yield a client of the proxy that has a pod to itself."""
    with (
        proof.forward("service/proxy", 8081) as url,
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        yield client


def deployment(container: dict[str, object], *, folder: str, configuration: str) -> dict[str, object]:
    """Return what a deployment must say of its one container, which has its configuration in a folder."""
    mounts = [{"name": "config", "mountPath": folder, "readOnly": True}]
    pod = {
        "containers": [{**container, "volumeMounts": mounts}],
        "volumes": [{"name": "config", "configMap": {"name": configuration}}],
    }
    return {"spec": {"replicas": 1, "template": {"spec": pod}}}


def service(selected: str, ports: dict[str, int]) -> dict[str, object]:
    """Return what a Service must say whose ports have the names of the containers'."""
    return {
        "spec": {
            "selector": {"app.kubernetes.io/name": selected},
            "ports": [{"name": name, "port": port, "targetPort": name} for name, port in ports.items()],
        }
    }


EXPECTED_PROXY = {
    "deployment/proxy": deployment(
        {
            "name": "envoy",
            "args": ["--config-path", "/etc/envoy/envoy.yaml", "--concurrency", "1"],
            "ports": [{"name": "http", "containerPort": 8081}],
        },
        folder="/etc/envoy",
        configuration="split-proxy",
    ),
    "service/proxy": service("proxy", {"http": 8081}),
    "service/simulator": service("simulator", {"http": 8000}),
}
EXPECTED_PICKER = {
    "deployment/picker": deployment(
        {
            "name": "endpoint-picker",
            "args": [
                "--pool-name=demo",
                "--pool-namespace=$(NAMESPACE)",
                "--config-file=/config/endpoint-picker.yaml",
                "--health-checking=true",
                "--metrics-endpoint-auth=false",
                "--tracing=false",
            ],
            "ports": [
                {"name": "grpc", "containerPort": 9002},
                {"containerPort": 9003},
                {"name": "metrics", "containerPort": 9090},
            ],
        },
        folder="/config",
        configuration="endpoint-picker-config",
    ),
    "service/picker": service("picker", {"grpc": 9002, "metrics": 9090}),
}
#: What Envoy is told and no request shows: field -> its values, from top to bottom.
EXPECTED_SETTINGS = {
    "stat_prefix": ["requests"],
    "timeout": ["0s", "0s", "1s"],
    "connect_timeout": ["5s", "5s", "5s"],
    "request_header_mode": ["SEND"],
    "request_body_mode": ["FULL_DUPLEX_STREAMED"],
    "request_trailer_mode": ["SEND"],
    "response_header_mode": ["SEND"],
    "response_body_mode": ["FULL_DUPLEX_STREAMED"],
    "response_trailer_mode": ["SEND"],
    "interval": ["1s"],
    "no_traffic_interval": ["1s"],
    "unhealthy_threshold": [1],
    "healthy_threshold": [1],
    "reuse_connection": [False],
    "healthy_panic_threshold": [0],
    "close_connections_on_host_health_failure": [True],
}


def settings(proof: Proof) -> dict[str, list[object]]:
    """Return every value in the configuration of the split proxy, by its field."""
    found: dict[str, list[object]] = defaultdict(list)

    def collect(field: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in ({field: value["value"]} if set(value) == {"value"} else value).items():
                collect(key, inner)
        elif isinstance(value, list):
            for inner in value:
                collect(field, inner)
        else:
            found[field].append(value)

    collect("", YAML(typ="safe").load(proof.get("configmap", "split-proxy")["data"]["envoy.yaml"]))
    return found


@proves(
    SPLIT_PROXY,
    SPLIT_PICKER,
    FAIL_OPEN,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(
            SPLIT_PROXY, "failure_mode_allow: true", "failure_mode_allow: false", because="it fails closed"
        ),
        Mutant(SPLIT_PROXY, "- remove: x-gateway", "- remove: x-nothing", because="clients name addresses"),
        Mutant(
            SPLIT_PROXY,
            "healthy_panic_threshold: {value: 0}",
            "healthy_panic_threshold: {value: 100}",
            because="it asks a picker that is gone",
        ),
        Mutant(
            SPLIT_PICKER, "--health-checking=true", "--health-checking=false", because="it counts as gone"
        ),
        Mutant(FAIL_OPEN, "200 true", "200 false", because="the picker sees the answer"),
    ],
)
def test_without_a_picker_any_pod_answers(proof: Proof) -> None:
    proof.apply(SPLIT_PROXY)
    with split_router(proof) as client:
        for expected in (EXPECTED_PROXY, EXPECTED_PICKER):
            assert held(proof, expected) == expected
        assert counterpart(settings(proof), EXPECTED_SETTINGS) == EXPECTED_SETTINGS
        assert post(client, proof, SHORT, FORGED).status_code == 200
        proof.transcript(FAIL_OPEN, exchange={"http://localhost:8081": str(client.base_url).rstrip("/")})
        for headers in ({}, FORGED):
            answer = post(client, proof, SHORT, headers)
            assert answer.status_code == 200
            assert SEEN_BY_PICKER not in answer.headers
            assert answer.headers["x-inference-pod"] in pods_of_the_model(proof)
        proof.apply(SPLIT_PICKER)
        proof.wait_until(
            lambda: SEEN_BY_PICKER in post(client, proof, SHORT).headers, 60, "the picker is back"
        )


@proves(
    SPLIT_ROUTER,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[
        Mutant(
            SPLIT_ROUTER,
            "deployment.apps/picker condition met",
            "deployment.apps/picker is there",
            because="kubectl prints other words",
        )
    ],
)
def test_proxy_and_picker_replace_the_router(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    proof.transcript(SPLIT_ROUTER)

    def is_asked() -> bool:
        with proxied(proof) as client:
            return SEEN_BY_PICKER in post(client, proof, SHORT).headers

    proof.wait_until(is_asked, 90, "the picker is asked")


@proves(
    FAIL_CLOSE,
    evidence="ran",
    uses=["router", "simulator", "envoy"],
    mutants=[Mutant(FAIL_CLOSE, "500\n", "200\n", because="no picker may choose")],
)
def test_closed_the_proxy_refuses_without_a_picker(proof: Proof) -> None:
    file = proof.path(SPLIT_PROXY)
    file.write_text(file.read_text().replace("failure_mode_allow: true", "failure_mode_allow: false"))
    proof.apply(SPLIT_PROXY)
    with split_router(proof) as client:
        proof.transcript(FAIL_CLOSE, exchange={"http://localhost:8081": str(client.base_url).rstrip("/")})
    the_word_alone_opens_nothing(proof)


def the_word_alone_opens_nothing(proof: Proof) -> None:
    """Show what chapter 2's router does when only failure_mode_allow is changed and no picker is there."""
    file = proof.path(ENVOY)
    text = file.read_text().replace("failure_mode_allow: false", "failure_mode_allow: true")
    file.write_text(text.replace("port_value: 9002", "port_value: 9999"))
    proof.apply(ENVOY, ROUTER, SERVICE)
    proof.wait("deployment", "router", "Available", deadline=120)
    pod = proof.get("pod", min(pods_of_the_model(proof)))
    with proof.forward("deployment/router", 8081) as url, httpx.Client(base_url=url, timeout=20) as client:
        # 500 once the body is on its way; 503 where the refused connection was noticed before that.
        assert post(client, proof, SHORT).status_code in {500, 503}
        listed = client.get("/v1/models")
        assert (listed.status_code, listed.text) == (503, "no healthy upstream")
        forged = {"x-gateway-destination-endpoint": f"{pod['status']['podIP']}:8000"}
        assert client.get("/v1/models", headers=forged).status_code == 200
