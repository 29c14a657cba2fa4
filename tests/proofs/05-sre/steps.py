"""What several proofs of chapter 5 do: pretend a server, and bring the lab to where the chapter begins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from proofs.api import Proof, chapter_of

chapter = chapter_of(__file__)

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
        timeout=120,
        check=False,
    )


def samples(values: Mapping[str, float], label: str = "") -> dict[str, object]:
    """Return Prometheus' answer with a sample for each value of a label, or with one alone."""
    found = [
        {"metric": {label: name} if label else {}, "value": [0, str(value)]} for name, value in values.items()
    ]
    return {"status": "success", "data": {"result": found}}
