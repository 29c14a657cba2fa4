"""Whether objects go with their add-on, or with the version of it that had them; in the lab."""

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


def definition(plural: str) -> rollout.Object:
    """Return the definition of a kind with nothing in it."""
    schema = {"type": "object"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": "Kept"},
            "versions": [version],
        },
    }


def test_what_others_made_goes_too_where_no_controller_lets_it_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "RELEASE_LIMIT", 2)
    name = f"{NAMESPACE}-left"
    rollout.make_namespace(name, {})
    objects = tmp_path / "objects.json"
    rollout.write(objects, [definition("labtestkepts")])
    rollout.apply(objects, name)
    metadata = {"name": "left", "namespace": name, "finalizers": ["example.com/nothing-answers"]}
    others = tmp_path / "others.json"
    rollout.write(others, [{"apiVersion": "example.com/v1", "kind": "Kept", "metadata": metadata}])
    cluster.kubectl("create", "--validate=false", f"--filename={others}", doing="Creating")
    rollout.remove(objects, name)
    found = cluster.kubectl("get", "crds,namespaces", "-o=name", doing="Listing")
    assert "labtestkepts" not in found
    assert f"namespace/{name}" not in found.split()


def test_what_is_left_goes_where_the_definitions_went_before(tmp_path: Path) -> None:
    rollout.make_namespace(NAMESPACE, {})
    objects = tmp_path / "objects.json"
    undefined = {**settings("kept"), "apiVersion": "undefined.example.com/v1", "kind": "Kept"}
    rollout.write(objects, [settings("settings")])
    rollout.apply(objects, NAMESPACE)
    rollout.write(objects, [undefined, settings("settings")])
    rollout.remove(objects, NAMESPACE)
    assert not cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", doing="Listing")
