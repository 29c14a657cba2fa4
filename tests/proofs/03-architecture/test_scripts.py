"""Do the two scripts of the chapter open the router's ports and change its configuration?"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from proofs.api import Mutant, Proof, proves
from tests.proofs.installed import PICKER, SIMULATOR

from .steps import chapter, install_with

PORTS = chapter["ports.sh"]
RECONFIGURE = chapter["reconfigure.sh"]
RECONFIGURED = chapter["reconfigure.console"]

FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)")
#: What answers on each port, and with which words.
PATHS = {"8081": ("/v1/models", "lab/sim-8b"), "9090": ("/metrics", "llm_d_epp"), "19000": ("/ready", "LIVE")}


@contextmanager
def opened_ports(proof: Proof) -> Iterator[Iterator[dict[str, str]]]:
    """Yield the ports of this machine that the script opens, each time that it opens them."""
    script = proof.path(PORTS)
    # Any free port here: others may have the reader's.
    script.write_text(re.sub(r"(?<= )(\d+)(?=[ \n])", r":\1", script.read_text()))
    kubectl = proof.run(["sh", "-c", "command -v kubectl"]).strip()
    kubeconfig = proof.run(["sh", "-c", "echo $KUBECONFIG"]).strip()
    path = os.pathsep.join((kubectl.rpartition("/")[0], os.environ["PATH"]))
    variables = os.environ | {"KUBECONFIG": kubeconfig, "PATH": path}
    with subprocess.Popen(
        ["sh", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=variables,
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            yield ports_in(process.stdout)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def ports_in(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Yield port of the router -> port here, from what kubectl prints."""
    ports: dict[str, str] = {}
    for line in lines:
        if found := FORWARDING.search(line):
            ports[found[2]] = found[1]
        if len(ports) == len(PATHS):
            yield ports
            ports = {}


@proves(
    PORTS,
    evidence="ran",
    router=">=0.10",
    uses=["router", "envoy"],
    mutants=[
        Mutant(
            PORTS,
            "port-forward deployment/router 8081",
            "port-forward deployment/router 9003",
            because="requests have another port",
        ),
    ],
)
def test_three_ports_of_the_router_are_open(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    with opened_ports(proof) as opened:
        ports = next(opened)
        assert set(ports) == set(PATHS)
        for port, (path, words) in PATHS.items():
            answer = httpx.get(f"http://127.0.0.1:{ports[port]}{path}", timeout=10)
            assert words in answer.text


@proves(
    RECONFIGURE,
    RECONFIGURED,
    evidence="ran",
    uses=["router"],
    mutants=[
        Mutant(RECONFIGURE, "kubectl rollout restart", "kubectl get", because="the EPP reads nothing new"),
        Mutant(RECONFIGURE, '-f "$1"', '-f "$1" --dry-run=server', because="nothing is stored"),
        Mutant(RECONFIGURED, "router restarted", "router changed", because="kubectl prints other words"),
    ],
)
def test_the_epp_gets_another_configuration(proof: Proof) -> None:
    install_with(proof, PICKER, SIMULATOR)
    proof.transcript(RECONFIGURED)
    (pod,) = proof.objects("pod", "app.kubernetes.io/name=router")
    printed = proof.logs(f"pod/{pod['metadata']['name']}", "endpoint-picker")
    assert "queue-scorer" in printed
    assert "prefix-cache-scorer" not in printed
