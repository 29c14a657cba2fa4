"""Does Istio with plain Envoy route, authenticate and refuse as it is told, and leave nothing behind?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest

from lab import addons, cluster, edition
from proofs import namespaces
from proofs.waiting import wait_until
from tests.lab.addons.gateways import condition, gateway
from tests.lab.addons.traffic import all_to, complete, fake_metrics, inside, pods, reach
from tests.lab.live.space import Object, Space, image, is_ready, read, space

pytestmark = pytest.mark.addon

GATEWAY_API = "gateway.networking.k8s.io/v1"
NETWORKING = "networking.istio.io/v1"
SECURITY = "security.istio.io/v1"
#: Label of the pods in which Istio runs the Gateway `front`.
PROXY = "gateway.networking.k8s.io/gateway-name=front"
MESH = {"istio-injection": "enabled"}
#: Seconds until a busy host has started a proxy, or a proxy has taken a new configuration.
STARTED, CONFIGURED = 300, 120
REQUESTS = 200
KEY = b"a key that only the issuer of tokens and the gateway know"


@pytest.fixture(scope="module", autouse=True)
def istio() -> None:
    """Start Istio, and let the image of callers be there."""
    addons.ensure("istio")
    addons.ensure("client")


def described(kind: str, name: str, api: str, spec: Object, **metadata: object) -> Object:
    """Return an object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def front_of_istio() -> Object:
    """Return a Gateway of Istio's, reached inside the cluster only; its Service is front-istio."""
    return gateway("istio", **{"networking.istio.io/service-type": "ClusterIP"})


def route(*backends: Object) -> Object:
    """Return a route from everything at the Gateway to backends with weights."""
    return described(
        "HTTPRoute",
        "all",
        GATEWAY_API,
        {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": list(backends)}]},
    )


def weighted(first: int, second: int) -> list[Object]:
    """Return the servers `one` and `two` as backends, with weights."""
    return [
        {"name": name, "port": 8000, "weight": weight} for name, weight in (("one", first), ("two", second))
    ]


def workload(name: str, container: Object) -> list[Object]:
    """Return a Deployment of one pod, and an identity of its own."""
    labels = {"app": name}
    spec = {
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": name, **container}],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    deployment = {"selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
        described("Deployment", name, "apps/v1", deployment),
    ]


def server(name: str) -> list[Object]:
    """Return a simulator that serves a model of its own name, and its Service."""
    container = {
        "image": image("simulator"),
        "args": [f"--model={name}", "--port=8000", "--force-dummy-tokenizer"],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
    }
    ports = {"selector": {"app": name}, "ports": [{"name": "http", "port": 8000}]}
    return [*workload(name, container), described("Service", name, "v1", ports)]


def caller(name: str) -> list[Object]:
    """Return a pod in which Python programs run."""
    return workload(name, {"image": image("python"), "command": ["sleep", "infinity"]})


def wait_for(namespace: Space, *names: str) -> None:
    """Wait until workloads of a namespace have their pods ready."""

    def ready(name: str) -> bool:
        found = namespace.list("pods", f"app={name}")
        return bool(found) and all(map(is_ready, found))

    for name in names:
        wait_until(partial(ready, name), deadline=STARTED, what=f"{name} is ready")


def wait_for_gateway(namespace: Space) -> None:
    """Wait until the Gateway's proxy runs."""
    wait_until(
        lambda: condition(namespace.read("gateway", "front"), "Programmed") == "True",
        deadline=STARTED,
        what="the Gateway is programmed",
    )
    wait_until(
        lambda: any(map(is_ready, namespace.list("pods", PROXY))), deadline=STARTED, what="its proxy is ready"
    )


@pytest.fixture(scope="module")
def front() -> Iterator[Space]:
    """Return a namespace with a Gateway and two servers behind it, nine to one."""
    with space() as namespace:
        namespace.create(front_of_istio(), route(*weighted(9, 1)), *server("one"), *server("two"))
        wait_for(namespace, "one", "two")
        wait_for_gateway(namespace)
        yield namespace


def model(client: httpx.Client) -> str:
    """Return which of the servers answers."""
    found: str = client.get("/v1/models", timeout=10).raise_for_status().json()["data"][0]["id"]
    return found


def test_requests_are_shared_out_as_the_weights_say(front: Space) -> None:
    with reach(front.name, "service/front-istio", 80) as client:
        wait_until(lambda: model(client), deadline=CONFIGURED, what="the route is in force")
        shares = Counter(model(client) for _ in range(REQUESTS))
        # By chance alone, fewer than 3 or more than 45 of 200 come once in 100 000 runs.
        assert 3 <= shares["two"] <= 45
        assert shares["one"] + shares["two"] == REQUESTS
        patch = {"spec": {"rules": [{"backendRefs": weighted(0, 1)}]}}
        front.kubectl("patch", "httproute", "all", "--type=merge", f"--patch={json.dumps(patch)}")
        wait_until(
            lambda: {model(client) for _ in range(20)} == {"two"},
            deadline=CONFIGURED,
            what="the new weights are in force",
        )


def token(key: bytes = KEY, **claims: object) -> dict[str, str]:
    """Return the header with a token that claims what it is told, signed with a key."""
    body = {"iss": "issuer", "sub": "someone", "exp": int(time.time()) + 600, **claims}

    def encoded(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    head = {"alg": "HS256", "typ": "JWT", "kid": "one"}
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, body))
    signature = encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())
    return {"authorization": f"Bearer {signed}.{signature}"}


def test_a_token_decides_who_passes_the_gateway(front: Space) -> None:
    secret = base64.urlsafe_b64encode(KEY).decode().rstrip("=")
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "kid": "one", "k": secret}]}
    at_gateway = {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "front"}]}
    rules = {"jwtRules": [{"issuer": "issuer", "jwks": json.dumps(keys)}]}
    allowed = {"when": [{"key": "request.auth.claims[tenant]", "values": ["blue"]}]}
    front.create(
        described("RequestAuthentication", "tokens", SECURITY, {**at_gateway, **rules}),
        described("AuthorizationPolicy", "tenants", SECURITY, {**at_gateway, "rules": [allowed]}),
    )
    with reach(front.name, "service/front-istio", 80) as client:

        def status(headers: dict[str, str] | None = None) -> tuple[int, str]:
            answer = client.get("/v1/models", headers=headers, timeout=10)
            return answer.status_code, answer.text if answer.is_error else ""

        try:
            wait_until(lambda: status()[0] == 403, deadline=CONFIGURED, what="tokens are asked for")
            assert status(token(tenant="blue")) == (200, "")
            assert status(token(tenant="red")) == (403, "RBAC: access denied")
            assert status(token(tenant="blue", exp=1)) == (401, "Jwt is expired")
            assert status(token(b"another key", tenant="blue")) == (401, "Jwt verification fails")
        finally:
            front.kubectl("delete", "requestauthentication/tokens", "authorizationpolicy/tenants")
        wait_until(lambda: status()[0] == 200, deadline=CONFIGURED, what="tokens are no longer asked for")


def log(namespace: Space) -> str:
    """Return what the Gateway's proxy wrote of its last requests."""
    return namespace.kubectl("logs", f"--selector={PROXY}", "--tail=20")


def through(namespace: Space, holds: Callable[[httpx.Client], bool]) -> bool:
    """Tell whether something holds of the Gateway; a forward ends with the first refused connection."""
    with reach(namespace.name, "service/front-istio", 80) as client:
        return holds(client)


def test_the_endpoint_picker_decides_behind_the_gateway() -> None:
    spec = "router:config=queue,fake-metrics=on,replicas=3,namespace=meshed-router"
    namespace = Space(addons.ensure(spec).namespace)

    def fails_to_ask(client: httpx.Client) -> bool:
        return complete(client).status_code == 500 and "ext_proc_error" in log(namespace)

    pool = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": "demo"}
    # The picker's certificate is its own.
    tls = {"host": "router", "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}}
    try:
        busy, idle, loaded = pods(namespace.name)
        for pod, waiting in ((busy, 9), (idle, 0), (loaded, 5)):
            fake_metrics(namespace.name, pod, {"waiting-requests": waiting, "kv-cache-usage": 0.1})
        namespace.create(front_of_istio(), route(pool))
        wait_for_gateway(namespace)
        wait_until(
            lambda: through(namespace, fails_to_ask),
            deadline=CONFIGURED,
            what="a picker that is asked in plain text does not answer",
        )
        namespace.create(described("DestinationRule", "picker", NETWORKING, tls))
        what = "requests go where none wait"
        wait_until(lambda: through(namespace, lambda c: all_to(c, idle)), deadline=CONFIGURED, what=what)
        for pod, waiting in ((busy, 0), (idle, 9)):
            fake_metrics(namespace.name, pod, {"waiting-requests": waiting, "kv-cache-usage": 0.1})
        what = "requests follow the queue"
        wait_until(lambda: through(namespace, lambda c: all_to(c, busy)), deadline=CONFIGURED, what=what)
    finally:
        addons.remove(spec)


ASK = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print(getattr(error, "reason", error))
"""


def asked(namespace: Space, name: str, url: str) -> str:
    """Return the status that a caller gets, or why it gets none."""
    return inside(namespace.name, f"deployment/{name}", "python3", "-c", ASK, url)


def test_a_strict_mesh_refuses_plain_text_and_knows_its_callers() -> None:
    with space(MESH) as mesh, space() as outside:
        mesh.create(*server("served"), *caller("alice"), *caller("bob"))
        outside.create(*caller("stranger"))
        wait_for(mesh, "served", "alice", "bob")
        wait_for(outside, "stranger")
        models = f"http://served.{mesh.name}:8000/v1/models"
        health = f"http://served.{mesh.name}:8000/health"
        wait_until(
            lambda: asked(outside, "stranger", models) == "200", deadline=CONFIGURED, what="plain text"
        )
        mesh.create(described("PeerAuthentication", "strict", SECURITY, {"mtls": {"mode": "STRICT"}}))
        wait_until(
            lambda: "reset by peer" in asked(outside, "stranger", models),
            deadline=CONFIGURED,
            what="plain text is refused",
        )
        assert asked(mesh, "alice", models) == asked(mesh, "bob", models) == "200"
        rule = {
            "from": [{"source": {"principals": [f"cluster.local/ns/{mesh.name}/sa/alice"]}}],
            "to": [{"operation": {"methods": ["GET"], "paths": ["/v1/models"]}}],
        }
        mesh.create(described("AuthorizationPolicy", "alice", SECURITY, {"rules": [rule]}))

        def answers() -> list[str]:
            return [asked(mesh, "bob", models), asked(mesh, "alice", models), asked(mesh, "alice", health)]

        # A proxy that takes a new policy ends its connections: for a moment, callers get 503.
        wait_until(lambda: answers() == ["403", "200", "403"], deadline=CONFIGURED, what="the policy holds")
        # The kubelet's probes pass all the same.
        assert all(map(is_ready, mesh.list("pods", "app=served")))


def istioctl(*words: str) -> str:
    """Return what istioctl prints; it exits with an error when it finds one."""
    lab = cluster.connect()
    command = [str(lab.kubectl.with_name("istioctl")), *words, f"--kubeconfig={lab.kubeconfig}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return result.stdout + result.stderr


def test_istioctl_lists_proxies_and_finds_a_planted_fault(front: Space) -> None:
    (proxy,) = [line for line in istioctl("proxy-status").splitlines() if f".{front.name}" in line]
    assert edition.versions()["istio"] in proxy
    assert "STALE" not in proxy
    assert "IST0101" not in istioctl("analyze", f"--namespace={front.name}")
    lost = {"hosts": ["one"], "http": [{"route": [{"destination": {"host": "nowhere"}}]}]}
    front.create(described("VirtualService", "lost", NETWORKING, lost))
    said = istioctl("analyze", f"--namespace={front.name}")
    assert "IST0101" in said
    assert "nowhere" in said


def test_a_proofs_namespace_is_written_into_only_where_the_proof_needs_istio() -> None:
    run = {namespaces.RUN_LABEL: "test"}
    with space(run) as left_alone, space({**run, **addons.find("istio").watches}) as watched:
        wait_until(
            lambda: "istio-ca-root-cert" in names_of(watched.list("configmaps")),
            deadline=CONFIGURED,
            what="Istio's certificate is there",
        )
        assert names_of(left_alone.list("configmaps")) == ["kube-root-ca.crt"]


def names_of(objects: list[Object]) -> list[str]:
    """Return the names of objects."""
    return [one["metadata"]["name"] for one in objects]


#: Kinds of the whole cluster of which Istio has objects, and the one that it puts into every namespace.
KINDS = (
    "clusterroles",
    "clusterrolebindings",
    "customresourcedefinitions",
    "gatewayclasses",
    "mutatingwebhookconfigurations",
    "namespaces",
    "validatingadmissionpolicies",
    "validatingwebhookconfigurations",
    "configmaps",
)


def traces() -> list[str]:
    """Return kind/name of whatever bears Istio's name."""
    words = ("get", ",".join(KINDS), "--all-namespaces", "-o=name")
    listed = cluster.kubectl(*words, doing="Looking for traces of Istio", timeout=120)
    return [one for one in listed.split() if "istio" in one]


def test_istio_lives_beside_envoy_gateway_and_leaves_nothing_behind() -> None:
    """Last, since it takes Istio away."""
    addons.ensure("envoy-gateway")
    assert {"configmap/istio-ca-root-cert", "gatewayclass.gateway.networking.k8s.io/istio"} <= set(traces())
    with space() as namespace:
        namespace.create(gateway("eg"), route({"name": "one", "port": 8000}), *server("one"))
        wait_for(namespace, "one")
        with space() as other:
            other.create(front_of_istio(), route({"name": "one", "port": 8000}), *server("one"))
            wait_for(other, "one")
            wait_for_gateway(other)
            with reach(other.name, "service/front-istio", 80) as client:
                wait_until(lambda: model(client), deadline=CONFIGURED, what="Istio's Gateway answers")
        addons.remove("istio")
        assert traces() == []
        assert not cluster.find().kubectl.with_name("istioctl").exists()
        assert read("gatewayclass", "eg")
        with reach(namespace.name, "service/front", 80) as client:
            wait_until(lambda: model(client), deadline=STARTED, what="Envoy Gateway's Gateway answers")
