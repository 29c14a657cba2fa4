"""Are NetworkPolicies enforced: for every pod, on every path, from its first packet?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial

import pytest

from lab import addons, cluster, network_policy
from lab.engine import find_engine
from proofs.waiting import wait_until
from tests.lab.addons.traffic import inside
from tests.lab.live.space import Object, Space, image, is_ready, space

pytestmark = pytest.mark.addon

#: Seconds until pods run on a busy host, and until a policy must be in force.
STARTED, ENFORCED = 120, 30
NEAR, FAR = "life-with-llm-d-worker", "life-with-llm-d-worker2"

#: Tries to reach addresses, each within a second, and prints those that it reached.
REACH = """
import socket, sys
for target in sys.argv[1:]:
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        print(target)
    except OSError:
        pass
"""
#: Tries to reach an address from its first moment on, for so many seconds, and prints after
#: how many it did, over and over.
HURRY = """
import json, socket, sys, time
begin, times = time.monotonic(), []
while time.monotonic() < begin + float(sys.argv[2]):
    try:
        socket.create_connection((sys.argv[1], 8000), timeout=0.1).close()
        times.append(round(time.monotonic() - begin, 2))
    except OSError:
        pass
    time.sleep(0.02)
print(json.dumps(times), flush=True)
time.sleep(3600)
"""


@pytest.fixture(scope="module", autouse=True)
def enforcement() -> Iterator[None]:
    """Let policies be enforced; take the engine away at the end, and every trace of it."""
    addons.ensure("client")
    addons.ensure("network-policy")
    yield
    addons.remove("network-policy")
    host = find_engine()
    for node in cluster.node_containers(host):
        rules = host.run("exec", node, "iptables-nft", "-t", "mangle", "-S", doing="Listing rules")
        assert network_policy.CHAIN not in rules
    kinds = "clusterroles,clusterrolebindings"
    assert not [one for one in cluster.listed(kinds) if one["metadata"]["name"] == network_policy.OWN]


def pod(name: str, node: str, command: list[str], **labels: str) -> Object:
    """Return a pod with Python, as root, which gives no right to pass a policy."""
    container: Object = {"name": "python", "image": image("python"), "command": command}
    if name.startswith("server"):
        container["readinessProbe"] = {"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1}
    spec = {
        "nodeSelector": {"kubernetes.io/hostname": node},
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    metadata = {"name": name, "labels": {"app": name, **labels}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def server(node: str) -> list[Object]:
    """Return a web server on a node, and its Service: `server-near` or `server-far`."""
    name = "server-near" if node == NEAR else "server-far"
    web = ["python3", "-m", "http.server", "8000", "--directory", "/var/empty"]
    ports = {"selector": {"app": name}, "ports": [{"port": 8000}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": ports}
    return [pod(name, node, ["sh", "-c", "mkdir -p /var/empty && exec " + " ".join(web)]), service]


def policy(name: str, **spec: object) -> Object:
    """Return a NetworkPolicy."""
    kinds = [kind for kind in ("Ingress", "Egress") if kind.lower() in spec]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, "policyTypes": kinds, **spec},
    }


def chosen(name: str) -> Object:
    """Return a selector of the pods of this name."""
    return {"matchLabels": {"app": name}}


def wait_for_pods(namespace: Space) -> None:
    """Wait until all pods of a namespace are Ready."""
    wait_until(lambda: all(map(is_ready, namespace.list("pods"))), deadline=STARTED, what="all pods Ready")


def address(namespace: Space, name: str) -> str:
    """Return a pod's address."""
    found: str = namespace.read("pod", name)["status"]["podIP"]
    return found


@pytest.fixture
def servers() -> Iterator[Space]:
    """Return a namespace with a server on each of two nodes, and two callers on the first."""
    sleep = ["sleep", "infinity"]
    with space() as namespace:
        namespace.create(
            *server(NEAR), *server(FAR), pod("friend", NEAR, sleep), pod("stranger", NEAR, sleep)
        )
        wait_for_pods(namespace)
        yield namespace


def paths(namespace: Space, *names: str) -> list[str]:
    """Return the two ways to each server: by its pod's address and by its Service."""
    return [
        f"{host}:8000" for name in names for host in (address(namespace, name), f"{name}.{namespace.name}")
    ]


def reached(namespace: Space, caller: str, targets: list[str]) -> set[str]:
    """Return which targets a caller of a namespace reaches."""
    return set(inside(namespace.name, f"pod/{caller}", "python3", "-c", REACH, *targets).split())


def test_what_a_policy_allows_is_open_and_all_else_is_closed(servers: Space) -> None:
    near, far = paths(servers, "server-near"), paths(servers, "server-far")
    every = near + far

    def wait_until_open(caller: str, expected: list[str], what: str) -> None:
        wait_until(lambda: reached(servers, caller, every) == set(expected), deadline=ENFORCED, what=what)

    for caller in ("friend", "stranger"):
        wait_until_open(caller, every, f"without policies, {caller} reaches everything")
    servers.create(policy("closed", ingress=[]))
    for caller in ("friend", "stranger"):
        wait_until_open(caller, [], f"{caller} reaches nothing")
    allowed = {"from": [{"podSelector": chosen("friend")}], "ports": [{"port": 8000}]}
    servers.create(policy("friends", ingress=[allowed]))
    wait_until_open("friend", every, "the friend reaches both servers")
    assert reached(servers, "stranger", every) == set()
    names = {"to": [{"namespaceSelector": {}}], "ports": [{"port": 53, "protocol": "UDP"}]}
    near_only = {"to": [{"podSelector": chosen("server-near")}]}
    servers.create(policy("egress", podSelector=chosen("friend"), egress=[names, near_only]))
    wait_until_open("friend", near, "the friend reaches the server that it may call")
    # Probes come from the node, which no policy stops.
    time.sleep(5)
    assert all(map(is_ready, servers.list("pods")))
    servers.kubectl("delete", "networkpolicy", "--all")
    for caller in ("friend", "stranger"):
        wait_until_open(caller, every, f"without policies, {caller} reaches everything again")


def test_pods_and_nodes_that_no_policy_names_are_left_alone(servers: Space) -> None:
    servers.create(policy("closed", ingress=[], podSelector=chosen("server-far")))
    with space() as other:
        other.create(*server(NEAR), pod("neighbor", FAR, ["sleep", "infinity"]))
        wait_for_pods(other)
        own = paths(other, "server-near")
        assert reached(other, "neighbor", own) == set(own)
        closed = paths(servers, "server-far")
        wait_until(lambda: not reached(other, "neighbor", closed), deadline=ENFORCED, what="it is closed")
        # The API server asks as a node does: from another one, and it is let through.
        ask = f"/api/v1/namespaces/{other.name}/pods/server-near:8000/proxy/"
        assert "Directory listing" in other.kubectl("get", "--raw", ask)
    system = cluster.listed("pods", "--namespace=kube-system")
    assert all(map(is_ready, system))


def hurried(namespace: Space, target: str, *names: str) -> list[list[float]]:
    """Start pods that try a server from their first moment on; return at which seconds each reached it."""

    def printed(name: str) -> str:
        started = namespace.read("pod", name)["status"]["phase"] == "Running"
        return namespace.kubectl("logs", name) if started else ""

    for name in names:
        namespace.create(pod(name, NEAR, ["python3", "-c", HURRY, target, "8"]))
    logs = [wait_until(partial(printed, name), deadline=STARTED, what=f"{name} is done") for name in names]
    return [json.loads(log) for log in logs]


def test_a_new_pod_is_isolated_from_its_first_packet_and_let_in_soon(servers: Space) -> None:
    target = address(servers, "server-far")
    with space() as free, space() as isolated:
        isolated.create(policy("closed", egress=[]))
        (times,) = hurried(free, target, "control")
        assert times, "the server is there, so that only a policy can be in the way"
        assert hurried(isolated, target, "first", "second", "third") == [[], [], []]
    servers.create(policy("friends", ingress=[{"from": [{"podSelector": chosen("late")}]}]))
    wait_until(
        lambda: not reached(servers, "stranger", [f"{target}:8000"]), deadline=ENFORCED, what="it is closed"
    )
    (times,) = hurried(servers, target, "late")
    # The server's node learns a caller's address from the API server, and until then it is a stranger.
    assert times, "a caller that is allowed gets through"
    print(f"a new pod that may call was let in after {times[0]} s")
