"""Do load generators measure the latencies that a simulator was given?"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lab import addons, cluster

pytestmark = pytest.mark.addon

#: In milliseconds.
FIRST_TOKEN, NEXT_TOKEN = 400, 50
FLEET = f"fleet:replicas=1,time-to-first-token={FIRST_TOKEN}ms,inter-token-latency={NEXT_TOKEN}ms"
#: No measure can be below what the simulator waits; the way and a busy host add to it.
BELOW, ABOVE = 0.95, 1.4


@pytest.fixture(scope="module")
def load() -> Iterator[str]:
    """Return the namespace of the load generators, which go at the end."""
    yield addons.ensure("load").namespace
    addons.remove("load")


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    """Return the address of a simulator with known latencies, which goes at the end."""
    yield f"http://sim.{addons.ensure(FLEET).namespace}:8000"
    addons.remove(FLEET)


def run(load: str, program: str, *arguments: str) -> str:
    """Return what a load generator prints."""
    where = ("exec", f"--namespace={load}", "deployment/load", f"--container={program}", "--")
    return cluster.kubectl(*where, program, *arguments, doing=f"Running {program}", timeout=300)


def read(load: str, program: str, file: str) -> str:
    """Return a file that a load generator has written."""
    where = ("exec", f"--namespace={load}", "deployment/load", f"--container={program}", "--")
    return cluster.kubectl(*where, "cat", file, doing=f"Reading {file}")


def assert_recovered(first_token: float, next_token: float) -> None:
    """Hold mean latencies, in milliseconds, to what the simulator was given."""
    assert BELOW * FIRST_TOKEN <= first_token <= ABOVE * FIRST_TOKEN
    assert BELOW * NEXT_TOKEN <= next_token <= ABOVE * NEXT_TOKEN


def test_inference_perf_recovers_the_latencies(load: str, simulator: str) -> None:
    run(
        load,
        "inference-perf",
        "--config_file=/settings/inference-perf.yaml",
        f"--server.base_url={simulator}",
    )
    report = json.loads(read(load, "inference-perf", "/tmp/inference-perf/summary_lifecycle_metrics.json"))  # noqa: S108
    assert report["failures"]["count"] == 0
    assert report["successes"]["count"] == 20
    latency = report["successes"]["latency"]
    seconds = [latency[name]["mean"] for name in ("time_to_first_token", "time_per_output_token")]
    assert_recovered(*(1000 * one for one in seconds))


def test_aiperf_recovers_the_latencies(load: str, simulator: str) -> None:
    run(
        load,
        "aiperf",
        "profile",
        "--model=demo-model",
        f"--url={simulator}",
        "--endpoint-type=completions",
        "--streaming",
        "--tokenizer=/tokenizer",
        "--isl=64",
        "--osl=16",
        "--extra-inputs=ignore_eos:true",
        "--use-server-token-count",
        "--request-count=20",
        "--concurrency=2",
        "--ui=none",
        "--artifact-dir=/tmp/aiperf",
    )
    report = json.loads(read(load, "aiperf", "/tmp/aiperf/profile_export_aiperf.json"))  # noqa: S108
    assert report["request_count"]["avg"] == 20
    assert_recovered(report["time_to_first_token"]["avg"], report["inter_token_latency"]["avg"])


def test_locust_recovers_the_latencies(load: str, simulator: str) -> None:
    printed = run(
        load,
        "locust",
        "--locustfile=/settings/locustfile.py",
        f"--host={simulator}",
        "--headless",
        "--users=2",
        "--spawn-rate=2",
        "--run-time=20s",
        "--json",
    )
    measures = {row["name"]: row for row in json.loads(printed)}
    assert not any(row["num_failures"] for row in measures.values())
    assert measures["first token"]["num_requests"] >= 10
    means = [
        measures[name]["total_response_time"] / measures[name]["num_requests"]
        for name in ("first token", "next token")
    ]
    assert_recovered(*means)
