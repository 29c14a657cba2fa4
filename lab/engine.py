"""The container engine: docker or podman, as found, with settings of the lab's own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import home, host, packages
from lab.errors import LabError
from lab.process import run, succeeds

#: What podman needs, and the Debian packages that bring it. Its network programs are
#: not on the PATH.
PODMAN_NEEDS = (
    ("podman", "podman"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("/usr/lib/podman/netavark", "netavark"),
    ("/usr/lib/podman/aardvark-dns", "aardvark-dns"),
)
#: Where other distributions keep podman's network programs; there, podman is taken as
#: it is.
OTHER_LAYOUT = "/usr/libexec/podman/netavark"
#: podman asks for 1,048,576 of each by default; a process without CAP_SYS_RESOURCE
#: gets no more than its own hard limit. 32,768 processes: the hard limit itself was
#: refused on the reference host.
PODMAN_FILES = 1_048_576
RESTRICTED_PROCESSES = 32_768


@dataclass(frozen=True)
class Engine:
    """A container engine that answers, and the environment that it is called with."""

    program: str
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str | Path, doing: str, timeout: float | None = None) -> str:
        """Run one engine command and return its output; raises LabError."""
        return run(
            [self.program, *arguments],
            doing=doing,
            environment=self.environment,
            timeout=timeout,
        )

    def succeeds(self, *arguments: str | Path, timeout: float = 20) -> bool:
        """Tell whether an engine command exits with 0 in time (seconds)."""
        return succeeds([self.program, *arguments], self.environment, timeout)

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return what the engine knows of a container, image or network, or None."""
        try:
            printed = self.run(kind, "inspect", name, doing=f"Inspecting {kind} {name}")
        except LabError:
            return None
        found: list[dict[str, Any]] = json.loads(printed)
        return found[0]

    def image_labels(self, name: str) -> dict[str, str] | None:
        """Return the labels of a local image, or None when it is not there."""
        image = self.inspect("image", name)
        if image is None:
            return None
        return image.get("Labels") or image.get("Config", {}).get("Labels") or {}

    def storage(self) -> Path:
        """Return the folder where the engine keeps images and containers."""
        place = "{{.DockerRootDir}}" if self.program == "docker" else "{{.Store.GraphRoot}}"
        return Path(self.run("info", f"--format={place}", doing="Asking for the engine's folder").strip())

    def save(self, name: str, archive: Path) -> None:
        """Write an image into a new OCI archive, which docker's own form is as well."""
        form = ["--format=oci-archive"] if self.program == "podman" else []
        self.run("save", *form, f"--output={archive}", name, doing=f"Saving {name}")

    def plain_http(self, name: str) -> list[str]:
        """Return the flag for pulling or pushing an image of a registry on loopback.

        docker speaks plain HTTP there without being told.
        """
        plain = self.program == "podman" and host.is_loopback(name.split("/", maxsplit=1)[0])
        return ["--tls-verify=false"] if plain else []


def find_engine(*, install: bool = True) -> Engine:
    """Return docker if its daemon answers, else podman, installed if need be.

    Raises LabError with the remedy when no engine can be had.
    """
    if shutil.which("docker") and succeeds(["docker", "info"]):
        return Engine("docker", {"KIND_EXPERIMENTAL_DOCKER_NETWORK": home.CLUSTER})
    if install and not Path(OTHER_LAYOUT).exists():
        packages.require(PODMAN_NEEDS)
    elif not shutil.which("podman"):
        message = "No container engine: install docker, or podman (apt-get install podman)."
        raise LabError(message)
    engine = Engine("podman", _podman_environment())
    engine.run("info", doing="Asking podman for its state")
    return engine


def _podman_environment() -> dict[str, str]:
    return {
        "KIND_EXPERIMENTAL_PROVIDER": "podman",
        "KIND_EXPERIMENTAL_PODMAN_NETWORK": home.CLUSTER,
        "CONTAINERS_CONF": str(_containers_conf()),
    }


def _containers_conf() -> Path:
    """Write podman's settings for this host and return the file.

    The user's own containers.conf is neither read nor changed. Two limits of a
    restricted host (no CAP_SYS_RESOURCE) and of version 1 of control groups, which
    crun refuses in its hybrid layout, are met here.
    """
    lines = ["[network]", 'network_backend = "netavark"', "[engine]"]
    if host.uses_cgroup_v1():
        lines.append('runtime = "runc"')
    files = host.hard_limit("NOFILE")
    if 0 <= files < PODMAN_FILES:
        limits = f'"nofile={files}:{files}", "nproc={RESTRICTED_PROCESSES}:{RESTRICTED_PROCESSES}"'
        lines += ["[containers]", f"default_ulimits = [{limits}]"]
    path = home.folder("cluster") / "containers.conf"
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text() != text:  # other engine commands read it meanwhile
        home.write(path, text)
    return path
