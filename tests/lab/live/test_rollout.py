"""Whether objects of an add-on go when a later version of it has them no more; in the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cluster, rollout

pytestmark = [pytest.mark.cluster, pytest.mark.live]

NAMESPACE = "lab-test-superseded"


@pytest.fixture
def namespace() -> Iterator[str]:
    """Return a namespace of its own."""
    rollout.make_namespace(NAMESPACE, {})
    yield NAMESPACE
    cluster.kubectl("delete", "namespace", NAMESPACE, doing="Removing the namespace", timeout=60)


def settings(name: str) -> rollout.Object:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE}}


def test_what_a_later_version_has_no_more_is_removed(namespace: str, tmp_path: Path) -> None:
    objects = tmp_path / "objects.json"
    before = [settings("kept"), settings("settings-old")]
    rollout.write(objects, before)
    rollout.apply(objects, namespace)
    rollout.write(objects, [settings("kept"), settings("settings-new")])
    rollout.apply(objects, namespace)
    rollout.remove_superseded(before, objects, namespace)
    found = cluster.kubectl("get", "configmaps", f"--namespace={namespace}", "-o=name", doing="Listing")
    assert {"configmap/kept", "configmap/settings-new"} <= set(found.split())
    assert "configmap/settings-old" not in found
