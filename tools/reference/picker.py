"""Ask an endpoint picker what it knows, without a cluster: it reads a configuration and says no, or goes on.

With file discovery the program needs no Kubernetes, and within a tenth of a second it
either serves or has printed which part of its configuration it refuses.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import Any

HEAD = {"apiVersion": "llm-d.ai/v1alpha1", "kind": "EndpointPickerConfig"}
#: What the program prints when it has taken a configuration.
TAKEN = "EPP starting (file discovery mode)"
#: Names under which the probed configurations hold file discovery and the plugin asked about.
ENDPOINTS, PROBED = "endpoints", "probed"
#: Seconds that the program may take to read a configuration on a busy machine.
PATIENCE = 60
JSON_FIELD = re.compile(rb'json:"([A-Za-z]\w*)')

#: The program looks for a cluster where it is not told of a file: there is none to be found.
NO_CLUSTER = {"HOME": "/nonexistent"}

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the program printed about one configuration."""

    lines: tuple[Mapping[str, Any], ...]

    @property
    def refusal(self) -> str:
        """Return why the program refused the configuration; empty when it took it."""
        if self.value(TAKEN, "msg"):
            return ""
        errors = [str(line["error"]) for line in self.lines if line.get("error")]
        return errors[0] if errors else "it ended without a word"

    def value(self, message: str, field: str) -> str:
        """Return a field of the line with a message; empty without one."""
        return next((str(line.get(field, "")) for line in self.lines if line.get("msg") == message), "")


class Picker:
    """An endpoint picker's program."""

    def __init__(self, program: Path) -> None:
        """Stand for the program of a file."""
        self.program = program

    @cached_property
    def bytes(self) -> bytes:
        """Return the program itself."""
        return self.program.read_bytes()

    @cached_property
    def json_fields(self) -> list[str]:
        """Return every name that some structure of the program has as a field of JSON."""
        return sorted({name.decode() for name in JSON_FIELD.findall(self.bytes)})

    def contains(self, text: str) -> bool:
        """Tell whether a text stands in the program."""
        return text.encode() in self.bytes

    def take(self, configuration: Mapping[str, Any], *flags: str) -> Answer:
        """Start with a configuration, and return what was printed until it was taken or refused."""
        with endpoints_file() as path:
            text = json.dumps(with_file_discovery(configuration, path))
            return self._printed(f"--config-text={text}", "--pool-name=reference", *flags)

    def read(self, configuration: Mapping[str, Any]) -> Answer:
        """Start with a configuration as it stands, which without a cluster ends after it was read."""
        return self._printed(
            f"--config-text={json.dumps({**HEAD, **configuration})}", "--pool-name=reference"
        )

    def start(self, plugin: str, parameters: Parameters | None = None, *flags: str) -> Answer:
        """Start with one plugin, which a configuration may call `probed`."""
        return self.take({"plugins": [spec(plugin, parameters)]}, *flags)

    def _printed(self, *words: str) -> Answer:
        ports = ("--grpc-port=0", "--grpc-health-port=0", "--metrics-port=0")
        command: list[str | Path] = [self.program, *words, *ports, "--tracing=false", "--zap-encoder=json"]
        with subprocess.Popen(
            command, env=NO_CLUSTER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            limit = Timer(PATIENCE, process.kill)
            limit.start()
            try:
                return Answer(tuple(_until_taken(process.stdout or [])))
            finally:
                limit.cancel()
                process.kill()


def spec(plugin: str, parameters: Parameters | None = None) -> dict[str, Any]:
    """Return the entry of a plugin under the name `probed`."""
    return {"name": PROBED, "type": plugin} | ({"parameters": dict(parameters)} if parameters else {})


def with_file_discovery(configuration: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return a configuration that finds its endpoints in a file, unless it says where to find them."""
    discovery = {"name": ENDPOINTS, "type": "file-discovery", "parameters": {"path": str(path)}}
    layer = {"discovery": {"pluginRef": ENDPOINTS}, **configuration.get("dataLayer", {})}
    return {
        **HEAD,
        **configuration,
        "plugins": [discovery, *configuration.get("plugins", [])],
        "dataLayer": layer,
    }


@contextmanager
def endpoints_file() -> Iterator[Path]:
    """Yield a file with one endpoint, which answers nobody."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "endpoints.yaml"
        path.write_text('endpoints: [{name: nobody, address: 127.0.0.1, port: "9"}]\n')
        yield path


def _until_taken(printed: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for text in printed:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        yield line
        if line.get("msg") == TAKEN:
            return
