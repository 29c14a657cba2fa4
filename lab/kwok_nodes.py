"""The Nodes of the add-on `kwok-nodes`: rack by rack, zone by zone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lab.errors import LabError

#: Label by which pods choose these nodes, and key of the taint that keeps others away.
KWOK = "kwok.x-k8s.io/node"
CAPACITY = {"cpu": "64", "memory": "1Ti", "pods": "110"}


def objects(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return `nodes`, the documents of all Nodes.

    `count` nodes offer `gpus` GPUs each; `nodes-per-rack` share a rack, `racks-per-zone`
    racks a zone. Racks and zones are counted from 1 and named `kwok-1`, `kwok-2`, ….
    """
    in_rack, in_zone = (int(parameters[name]) for name in ("nodes-per-rack", "racks-per-zone"))
    if not in_rack * in_zone:
        message = "kwok-nodes: nodes-per-rack and racks-per-zone are at least 1."
        raise LabError(message)
    documents = [
        json.dumps(_node(number, number // in_rack, number // (in_rack * in_zone), parameters["gpus"]))
        for number in range(int(parameters["count"]))
    ]
    return {"nodes": "\n---\n".join(documents)}


def _node(number: int, rack: int, zone: int, gpus: str) -> dict[str, Any]:
    name = f"kwok-{number + 1:03}"
    resources = {**CAPACITY, "nvidia.com/gpu": gpus}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {KWOK: "fake"},
            "labels": {
                KWOK: "fake",
                "kubernetes.io/hostname": name,
                "topology.llm-d-book.example/rack": f"kwok-{rack + 1}",
                "topology.kubernetes.io/zone": f"kwok-{zone + 1}",
            },
        },
        "spec": {"taints": [{"key": KWOK, "value": "fake", "effect": "NoSchedule"}]},
        "status": {"capacity": resources, "allocatable": resources},
    }
