"""Whether objects of an add-on go when a later version of it has them no more; in the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cluster, rollout

pytestmark = [pytest.mark.cluster, pytest.mark.live]

ROOM = "lab-test-superseded"


@pytest.fixture
def room() -> Iterator[str]:
    """Return a namespace of its own."""
    rollout.make_namespace(ROOM, {})
    yield ROOM
    cluster.kubectl("delete", "namespace", ROOM, doing="Removing the namespace", timeout=60)


def settings(name: str) -> rollout.Object:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": ROOM}}


def test_what_a_later_version_has_no_more_is_removed(room: str, tmp_path: Path) -> None:
    objects = tmp_path / "objects.json"
    before = [settings("kept"), settings("settings-old")]
    rollout.write(objects, before)
    rollout.apply(objects, room)
    rollout.write(objects, [settings("kept"), settings("settings-new")])
    rollout.apply(objects, room)
    rollout.remove_superseded(before, objects, room)
    found = cluster.kubectl("get", "configmaps", f"--namespace={room}", "-o=name", doing="Listing")
    assert {"configmap/kept", "configmap/settings-new"} <= set(found.split())
    assert "configmap/settings-old" not in found
