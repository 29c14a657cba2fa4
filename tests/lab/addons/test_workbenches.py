"""Do MLflow and JupyterLab keep and run what a person gives them, with no more rights than that takes?"""

from __future__ import annotations

import base64
import json
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
import websocket

from lab import addons, cluster
from lab.errors import LabError
from proofs.waiting import wait_until
from tests.lab.addons.s3 import call
from tests.lab.addons.traffic import inside_python, reach
from tests.lab.live.space import read

pytestmark = pytest.mark.addon

RUN = """
import sys, mlflow
mlflow.set_tracking_uri("http://mlflow.mlflow.svc:5000")
mlflow.set_experiment(sys.argv[1])
with mlflow.start_run() as run:
    mlflow.log_params({"replicas": 2})
    mlflow.log_metric("ttft_ms", 41.5)
    mlflow.log_text("prefix caching on", "notes/settings.txt")
print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def mlflow() -> Iterator[httpx.Client]:
    """Yield a client of MLflow's server."""
    addons.ensure("mlflow")
    with reach("mlflow", "service/mlflow", 5000) as client:
        yield client


@pytest.fixture
def experiment(mlflow: httpx.Client) -> Iterator[tuple[str, str]]:
    """Yield the name and the number of an experiment that is deleted after the test."""
    name = f"test-{secrets.token_hex(4)}"
    made = mlflow.post("/api/2.0/mlflow/experiments/create", json={"name": name}).raise_for_status()
    number = made.json()["experiment_id"]
    yield name, number
    mlflow.post("/api/2.0/mlflow/experiments/delete", json={"experiment_id": number}).raise_for_status()


def test_a_run_keeps_its_numbers_and_its_artifact_lies_in_the_bucket(
    mlflow: httpx.Client, experiment: tuple[str, str]
) -> None:
    name, number = experiment
    run = inside_python("mlflow", "deployment/mlflow", RUN, name).splitlines()[-1]
    found = mlflow.get("/api/2.0/mlflow/runs/get", params={"run_id": run}).raise_for_status()
    data = found.json()["run"]["data"]
    assert data["params"] == [{"key": "replicas", "value": "2"}]
    assert [(one["key"], one["value"]) for one in data["metrics"]] == [("ttft_ms", 41.5)]
    artifact = {"Bucket": "mlflow", "Key": f"{number}/{run}/artifacts/notes/settings.txt"}
    assert call("reader", "get_object", **artifact)["Body"] == "prefix caching on"
    call("mlflow", "delete_object", **artifact)


def test_a_trace_that_arrives_as_otlp_is_found_with_its_spans(
    mlflow: httpx.Client, experiment: tuple[str, str]
) -> None:
    number = experiment[1]
    trace = secrets.token_hex(16)
    answer = mlflow.post("/v1/traces", json=spans(trace), headers={"x-mlflow-experiment-id": number})
    assert answer.status_code == httpx.codes.OK, answer.text
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": number}}

    def traces() -> list[str]:
        found = mlflow.post("/api/3.0/mlflow/traces/search", json={"locations": [place]}).raise_for_status()
        return [one["trace_id"] for one in found.json().get("traces", [])]

    wait_until(lambda: bool(traces()), deadline=30, what="MLflow finds the trace")
    assert traces() == [f"tr-{trace}"]
    kept = mlflow.get("/api/3.0/mlflow/traces/get", params={"trace_id": f"tr-{trace}"}).raise_for_status()
    names = [one["name"] for one in kept.json()["trace"]["spans"]]
    assert sorted(names) == ["decode", "request"]


def spans(trace: str) -> dict[str, object]:
    """Return a request with its decode inside, as OTLP in JSON."""
    now = time.time_ns()
    root, inner = secrets.token_hex(8), secrets.token_hex(8)
    common = {"traceId": trace, "kind": 1, "status": {"code": 1}}
    rows = [
        {**common, "spanId": root, "name": "request", "startTimeUnixNano": now, "endTimeUnixNano": now + 9},
        {
            **common,
            "spanId": inner,
            "parentSpanId": root,
            "name": "decode",
            "startTimeUnixNano": now + 1,
            "endTimeUnixNano": now + 8,
        },
    ]
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": rows}]}]}


@pytest.fixture(scope="module")
def jupyterlab() -> Iterator[httpx.Client]:
    """Yield a client of JupyterLab's server that shows no token."""
    addons.ensure("jupyterlab")
    with reach("jupyterlab", "service/jupyterlab", 8888) as client:
        yield client


@pytest.fixture(scope="module")
def token(jupyterlab: httpx.Client) -> dict[str, str]:
    """Return the header with JupyterLab's token."""
    assert jupyterlab
    found = base64.b64decode(read("secret", "jupyterlab", "jupyterlab")["data"]["token"]).decode()
    return {"Authorization": f"token {found}"}


@contextmanager
def kernel(server: httpx.Client, token: dict[str, str]) -> Iterator[str]:
    """Yield the number of a Python kernel that runs for a while."""
    made = server.post("/api/kernels", headers=token, json={"name": "python3"}).raise_for_status().json()
    try:
        yield made["id"]
    finally:
        server.delete(f"/api/kernels/{made['id']}", headers=token).raise_for_status()


def connect(server: httpx.Client, number: str, token: dict[str, str]) -> websocket.WebSocket:
    """Open the channels of a kernel."""
    address = f"ws://{server.base_url.host}:{server.base_url.port}/api/kernels/{number}/channels"
    return websocket.create_connection(address, header=token, timeout=60)


def execute(server: httpx.Client, token: dict[str, str], code: str) -> tuple[str, str]:
    """Let a new kernel run code; return the result and the name of the error."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "session": "test",
        "username": "test",
    }
    request = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
    result = error = ""
    with kernel(server, token) as number, closing(connect(server, number, token)) as channel:
        channel.send(json.dumps({**request, "content": {"code": code, "silent": False}}))
        while True:
            message = json.loads(channel.recv())
            if message["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            result = message["content"].get("data", {}).get("text/plain", result)
            error = message["content"].get("ename", error)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return result, error


def test_a_kernel_runs_code_and_returns_its_result(jupyterlab: httpx.Client, token: dict[str, str]) -> None:
    assert execute(jupyterlab, token, "sum(range(10))") == ("45", "")
    assert execute(jupyterlab, token, "1 / 0") == ("", "ZeroDivisionError")


def test_without_its_token_jupyterlab_refuses(jupyterlab: httpx.Client, token: dict[str, str]) -> None:
    # Each request on its own: after a good token, a client has a cookie that is as good.
    address = jupyterlab.base_url.join("/api/kernels")
    wrong = {"Authorization": f"token {secrets.token_hex(16)}"}
    assert httpx.get(address, headers=token, timeout=60).status_code == httpx.codes.OK
    for headers in ({}, wrong):
        assert httpx.get(address, headers=headers, timeout=60).status_code == httpx.codes.FORBIDDEN
        with kernel(jupyterlab, token) as number, pytest.raises(websocket.WebSocketBadStatusException) as no:
            connect(jupyterlab, number, headers)
        assert no.value.status_code == httpx.codes.FORBIDDEN


def test_a_notebook_has_no_right_in_the_cluster(jupyterlab: httpx.Client, token: dict[str, str]) -> None:
    identity = "open('/var/run/secrets/kubernetes.io/serviceaccount/token')"
    assert execute(jupyterlab, token, identity) == ("", "FileNotFoundError")
    for what in ("secrets", "pods"):
        with pytest.raises(LabError, match=f'cannot list resource "{what}"'):
            cluster.kubectl(
                "get",
                what,
                "--namespace=jupyterlab",
                "--as=system:serviceaccount:jupyterlab:jupyterlab",
                doing="Asking as the notebook's account",
            )
