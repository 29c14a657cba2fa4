"""What this host offers and lacks: packages, rights, disk, cgroups."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.process import run
from lab.progress import step

#: A first offline build leaves about this much behind (caches and images), in GiB.
BUILD_SPACE = 14
#: A cluster started from images that are there needs about this much, in GiB.
CLUSTER_SPACE = 4


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


def require_space(path: Path, needed: float) -> None:
    """Stop with a sentence when a path has less than `needed` GiB free."""
    free = free_space(path)
    if free < needed:
        message = (
            f"Too little disk: {path} has {free:.1f} GiB free, and {needed} GiB are needed. "
            "Free some, or point LIFE_WITH_LLMD_HOME at a larger disk."
        )
        raise LabError(message)


def require_programs(packages: dict[str, str]) -> None:
    """Install the Debian packages of missing programs, or say which to install.

    `packages` maps a program to the package that brings it. Root on Debian gets
    them installed; everyone else gets the exact command in the error.
    """
    missing = sorted({packages[name] for name in packages if not shutil.which(name, path=_path())})
    if missing:
        install_packages(missing)


def install_packages(missing: Sequence[str]) -> None:
    """Install Debian packages as root, or raise the command that does it."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if not (is_root() and shutil.which("apt-get")):
        message = f"Missing system packages. Install them with: sudo {' '.join(command)}"
        raise LabError(message)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    remedy = "Check that this host reaches its Debian mirror, then try again."
    with step(f"Installing {', '.join(missing)}"):
        run(["apt-get", "update"], doing="apt-get update", environment=quiet, remedy=remedy)
        run(command, doing="Installing packages", environment=quiet, remedy=remedy)


def _path() -> str:
    # Programs for administrators are not on every user's PATH.
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
