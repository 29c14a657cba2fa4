"""The lab's own registry: nodes pull every image from it under its public name.

containerd reads a mirror file per public host; an image that the lab lacks is
refused at once, without asking the outside.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from lab import home, host
from lab.engine import Engine, find_engine
from lab.errors import LabError
from lab.images import Provided
from lab.progress import step

#: Hosts that the nodes ask the lab's registry for: public ones, and the one in the names of
#: images that nobody publishes.
MIRRORED = ("docker.io", "ghcr.io", "quay.io", "registry.k8s.io", "localhost")
PORT = 5000
#: The registry as nodes and pods name it, for images of a reader's own.
NAME = f"{home.REGISTRY}:{PORT}"

SETTINGS = f"""\
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
  delete:
    enabled: true
http:
  addr: :{PORT}
log:
  level: warn
"""

MIRROR = """\
server = "http://{place}"
override_path = true
[host."http://{place}"]
  capabilities = ["pull", "resolve"]
  override_path = true
"""


def start(engine: Engine, image: Provided) -> str:
    """Start the registry if it does not run; return its address on loopback."""
    require_ownership(engine)
    container = engine.inspect("container", home.REGISTRY)
    if container and not answers(engine):
        engine.run("rm", "-f", "-v", home.REGISTRY, doing="Removing the stopped registry")
        container = None
    if container is None:
        _create(engine, image)
    write_mirrors()  # nodes of an older lab read them, too
    return address(engine)


def require_ownership(engine: Engine) -> None:
    """Stop with a sentence when a container or network of another owner has our name."""
    for kind, name in (("container", home.REGISTRY), ("network", home.CLUSTER)):
        found = engine.inspect(kind, name)
        if found is not None and _labels(found).get(home.OWNER) != str(home.home()):
            message = (
                f"A {kind} named {name} exists that this lab did not make, so it is left alone. "
                f"Rename or remove it ({engine.program} {kind} rm {name}), then try again."
            )
            raise LabError(message)


def address(engine: Engine) -> str:
    """Return the registry's address on this host, such as `127.0.0.1:40123`.

    Raises LabError when the registry does not run.
    """
    printed = engine.run("port", home.REGISTRY, f"{PORT}/tcp", doing="Asking for the registry's port")
    if not printed.strip():
        message = f"{home.REGISTRY} publishes no port: it does not run."
        raise LabError(message)
    return printed.split()[0]


def address_of_pods(_parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the address at which pods reach the registry, as `registry-address`.

    Nodes find its name. Pods ask the nodes' name servers in any order, and where there are
    several, only one of them knows it.
    """
    container = find_engine().inspect("container", home.REGISTRY) or {}
    networks = container.get("NetworkSettings", {}).get("Networks", {})
    return {"registry-address": networks.get(home.CLUSTER, {}).get("IPAddress", "")}


def push(engine: Engine, server: str, image: Provided) -> None:
    """Put an image into the registry under its public name, unless it is there."""
    if holds(server, image):
        return
    with step(f"Putting {image.name} into the lab's registry"):
        _send(engine, image.name, f"{server}/{image.name}")
    pushed = {**_pushed(), image.name: image.identity}
    home.write(_pushed_file(), json.dumps(pushed, indent=2) + "\n")


def holds(server: str, image: Provided) -> bool:
    """Tell whether the registry has exactly this image under its public name."""
    return _pushed().get(image.name) == image.identity and _has(server, image.name)


def write_mirrors() -> Path:
    """Write containerd's mirror files and return the folder that nodes mount."""
    root = home.folder("mirrors")
    places = {**{server: f"{NAME}/v2/{server}" for server in MIRRORED}, NAME: f"{NAME}/v2"}
    for server, place in places.items():
        (root / server).mkdir(exist_ok=True)
        home.write(root / server / "hosts.toml", MIRROR.format(place=place))
    return root


def _forget_names(engine: Engine) -> None:
    """Remove what a killed `down` left to podman's name server: it would listen at the old address."""
    if engine.program == "podman":
        own = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.geteuid()}")
        runtime = Path("/run" if host.is_root() else own)
        (runtime / "containers/networks/aardvark-dns" / home.CLUSTER).unlink(missing_ok=True)


def remove(engine: Engine) -> None:
    """Remove the registry's container and the lab's network; stored images stay."""
    require_ownership(engine)
    if engine.inspect("container", home.REGISTRY):
        engine.run("rm", "-f", "-v", home.REGISTRY, doing="Removing the registry")
    if engine.inspect("network", home.CLUSTER):
        engine.run("network", "rm", home.CLUSTER, doing="Removing the lab's network")


def _create(engine: Engine, image: Provided) -> None:
    if engine.inspect("network", home.CLUSTER) is None:
        label = f"--label={home.OWNER}={home.home()}"
        _forget_names(engine)
        engine.run("network", "create", label, home.CLUSTER, doing="Making the lab's network")
    settings = home.folder("cluster") / "registry.yml"
    settings.write_text(SETTINGS)
    with step("Starting the lab's registry"):
        engine.run(
            "run",
            "--detach",
            f"--name={home.REGISTRY}",
            f"--network={home.CLUSTER}",
            f"--label={home.OWNER}={home.home()}",
            f"--publish=127.0.0.1::{PORT}",  # loopback only; the engine picks a free port
            f"--volume={home.folder('registry')}:/var/lib/registry",
            f"--volume={settings}:/etc/lab-registry.yml:ro",
            image.name,
            "serve",
            "/etc/lab-registry.yml",
            doing="Starting the lab's registry",
        )


def _send(engine: Engine, name: str, target: str) -> None:
    """Push an image; docker needs the target as a second name of it for as long."""
    if engine.program == "podman":
        engine.run("push", *engine.plain_http(target), name, f"docker://{target}", doing=f"Pushing {name}")
        return
    engine.run("tag", name, target, doing=f"Tagging {name}")
    try:
        engine.run("push", target, doing=f"Pushing {name}")
    finally:
        engine.run("rmi", target, doing=f"Untagging {target}")


def answers(engine: Engine) -> bool:
    """Tell whether the registry really answers (its process may have been killed)."""
    try:
        return httpx.get(f"http://{address(engine)}/v2/", timeout=20, trust_env=False).is_success
    except (LabError, httpx.HTTPError):
        return False


def _pushed_file() -> Path:
    return home.folder("registry") / "pushed.json"


def _pushed() -> dict[str, str]:
    """Return image name -> identity of what was put into the registry."""
    path = _pushed_file()
    pushed: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return pushed


def _has(server: str, name: str) -> bool:
    repository, tag = name.rsplit(":", 1)
    accepted = (
        "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
        "application/vnd.docker.distribution.manifest.v2+json"
    )
    url = f"http://{server}/v2/{repository}/manifests/{tag}"
    try:
        return httpx.head(url, headers={"Accept": accepted}, timeout=10, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _labels(found: dict[str, Any]) -> dict[str, str]:
    places = (found.get("labels"), found.get("Labels"), found.get("Config", {}).get("Labels"))
    labels: dict[str, str] = next((labels for labels in places if labels), {})
    return labels
