"""Is what a cluster lacks found in what its API server lists?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lab import checks


def node(name: str, *, ready: bool = True, memory: str = "8Gi") -> dict[str, Any]:
    """Return a Node as the API server lists it."""
    condition = {"type": "Ready", "status": str(ready), "message": "kubelet is posting" if ready else "gone"}
    allocatable = {"cpu": "1500m", "memory": memory}
    return {"metadata": {"name": name}, "status": {"conditions": [condition], "allocatable": allocatable}}


def workload(replicas: int, **resources: dict[str, str]) -> dict[str, Any]:
    """Return a Deployment whose one container has these resources."""
    pod = {"containers": [{"resources": resources}]}
    return {"kind": "Deployment", "spec": {"replicas": replicas, "template": {"spec": pod}}}


def test_nodes_are_ready_or_say_why_not() -> None:
    found = checks.node_conditions([node("one"), node("two", ready=False)])
    assert found == {"one": (True, "kubelet is posting"), "two": (False, "gone")}


@pytest.mark.parametrize(("status", "silent"), [("True", {}), ("False", {"v1.m": ("monitoring", "Gone")})])
def test_a_part_of_the_api_that_does_not_answer_is_found(
    status: str, silent: dict[str, tuple[str, str]]
) -> None:
    condition = {"type": "Available", "status": status, "reason": "Gone"}
    served = {"metadata": {"name": "v1.m"}, "spec": {"service": {"namespace": "monitoring"}}}
    own = {"metadata": {"name": "v1."}, "spec": {}}
    services = [{**one, "status": {"conditions": [condition]}} for one in (served, own)]
    assert checks.silent_api_services(services) == silent


def test_a_default_storage_class_is_one_that_says_so() -> None:
    plain: dict[str, Any] = {"metadata": {"name": "slow"}}
    default = {"metadata": {"annotations": {checks.DEFAULT_CLASS: "true"}}}
    assert not checks.has_default_storage([plain])
    assert checks.has_default_storage([plain, default])


def test_what_objects_ask_for_beyond_all_nodes_is_named_with_both_amounts() -> None:
    nodes = [node("one"), node("two")]
    fits = workload(3, requests={"cpu": "1"}, limits={"memory": "2Gi", "cpu": "9"})
    pod = {"kind": "Pod", "spec": {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]}}
    assert checks.over_capacity(nodes, [fits]) == {}
    assert checks.over_capacity(nodes, [fits, workload(1, requests={"cpu": "1m"}), pod]) == {
        "cpu": (Decimal("3.001"), Decimal(3)),
        "nvidia.com/gpu": (Decimal(1), Decimal(0)),
    }
