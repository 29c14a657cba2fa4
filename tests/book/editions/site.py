"""The built HTML as a web server would give it: under its address, with its own 404 page."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

#: What is compressed already.
PACKED = {".png", ".woff2", ".zip"}


class Handler(SimpleHTTPRequestHandler):
    """Serve the files of a folder, and its 404.html for all others."""

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with a file, or with the page that says that there is none."""
        if not Path(self.translate_path(self.path)).exists():
            self.path = "/404.html"
        return super().send_head()

    def log_message(self, *_words: object) -> None:
        """Keep quiet."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; yield the address of its root."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def transferred(file: Path) -> int:
    """Return the bytes of a file on the way to a browser: compressed, where that is of use."""
    data = file.read_bytes()
    return len(data) if file.suffix in PACKED else len(gzip.compress(data))
