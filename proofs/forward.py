"""Reach a pod or service of the lab on a free port of the loopback interface."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from proofs.failures import CommandFailed
from proofs.waiting import wait_until

_LOCAL_PORT = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


class _Ended(Exception):  # noqa: N818 - an outcome, not an error
    """kubectl ended before it forwarded; the message is what it printed."""


@contextmanager
def forwarded(
    target: str, port: int | str, namespace: str, environment: Mapping[str, str], deadline: float
) -> Iterator[str]:
    """Yield the base URL that `kubectl port-forward` opens to a target's port."""
    room = f"--namespace={namespace}"
    command = ["kubectl", "port-forward", "--address=127.0.0.1", room, target, f":{port}"]
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(command, env=dict(environment), stdout=printed, stderr=subprocess.STDOUT) as process,
    ):

        def local_port() -> str:
            # Not seek and read: the program writes through the same offset.
            text = os.pread(printed.fileno(), 65536, 0).decode(errors="replace")
            if process.poll() is not None:
                raise _Ended(text.strip())
            found = _LOCAL_PORT.search(text)
            return found[1] if found else ""

        try:
            opened = wait_until(
                local_port,
                deadline=deadline,
                what=f"port-forward to {target}, port {port}",
                interval=0.05,
            )
            yield f"http://127.0.0.1:{opened}"
        except _Ended as error:
            message = f"kubectl port-forward {target} :{port}: {error}"
            raise CommandFailed(message) from None
        finally:
            process.terminate()
