"""Does the next command repair what a killed one left, wherever it was killed?

Tests that stop nodes or the whole lab run only with LAB_DESTRUCTIVE=1.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import cluster, edition, home, images, registry, rollout
from lab.engine import Engine, find_engine
from lab.images import Provided
from proofs.waiting import wait_until
from tests.lab.command import run_lab
from tests.lab.live import network
from tests.lab.live.space import whole_cluster

pytestmark = [pytest.mark.cluster, pytest.mark.live]

#: Kills per test; each at another moment.
KILLS = 4
DESTRUCTIVE = pytest.mark.skipif(
    os.environ.get("LAB_DESTRUCTIVE") != "1",
    reason="stops what other tests use; run alone, with LAB_DESTRUCTIVE=1",
)
LAB = [sys.executable, "-m", "lab"]
PUSH = """
import sys
from lab import registry
from lab.engine import find_engine
from lab.images import Provided
registry.push(find_engine(install=False), sys.argv[1], Provided("thing", sys.argv[2], sys.argv[3], "built"))
"""
LOAD = """
import sys
from lab import edition, images
from lab.edition import PinnedImage
from lab.engine import find_engine
edition.images = lambda: {"thing": PinnedImage("thing", sys.argv[1])}
images.provide(find_engine(install=False), ["thing"])
"""


@pytest.fixture
def engine() -> Engine:
    """Return the engine of the lab."""
    return find_engine(install=False)


def lab(*words: str) -> str:
    """Run a command of the lab that must succeed; return what it printed."""
    answer = run_lab(*words, timeout=1200)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def seconds_of(*words: str) -> float:
    """Return how long a command of the lab takes."""
    began = time.monotonic()
    lab(*words)
    return time.monotonic() - began


def kill_after(
    seconds: float, command: list[str], *, with_programs: bool, engine: Engine | None = None
) -> bool:
    """Start a command and kill it, alone or with the programs that it started; tell whether it still ran."""
    process = subprocess.Popen(
        command,
        cwd=edition.PROJECT,
        env={**os.environ, **(engine.environment if engine else {})},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.killpg if with_programs else os.kill)(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.parametrize("with_programs", [False, True])
def test_add_goes_on_after_a_kill_at_any_moment(*, with_programs: bool) -> None:
    namespace = f"repair-{secrets.token_hex(3)}"
    spec = f"fleet:replicas=1,namespace={namespace}"
    try:
        lab("add", spec)  # provides the images: what follows takes the same time again
        lab("remove", spec)
        whole = seconds_of("add", spec)
        lab("remove", spec)
        struck = []
        for _ in range(KILLS):
            moment = random.uniform(0, whole)  # noqa: S311 - no secret
            struck.append(kill_after(moment, [*LAB, "add", spec], with_programs=with_programs))
            if not struck[-1]:
                lab("remove", spec)  # it was done sooner: the next one begins again
        assert any(struck), whole
        lab("add", spec)
        assert rollout.all_ready(namespace)
    finally:
        lab("remove", spec)


@pytest.fixture
def own_engine(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine without images, and let the lab's folder be empty."""
    own = network.own_storage(engine, tmp_path)
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))
    return own


def test_a_push_goes_on_after_a_kill_in_the_middle(
    engine: Engine, own_engine: Engine, tmp_path: Path
) -> None:
    name = "registry.invalid/thing:v1"
    network.make_image(own_engine, name, tmp_path)
    image = Provided("thing", name, images.identity(own_engine, name), "built")
    with network.registry(engine, own_engine, tmp_path) as upstream:
        with network.Line(upstream.address, request_rate=network.LAYER / 4).open() as slow:
            command = [sys.executable, "-c", PUSH, slow.address, name, image.identity]
            environment = {**os.environ, **own_engine.environment}
            process = subprocess.Popen(command, cwd=edition.PROJECT, env=environment, start_new_session=True)
            wait_until(lambda: slow.sent > network.LAYER / 4, deadline=120, what="the push is at work")
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        registry.push(own_engine, upstream.address, image)
        own_engine.run("rmi", name, doing="Removing the local image")
        full = f"{upstream.address}/{name}"
        own_engine.run("pull", *own_engine.plain_http(full), full, doing="Pulling what was pushed")
        assert images.identity(own_engine, full) == image.identity


def load(name: str, engine: Engine) -> None:
    """Load an image from its archive, to the end."""
    command = [sys.executable, "-c", LOAD, name]
    environment = {**os.environ, **engine.environment}
    subprocess.run(command, cwd=edition.PROJECT, env=environment, timeout=300, check=True)


def test_a_load_goes_on_after_a_kill_at_any_moment(own_engine: Engine, tmp_path: Path) -> None:
    name = "registry.invalid/thing:v1"
    network.make_image(own_engine, name, tmp_path)
    before = images.identity(own_engine, name)
    home.archives()
    archive = tmp_path / "home/archives/registry.invalid_thing_v1.tar"
    own_engine.save(name, archive)
    began = time.monotonic()
    load(name, own_engine)
    whole = time.monotonic() - began
    for _ in range(KILLS):
        own_engine.run("rmi", name, doing="Removing the image")
        moment = random.uniform(whole / 2, whole)  # noqa: S311 - no secret
        kill_after(moment, [sys.executable, "-c", LOAD, name], with_programs=True, engine=own_engine)
        load(name, own_engine)
        assert images.identity(own_engine, name) == before, moment
    own_engine.save(name, tmp_path / "again.tar")  # reads every layer


@DESTRUCTIVE
def test_a_registry_that_was_killed_is_started_by_add(engine: Engine) -> None:
    spec = f"fleet:replicas=1,namespace=repair-{secrets.token_hex(3)}"
    engine.run("kill", home.REGISTRY, doing="Killing the registry")
    assert "the lab's registry does not answer" in run_lab("doctor").stdout
    try:
        lab("add", spec)
        assert registry.answers(engine)
    finally:
        lab("remove", spec)


@DESTRUCTIVE
def test_a_node_that_was_killed_is_found_by_doctor_and_started_by_up(engine: Engine) -> None:
    node = f"{home.CLUSTER}-worker"
    engine.run("kill", node, doing="Killing a node")
    examined = run_lab("doctor")
    assert examined.returncode == 1
    assert f"MISS  node {node} is stopped." in examined.stdout
    lab("up")
    assert run_lab("doctor").returncode == 0


@DESTRUCTIVE
def test_a_node_that_is_not_ready_is_found_by_doctor_and_its_remedy_helps(engine: Engine) -> None:
    node = f"{home.CLUSTER}-worker"
    engine.run("exec", node, "systemctl", "stop", "kubelet", doing="Stopping a kubelet")
    wait_until(lambda: not cluster.node_conditions()[node][0], deadline=120, what="the node is NotReady")
    examined = run_lab("doctor")
    assert examined.returncode == 1
    assert f"MISS  node {node} is NotReady" in examined.stdout
    engine.run("restart", node, doing="Restarting the node")
    lab("up")
    assert run_lab("doctor").returncode == 0


@DESTRUCTIVE
def test_an_api_service_that_does_not_answer_is_found_by_doctor() -> None:
    name = "v1.nothing.example"
    spec = {
        "group": "nothing.example",
        "version": "v1",
        "service": {"name": "nothing", "namespace": "default"},
        "groupPriorityMinimum": 1,
        "versionPriority": 1,
    }
    body = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": name},
        "spec": spec,
    }
    with whole_cluster(body):
        wait_until(
            lambda: name in cluster.silent_api_services(), deadline=60, what="the service is found silent"
        )
        examined = run_lab("doctor")
    assert examined.returncode == 1
    assert f"MISS  the API service {name} does not answer (ServiceNotFound)" in examined.stdout
    assert f"kubectl delete apiservice {name}." in examined.stdout


@pytest.fixture
def lab_afterwards() -> Iterator[None]:
    """Bring the lab up again for the tests that follow."""
    yield
    lab("up")


@DESTRUCTIVE
@pytest.mark.usefixtures("lab_afterwards")
@pytest.mark.parametrize("with_programs", [False, True])
def test_up_goes_on_after_a_kill_at_any_moment(*, with_programs: bool) -> None:
    lab("down")
    whole = seconds_of("up")
    lab("down")
    moments = [random.uniform(0, whole) for _ in range(KILLS)]  # noqa: S311 - no secret
    for moment in moments:
        kill_after(moment, [*LAB, "up"], with_programs=with_programs)
    lab("up")
    assert all(ready for ready, _ in cluster.node_conditions().values()), moments
    assert run_lab("doctor").returncode == 0, moments


@DESTRUCTIVE
@pytest.mark.usefixtures("lab_afterwards")
def test_down_goes_on_after_a_kill_at_any_moment(engine: Engine) -> None:
    lab("up")
    for moment in (0.5, 2, 5):
        kill_after(moment, [*LAB, "down"], with_programs=True)
    lab("down")
    assert cluster.node_containers(engine) == {}
    assert engine.inspect("container", home.REGISTRY) is None
    assert engine.inspect("network", home.CLUSTER) is None
    assert not home.kubeconfig().exists()
