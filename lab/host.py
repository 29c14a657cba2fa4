"""What this host offers: rights, disk, control groups, limits."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import resource
import shutil
import socket
from pathlib import Path

from lab.errors import LabError

#: A first offline build leaves about this much behind (caches and images), in GiB.
BUILD_SPACE = 14
#: One more build, when the compiler's caches are there, leaves at most this much, in GiB.
NEXT_BUILD_SPACE = 4
#: A cluster started from images that are there needs about this much, in GiB.
CLUSTER_SPACE = 4
#: inotify instances that a node's programs hold: 87 were counted for four nodes.
NODE_WATCHERS = 22


def is_root() -> bool:
    """Tell whether this process may do everything on the host."""
    return os.geteuid() == 0


def uses_cgroup_v1() -> bool:
    """Tell whether the host still runs the first version of control groups."""
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def hard_limit(name: str) -> int:
    """Return a hard resource limit of this process, such as `NOFILE` (-1: none)."""
    return resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1]


def free_space(path: Path) -> float:
    """Return the free disk space at a path, in GiB."""
    return shutil.disk_usage(path).free / 2**30


def require_space(path: Path, needed: float, finding: type[LabError] = LabError) -> None:
    """Raise an error of the type `finding` when a path has less than `needed` GiB free."""
    free = free_space(path)
    if free < needed:
        message = (
            f"Too little disk: {path} has {free:.1f} GiB free, and {needed} GiB are needed. "
            "Free some, or point LIFE_WITH_LLMD_HOME at a larger disk."
        )
        raise finding(message)


def free_watchers(wanted: int) -> int:
    """Return how many inotify instances this user can have beside the present ones, at most `wanted`."""
    libc = ctypes.CDLL(None)
    made: list[int] = []
    try:
        while len(made) < wanted and (descriptor := libc.inotify_init()) >= 0:
            made.append(descriptor)
        return len(made)
    finally:
        for descriptor in made:
            os.close(descriptor)


def require_watchers(nodes: int) -> None:
    """Stop with a sentence when kubelets on so many nodes could not watch their files."""
    needed = nodes * NODE_WATCHERS
    free = free_watchers(needed)
    if free < needed:
        message = (
            f"Too few inotify instances: {nodes} nodes need {needed}, and this user has {free} left. "
            "Raise the limit: sysctl -w fs.inotify.max_user_instances=512"
        )
        raise LabError(message)


def is_loopback(server: str) -> bool:
    """Tell whether a server such as `127.0.0.1:5000` is this host: plain HTTP is safe there."""
    name = server.rsplit(":", 1)[0].strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def port_is_free(address: str, port: int) -> bool:
    """Tell whether a program could listen on a port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port(address: str) -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
