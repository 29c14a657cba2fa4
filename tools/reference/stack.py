"""An endpoint picker, Envoy and simulators as processes of this machine, without a cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

from lab import edition
from proofs.waiting import wait_until
from tools.reference.picker import with_file_discovery
from tools.reference.programs import Programs

#: The book's own configuration of Envoy, with other ports.
ENVOY_CONFIGURATION = edition.PROJECT / "examples/02-installation/envoy-config.yaml"
MODEL = "demo-model"
#: How often the picker counts its pods; by default every five seconds.
OFTEN = "--refresh-prometheus-metrics-interval=100ms"
#: Seconds that a program may take to answer on a busy machine.
PATIENCE = 60


@dataclass(frozen=True)
class Setting:
    """What a stack is started with.

    `labels` are those of each simulator's endpoint; `missing` endpoints have no simulator.
    """

    configuration: Mapping[str, Any] = field(default_factory=dict)
    flags: Sequence[str] = ()
    simulator: Sequence[str] = ()
    labels: Sequence[Mapping[str, str]] = ({}, {})
    missing: int = 0


@dataclass(frozen=True)
class Stack:
    """A stack that runs: a client of Envoy, and where the programs show their metrics."""

    client: httpx.Client
    picker: str
    picker_process: subprocess.Popen[bytes]
    simulators: tuple[str, ...]

    def ask(self, prompt: str = "Hello", path: str = "/v1/completions", **more: Any) -> httpx.Response:  # noqa: ANN401
        """Send a request through Envoy and return the answer, whatever it is."""
        headers = more.pop("headers", {})
        body = {"model": MODEL, "prompt": prompt, "max_tokens": 8, **more}
        return self.client.post(path, json=body, headers=headers)

    def scrape(self) -> tuple[str, list[str]]:
        """Return the metrics of the endpoint picker, and of each simulator."""
        addresses = [self.picker, *self.simulators]
        texts = [httpx.get(f"{one}/metrics", timeout=PATIENCE).text for one in addresses]
        return texts[0], texts[1:]


@contextmanager
def running(programs: Programs, setting: Setting) -> Iterator[Stack]:
    """Run a stack until the block ends."""
    count = len(setting.labels)
    grpc, health, metrics, events, front, ready, *pods = free_ports(6 + count + setting.missing)
    simulators = pods[:count]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as processes:
        room = Path(folder)
        texts = {"$EVENTS": f"127.0.0.1:{events}", "$SIMULATOR": f"http://127.0.0.1:{pods[0] if pods else 0}"}
        for port in simulators:
            flags = [_filled(flag, texts) for flag in setting.simulator]
            command: list[str | Path] = [
                programs.simulator,
                f"--model={MODEL}",
                f"--port={port}",
                "--force-dummy-tokenizer",
                *flags,
            ]
            address = {"POD_IP": f"127.0.0.1:{port}", "POD_NAME": f"sim-{port}", "POD_NAMESPACE": "reference"}
            processes.enter_context(process(command, address))
        for port in simulators:
            wait_for(f"http://127.0.0.1:{port}/health")
        endpoints = room / "endpoints.yaml"
        endpoints.write_text(
            json.dumps({"endpoints": _endpoints(pods, [*setting.labels, *[{}] * setting.missing])})
        )
        configuration = json.loads(_filled(json.dumps(setting.configuration), texts))
        text = json.dumps(with_file_discovery(configuration, endpoints))
        words = [f"--config-text={text}", "--pool-name=reference", "--pool-namespace=reference"]
        listen = [f"--grpc-port={grpc}", f"--grpc-health-port={health}", f"--metrics-port={metrics}"]
        command = [programs.picker.program, *words, *listen, "--tracing=false", OFTEN, *setting.flags]
        picker_process = processes.enter_context(process(command, {}))
        wait_for(f"http://127.0.0.1:{metrics}/metrics")
        proxy = room / "envoy.json"
        proxy.write_text(json.dumps(envoy_configuration(front, ready, grpc)))
        command = [programs.envoy, "--config-path", proxy, "--concurrency", "1", "--disable-hot-restart"]
        processes.enter_context(process(command, {}))
        wait_for(f"http://127.0.0.1:{ready}/ready")
        client = processes.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{front}", timeout=PATIENCE))

        def is_open() -> bool:
            # Until Envoy has reached the picker, it answers 5xx by itself.
            answer = client.get("/v1/models")
            return answer.is_success or (not simulators and "pods" in answer.text)

        wait_until(is_open, deadline=PATIENCE, what="the way is open")
        addresses = tuple(f"http://127.0.0.1:{port}" for port in simulators)
        yield Stack(client, f"http://127.0.0.1:{metrics}", picker_process, addresses)


@contextmanager
def process(
    command: Sequence[str | Path], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends."""
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, env=dict(environment), stdout=silent, stderr=silent) as started:
        try:
            yield started
        finally:
            started.kill()


def wait_for(url: str) -> None:
    """Wait until an address answers with success."""
    wait_until(lambda: httpx.get(url, timeout=PATIENCE).raise_for_status(), deadline=PATIENCE, what=url)


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody uses now."""
    with ExitStack() as sockets:
        opened = [
            sockets.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)
        ]
        return [one.getsockname()[1] for one in opened]


def envoy_configuration(front: int, ready: int, picker: int) -> dict[str, Any]:
    """Return the book's configuration of Envoy with other ports."""
    config_map = YAML(typ="safe").load(ENVOY_CONFIGURATION)
    configuration: dict[str, Any] = YAML(typ="safe").load(config_map["data"]["envoy.yaml"])
    configuration["admin"]["address"]["socket_address"]["port_value"] = 0
    resources = configuration["static_resources"]
    for listener, port in zip(resources["listeners"], (front, ready), strict=True):
        listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    load = resources["clusters"][1]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    load["address"]["socket_address"]["port_value"] = picker
    return configuration


def _endpoints(ports: Sequence[int], labels: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"sim-{number}",
            "namespace": "reference",
            "address": "127.0.0.1",
            "port": str(port),
            "labels": dict(own),
        }
        for number, (port, own) in enumerate(zip(ports, labels, strict=True))
    ]


def _filled(text: str, texts: Mapping[str, str]) -> str:
    for name, value in texts.items():
        text = text.replace(name, value)
    return text
