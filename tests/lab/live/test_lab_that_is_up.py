"""Does a running lab keep its promises to the user and to other owners?"""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from lab import cluster, home
from lab.engine import find_engine
from tests.lab.command import run_lab

pytestmark = [pytest.mark.cluster, pytest.mark.live]


def node_identities() -> dict[str, str]:
    """Return node name -> container id."""
    return {name: found["Id"] for name, found in cluster.node_containers(find_engine()).items()}


def test_up_again_changes_nothing() -> None:
    before = node_identities()
    answer = run_lab("up")
    assert answer.returncode == 0, answer.stderr
    assert node_identities() == before
    assert "Building" not in answer.stderr
    assert "Creating" not in answer.stderr


def test_what_add_got_remove_asks_for() -> None:
    several = [f"fleet:replicas=1,namespace=fleet-{secrets.token_hex(3)}" for _ in range(2)]
    assert run_lab("add", *several).returncode == 0
    try:
        refused = run_lab("remove", "fleet:replicas=1")
        assert refused.returncode == 1
        assert all(spec in refused.stderr for spec in several)
    finally:
        assert run_lab("remove", *several).returncode == 0


def test_a_lab_of_another_folder_leaves_this_one_alone(tmp_path: Path) -> None:
    before = node_identities()
    answer = run_lab("down", LIFE_WITH_LLMD_HOME=str(tmp_path))
    assert answer.returncode == 1
    assert "exists that this lab did not make" in answer.stderr
    assert node_identities() == before


def test_everything_listens_on_loopback_only() -> None:
    engine = find_engine()
    containers = [*cluster.node_containers(engine).values(), engine.inspect("container", home.REGISTRY)]
    bindings = [
        binding
        for container in containers
        if container
        for bound in (container["NetworkSettings"]["Ports"] or {}).values()
        for binding in bound or []
    ]
    assert bindings
    assert {binding["HostIp"] for binding in bindings} == {"127.0.0.1"}


def test_the_users_own_kubeconfig_is_not_touched() -> None:
    own = Path.home() / ".kube" / "config"
    assert not own.exists() or home.CLUSTER not in own.read_text()


def test_nodes_offer_the_gpus_that_their_labels_promise() -> None:
    offered = {
        node["metadata"]["name"]: int(node["status"]["allocatable"].get("nvidia.com/gpu", 0))
        for node in cluster.listed("nodes")
    }
    assert {name: count for name, count in offered.items() if count} == cluster.gpu_counts()
    assert sorted(cluster.gpu_counts().values()) == [4, 8]
