"""Give a node the devices of the add-on `devices`, and take them back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab import objects
from lab.cluster import gpu_counts
from lab.errors import LabError

_DEVICE = re.compile(r"(?P<resource>[a-z0-9.-]+/[\w.-]+):(?P<count>\d+)")


def give(parameters: Mapping[str, str]) -> dict[str, str]:
    """Let `node` offer `devices`, such as `rdma/hca:2`; raises LabError for another text."""
    objects.pretend(parameters["node"], _devices(parameters))
    return {}


def take_back(parameters: Mapping[str, str]) -> None:
    """Let `node` offer what it did before: the GPUs of its label, and nothing else."""
    node = parameters["node"]
    objects.stop_pretending(node, _devices(parameters))
    if node in gpu_counts():
        objects.pretend(node, {objects.GPU: gpu_counts()[node]})


def _devices(parameters: Mapping[str, str]) -> dict[str, int]:
    devices = {}
    for text in parameters["devices"].split():
        found = _DEVICE.fullmatch(text)
        if not found:
            message = f"devices: {text!r} is no device. Write resource:count, such as rdma/hca:2."
            raise LabError(message)
        devices[found["resource"]] = int(found["count"])
    return devices
