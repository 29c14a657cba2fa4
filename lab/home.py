"""Where the lab keeps what it makes: one folder, outside the checkout.

LIFE_WITH_LLMD_HOME names another folder; the default is the user's cache folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

#: Name of the kind cluster, of its network, and the prefix of the registry's name.
CLUSTER = "life-with-llm-d"
REGISTRY = f"{CLUSTER}-registry"
#: Label on what the lab makes. On a container or network it names this folder, so that
#: the lab can tell its own from another owner's; built images are shared.
OWNER = "life-with-llm-d.owner"
#: Label on every image that the lab builds: a hash of what went into it.
BUILD_KEY = "life-with-llm-d.build"
#: How folders begin that hold something half made.
UNFINISHED = "unfinished-"


def home() -> Path:
    """Return the lab's folder, made if it is not there."""
    chosen = os.environ.get("LIFE_WITH_LLMD_HOME")
    path = Path(chosen) if chosen else user_cache_path("life-with-llm-d")
    path.mkdir(parents=True, exist_ok=True)
    return path


def folder(name: str) -> Path:
    """Return a subfolder of the lab's folder, made if it is not there."""
    path = home() / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def archives() -> Path:
    """Return the folder where a user puts image archives (air-gapped use)."""
    return folder("archives")


def kubeconfig() -> Path:
    """Return the lab's own kubeconfig; it exists while the cluster does."""
    return folder("cluster") / "kubeconfig"


def write(path: Path, text: str) -> None:
    """Write a file so that a killed run leaves the old text or the new, never a part."""
    unfinished = path.with_name(UNFINISHED + path.name)
    unfinished.write_text(text)
    unfinished.replace(path)


@contextmanager
def workplace(parent: Path) -> Iterator[Path]:
    """Yield an empty folder in `parent`, to make something in that appears when it is whole.

    The folder is removed at the end. So are, at the start, those that killed runs left
    there; a run that is still at work holds a lock on its own.
    """
    _remove_abandoned(parent.glob(f"{UNFINISHED}*"))
    made = Path(tempfile.mkdtemp(dir=parent, prefix="."))
    descriptor = os.open(made, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # before it has the name that others look for
    folder = made.rename(parent / f"{UNFINISHED}{made.name.removeprefix('.')}")
    try:
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished() -> None:
    """Remove what killed runs left half made, wherever that was."""
    _remove_abandoned(home().glob(f"{UNFINISHED}*"))
    for name in ("addons", "programs", "upstream"):
        _remove_abandoned(folder(name).rglob(f"{UNFINISHED}*"))


def _remove_abandoned(found: Iterable[Path]) -> None:
    for left in list(found):
        if left.is_dir() and _is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
