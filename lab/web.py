"""Open an add-on's web interface: a port of this machine leads to it while the command runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import webbrowser
from contextlib import suppress

from lab import addons, catalogue, cluster, host
from lab.errors import LabError
from lab.progress import say

ADDRESS = "127.0.0.1"
#: Seconds that kubectl has to open the port.
PATIENCE = 20


def open_web(spec: str, port: int | None) -> None:
    """Forward a port to an add-on's web interface, say its address, and stay until Ctrl-C.

    Without `port` it is the interface's own, or a free one if that is taken. Raises
    LabError when the add-on has none or does not run, or when the given port is taken.
    """
    addon = addons.find(spec)
    if not addon.web:
        known = ", ".join(one.name for one in catalogue.with_web())
        message = f"The add-on {addon.name} has no web interface. These have one: {known}."
        raise LabError(message)
    addons.require_running(spec)
    here = local_port(int(addon.web["port"]), port)
    target = [f"service/{addon.web['service']}", f"{here}:{addon.web['port']}"]
    address = f"http://{ADDRESS}:{here}{addon.web.get('path', '/')}"
    lab = cluster.connect()
    command = [str(lab.kubectl), f"--kubeconfig={lab.kubeconfig}", f"--namespace={addon.namespace}"]
    with subprocess.Popen([*command, "port-forward", *target], stdout=subprocess.DEVNULL) as forward:
        try:
            _wait_until_open(forward, here)
            say(f"{addon.name}: {address} (Ctrl-C ends it)")
            if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
                webbrowser.open(address)
            forward.wait()
        except KeyboardInterrupt:
            say(f"{addon.name} is no longer reached; it runs on.")
        finally:
            forward.terminate()
    if forward.returncode > 0:
        message = f"The connection to {addon.name} ended. Open it again when its pod is ready."
        raise LabError(message)


def local_port(own: int, wanted: int | None) -> int:
    """Return the port to listen on here; raises LabError when the wanted one is taken."""
    if wanted is None:
        return own if host.port_is_free(ADDRESS, own) else host.free_port(ADDRESS)
    if not host.port_is_free(ADDRESS, wanted):
        message = f"Port {wanted} of {ADDRESS} is taken by another program. Give another one, or none."
        raise LabError(message)
    return wanted


def _wait_until_open(forward: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and forward.poll() is None:
        with suppress(OSError), socket.create_connection((ADDRESS, port), timeout=1):
            return
        time.sleep(0.1)
