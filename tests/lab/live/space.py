"""A namespace of a test's own on the running lab, and what tests do in it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab import cluster, edition

Object = dict[str, Any]
#: Without kubectl's own check: it asks for the schema of every API, which the server
#: refuses for a while after an add-on has taught it new kinds.
CREATE = ("create", "--validate=false", "--filename=-")


def image(key: str) -> str:
    """Return the full name of an image of edition.toml."""
    return edition.images()[key].name


def read(kind: str, name: str, namespace: str = "") -> Object:
    """Return an object; without a namespace, one of the whole cluster."""
    inside = [f"--namespace={namespace}"] if namespace else []
    found: Object = json.loads(
        cluster.kubectl("get", kind, name, "-o=json", *inside, doing=f"Reading {name}")
    )
    return found


@dataclass(frozen=True)
class Space:
    """A namespace that is removed after the test."""

    name: str

    def create(self, *objects: Object) -> None:
        """Create objects, in this namespace where they are namespaced; raises LabError."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self.kubectl(*CREATE, given=text)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """Return what kubectl printed in this namespace."""
        return cluster.kubectl(*words, f"--namespace={self.name}", doing=" ".join(words[:3]), given=given)

    def read(self, kind: str, name: str) -> Object:
        """Return an object of this namespace."""
        return read(kind, name, self.name)

    def list(self, kind: str, selector: str = "") -> list[Object]:
        """Return the objects of a kind, oldest name first."""
        words = ["get", kind, "-o=json", *([f"--selector={selector}"] if selector else [])]
        found: list[Object] = json.loads(self.kubectl(*words))["items"]
        return sorted(found, key=lambda one: str(one["metadata"]["name"]))


@contextmanager
def space(labels: Mapping[str, str] | None = None) -> Iterator[Space]:
    """Make a namespace with labels, and remove it at the end."""
    name = f"test-{secrets.token_hex(4)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
    cluster.kubectl("create", "--filename=-", doing=f"Making {name}", given=json.dumps(body))
    try:
        yield Space(name)
    finally:
        cluster.kubectl("delete", "namespace", name, "--wait=false", doing=f"Removing {name}")


@contextmanager
def whole_cluster(*objects: Object) -> Iterator[None]:
    """Create objects that belong to no namespace, and remove them at the end."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    try:
        cluster.kubectl(*CREATE, doing="Creating", given=text)
        yield
    finally:
        cluster.kubectl(
            "delete", "--ignore-not-found", "--filename=-", doing="Removing", given=text, timeout=120
        )


def is_ready(pod: Object) -> bool:
    """Tell whether a pod is Ready and stays."""
    conditions = pod["status"].get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
