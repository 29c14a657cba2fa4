"""A registry on loopback, and lines to it that are slow or break."""

from __future__ import annotations

import contextlib
import http.server
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from lab import edition
from lab.engine import Engine
from proofs.waiting import wait_until

SETTINGS = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: {address}
log:
  level: error
"""
FORMS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
PIECE = 65_536
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/storage-run"
[storage.options.overlay]
skip_mount_home = "true" # a mount would be in the way of removing the folder
"""
#: Bytes of the one layer of the images that tests make; random, so that they stay as many.
LAYER = 8 * 2**20


@dataclass(frozen=True)
class Registry:
    """A registry that listens on `address` and keeps its content in `folder`."""

    engine: Engine
    address: str
    folder: Path

    def publish(self, name: str) -> str:
        """Put a new image into the registry alone, under `name`; return its digest."""
        full = f"{self.address}/{name}"
        make_image(self.engine, full, self.folder.parent)
        try:
            self.engine.run("push", *self.engine.plain_http(full), full, doing="Publishing")
        finally:
            self.engine.run("rmi", full, doing="Removing the local image")
        return self.digest(name)

    def digest(self, name: str) -> str:
        """Return the digest of the image that has a name now."""
        repository, tag = name.split(":")
        url = f"http://{self.address}/v2/{repository}/manifests/{tag}"
        answer = httpx.head(url, headers={"Accept": ", ".join(FORMS)}, trust_env=False)
        return str(answer.raise_for_status().headers["Docker-Content-Digest"])

    def damage_largest_file(self) -> None:
        """Change one byte of the largest file that the registry keeps: an image's layer."""
        largest = max(self.folder.rglob("data"), key=lambda file: file.stat().st_size)
        with largest.open("r+b") as file:
            file.seek(LAYER // 2)
            byte = file.read(1)
            file.seek(LAYER // 2)
            file.write(bytes([byte[0] ^ 1]))


def own_storage(engine: Engine, folder: Path) -> Engine:
    """Return the engine with images of its own, where it can have them (podman)."""
    settings = folder / "storage.conf"
    settings.write_text(STORAGE.format(folder=folder))
    environment = {**engine.environment, "CONTAINERS_STORAGE_CONF": str(settings)}
    return Engine(engine.program, environment)


@contextmanager
def registry(engine: Engine, images: Engine, folder: Path) -> Iterator[Registry]:
    """Run Debian's registry, from the lab's own image of it, on a free port of loopback.

    `engine` runs it, `images` makes what is published.
    """
    address = f"127.0.0.1:{free_port()}"
    content = folder / "content"
    content.mkdir()
    settings = folder / "registry.yml"
    settings.write_text(SETTINGS.format(address=address))
    name = f"test-registry-{secrets.token_hex(4)}"
    engine.run(
        "run",
        "--detach",
        "--rm",
        f"--name={name}",
        "--network=host",
        f"--volume={settings}:/settings.yml:ro",
        f"--volume={content}:/var/lib/registry",
        edition.images()["registry"].name,
        "serve",
        "/settings.yml",
        doing="Starting a registry",
    )
    try:
        wait_until(lambda: _answers(address), deadline=60, what="the registry of the test answers")
        yield Registry(images, address, content)
    finally:
        engine.run("rm", "-f", name, doing="Removing the registry")


def make_image(engine: Engine, name: str, folder: Path) -> None:
    """Make an image of one file of random bytes."""
    context = folder / f"context-{secrets.token_hex(4)}"
    context.mkdir()
    (context / "content").write_bytes(os.urandom(LAYER))
    (context / "Containerfile").write_text("FROM scratch\nCOPY content /content\n")
    engine.run(
        "build", f"--tag={name}", f"--file={context / 'Containerfile'}", context, doing="Making an image"
    )


@dataclass
class Line:
    """A TCP proxy in front of an address: what passes may be late, slow, or cut for good.

    `delay` is in seconds before each connection is served; `rate` is of answers,
    `request_rate` of requests, in bytes per second. After `limit` bytes of answers the
    line is dead: what is open is cut, nothing new is taken. `passed` and `sent` count
    the bytes of answers and requests.
    """

    target: str
    delay: float = 0
    rate: float = float("inf")
    request_rate: float = float("inf")
    limit: float = float("inf")
    address: str = ""
    passed: int = 0
    sent: int = 0

    @contextmanager
    def open(self) -> Iterator[Line]:
        """Listen, on a port of loopback that `address` names, while the body runs."""
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
            threading.Thread(target=self._accept, args=[listener], daemon=True).start()
            try:
                yield self
            finally:
                self.limit = 0
                listener.shutdown(socket.SHUT_RDWR)

    @property
    def is_dead(self) -> bool:
        """Tell whether the limit is reached."""
        return self.passed >= self.limit

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self.is_dead:
                    client.close()
                    continue
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        time.sleep(self.delay)
        host, port = self.target.split(":")
        with contextlib.suppress(OSError), client, socket.create_connection((host, int(port))) as server:
            threading.Thread(target=self._request, args=[client, server], daemon=True).start()
            for piece in self._pieces(server, client):
                self.passed += len(piece)
                time.sleep(len(piece) / self.rate)
                client.sendall(piece)

    def _request(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for piece in self._pieces(client, server):
                self.sent += len(piece)
                time.sleep(len(piece) / self.request_rate)
                server.sendall(piece)

    def _pieces(self, source: socket.socket, target: socket.socket) -> Iterator[bytes]:
        """Yield what comes from one side until it, or the line, ends; then close both."""
        while (piece := source.recv(PIECE)) and not self.is_dead:
            yield piece
        for one in (source, target):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def web_server(status: HTTPStatus) -> Iterator[str]:
    """Answer every request with one status; yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/", trust_env=False).is_success
    except httpx.HTTPError:
        return False
