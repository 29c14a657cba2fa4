"""Where the lab keeps what it makes: one folder, outside the checkout.

LIFE_WITH_LLMD_HOME names another folder; the default is the user's cache folder.
"""

from __future__ import annotations

import os
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
