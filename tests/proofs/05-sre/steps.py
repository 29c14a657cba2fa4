"""What several proofs of chapter 5 do: pretend a server, and bring the lab to where the chapter begins."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx

from proofs.api import Proof, chapter_of
from tests.proofs.installed import PICKER, POOL, RIGHTS, SERVICE, router

chapter = chapter_of(__file__)
ENVOY = chapter["envoy-config.yaml"]
ROUTER = chapter["router.yaml"]
MODEL_SERVER = chapter["model-server.yaml"]

#: What a pretended server returns to method, path and body: a status, and pieces of a text.
#: None as a piece closes the connection there.
Answer = tuple[int, Sequence[str | None]]


@contextmanager
def pretended(answer: Callable[[str, str, bytes], Answer]) -> Iterator[str]:
    """Yield the URL of a server on loopback that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            status, pieces = answer(self.command, self.path, self.rfile.read(length))
            self.send_response(status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in pieces:
                if piece is None:
                    self.close_connection = True
                    return
                self.wfile.write(f"{len(piece.encode()):x}\r\n{piece}\r\n".encode())
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = respond  # noqa: N815 - the library looks for these names

        def log_message(self, *_arguments: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def ran(
    proof: Proof, listing: str, *arguments: str, given: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Return how a program of the chapter ended, and what it printed."""
    path = proof.path(listing)
    return subprocess.run(
        [sys.executable, path.name, *arguments],
        cwd=path.parent,
        env={**os.environ, **variables},
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def samples(values: Mapping[str, float], label: str = "") -> dict[str, object]:
    """Return Prometheus' answer with a sample for each value of a label, or with one alone."""
    found = [
        {"metric": {label: name} if label else {}, "value": [0, str(value)]} for name, value in values.items()
    ]
    return {"status": "success", "data": {"result": found}}


# In the lab


def install(proof: Proof, *more: str) -> None:
    """Apply what the chapter starts from, and wait until the model answers through the router."""
    proof.apply(POOL, RIGHTS, PICKER, SERVICE, ENVOY, ROUTER, MODEL_SERVER, *more)
    for name in ("router", "simulator"):
        proof.wait("deployment", name, "Available", deadline=180)
    with router(proof):
        pass


@contextmanager
def opened(
    proof: Proof, port: int = 8081, target: str = "service/router", namespace: str = ""
) -> Iterator[str]:
    """Yield a URL of a service that comes back after a restart, as that of ports.sh does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        local = free.getsockname()[1]
    script = (
        f"while true; do kubectl port-forward --namespace={namespace or proof.namespace} "
        f"{target} {local}:{port}; sleep 1; done"
    )
    kubectl = proof.run(["sh", "-c", "command -v kubectl"]).strip()
    variables = {
        **os.environ,
        "KUBECONFIG": proof.run(["sh", "-c", "echo $KUBECONFIG"]).strip(),
        "PATH": os.pathsep.join((kubectl.rpartition("/")[0], os.environ["PATH"])),
    }
    with subprocess.Popen(
        ["sh", "-c", script],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=variables,
        start_new_session=True,
    ) as process:
        url = f"http://127.0.0.1:{local}"
        try:
            proof.wait_until(lambda: httpx.get(url, timeout=5), 30, f"{target} is reached")
            yield url
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def watched(proof: Proof) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield what a transcript exchanges, and its environment, with router and Prometheus in reach."""
    namespace = proof.addon("prometheus").namespace
    with (
        opened(proof) as requests,
        opened(proof, 9090, "service/prometheus", namespace) as prometheus,
    ):
        exchange = {
            "http://localhost:8081": requests,
            "http://localhost:9091": prometheus,
            "signals.py": f"signals.py --namespace={proof.namespace}",
        }
        yield exchange, {"ROUTER_URL": requests, "PROMETHEUS_URL": prometheus}


def query(prometheus: str, expression: str) -> list[float]:
    """Return the values that a query has now."""
    answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": expression}, timeout=10)
    return [float(one["value"][1]) for one in answer.raise_for_status().json()["data"]["result"]]


def wait_until_scraped(proof: Proof, prometheus: str) -> None:
    """Wait until Prometheus has counts of this namespace's three pods, and of Envoy's first answer."""
    of = f'namespace="{proof.namespace}"'
    requests = f'{of},envoy_http_conn_manager_prefix="requests"'
    good = f'envoy_http_downstream_rq_xx{{{requests},envoy_response_code_class="2"}}'
    proof.wait_until(lambda: sum(query(prometheus, f"{good} > 0")), 60, "Envoy is scraped")
    proof.wait_until(
        lambda: len(query(prometheus, f"vllm:num_requests_running{{{of}}}")) == 3, 60, "the pods are scraped"
    )


def as_recorded(listing: str) -> str:
    """Return a pipe after signals.py that exchanges its numbers for those of a transcript.

    They differ a little from run to run, so the proof looks at them itself. Without
    recorded ones, nothing is exchanged.
    """
    text = (chapter.root / "examples" / listing).read_text()
    actions = [
        f'/^{name} / {{print "{line}"; next}}'
        for name in ("traffic", "errors", "first token", "saturation")
        for line in re.findall(rf"(?m)^{name} .*", text)
    ]
    rows = re.findall(r"(?m)^simulator-\S+( .*)", text)
    healthy = [row for row in rows if "look here" not in row]
    actions += [f'/look here/ {{print $1 "{row}"; next}}' for row in rows if row not in healthy]
    if healthy:
        start = "".join(f'row[{place}] = "{row}"; ' for place, row in enumerate(healthy, 1))
        actions = [f"BEGIN {{{start}}}", *actions, "/^simulator-/ {print $1 row[++count]; next}"]
    return f" | awk '{' '.join([*actions, '{print}'])}'" if actions else ""


def pods_of_the_model(proof: Proof) -> list[dict[str, Any]]:
    """Return the model's pods that are not about to end."""
    pods = proof.objects("pod", "app.kubernetes.io/name=simulator")
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def break_pod(proof: Proof, pod: str) -> None:
    """Let a simulator answer with 503."""
    body = json.dumps({"failure-injection-rate": 100, "failure-types": ["server_error"]})
    path = f"/api/v1/namespaces/{proof.namespace}/pods/{pod}:8000/proxy/admin/config"
    proof.run(["sh", "-c", f"printf '%s' '{body}' | kubectl create --raw {path} -f -"])
