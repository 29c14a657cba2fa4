"""Folders on a node that outlive the pods of an add-on: local persistent volumes.

The cluster's StorageClass `standard` would not do: its volumes lie in the memory of
whatever node a pod comes to.
"""

from __future__ import annotations

from collections.abc import Mapping

from lab import cluster, home
from lab.engine import find_engine

#: The node that has them: it pretends to have no GPUs, so models stay off it.
NODE = f"{home.CLUSTER}-worker3"
#: Where they lie there: this, and the namespace of the add-on.
FOLDER = "/var/local/life-with-llm-d-"


def make(parameters: Mapping[str, str]) -> dict[str, str]:
    """Make the folder of an add-on's volume, and return what its PersistentVolume says."""
    folder = f"{FOLDER}{parameters['namespace']}"
    find_engine().run("exec", NODE, "mkdir", "-p", folder, doing=f"Making {folder} on {NODE}")
    return {"volume.node": NODE, "volume.folder": folder}


def discard(parameters: Mapping[str, str]) -> None:
    """Stop the pods of an add-on, and remove the folder of its volume with all that is in it."""
    namespace = parameters["namespace"]
    words = ("delete", "deployments", "--all", "--cascade=foreground", f"--namespace={namespace}")
    cluster.kubectl(*words, doing=f"Stopping the pods in {namespace}", timeout=120)
    folder = f"{FOLDER}{namespace}"
    find_engine().run("exec", NODE, "rm", "-rf", folder, doing=f"Removing {folder} on {NODE}")
