"""Does doctor find what a command would stumble over, each with its remedy?"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import archives, doctor, edition, host, images
from lab.archives import Entry
from lab.errors import LabError
from tests.lab.command import NOWHERE, run_lab

pytestmark = pytest.mark.usefixtures("host_without_registries")


@contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """Mount a file system of 64 MiB, while the body runs."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def archive_of(key: str, text: str, folder: Path) -> Path:
    """Put a file into the archive folder under an image's name."""
    path = folder / "archives" / images.archive_name(edition.images()[key])
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_without_engine_the_remedy_is_named_and_the_disk_judged(tmp_path: Path) -> None:
    answer = run_lab("doctor", PATH="")
    assert answer.returncode == 1
    assert "MISS  No container engine: install docker, or podman (apt-get install podman)." in answer.stdout
    # Whether this machine has enough or not.
    place = re.escape(str(tmp_path))
    assert re.search(rf"GiB free at {place}|Too little disk: {place} has", answer.stdout)
    assert "Traceback" not in answer.stderr


def test_an_engine_that_is_broken_is_reported_with_its_words(tmp_path: Path) -> None:
    program = tmp_path / "programs-of-a-user" / "podman"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'cannot open the storage' >&2\nexit 125\n")
    program.chmod(0o755)
    answer = run_lab("doctor", PATH=f"{program.parent}:/bin")
    assert answer.returncode == 1
    assert "MISS  Asking podman for its state failed (exit code 125):" in answer.stdout
    assert "cannot open the storage" in answer.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_nearly_full_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "small"
    place.mkdir()
    with small_disk(place):
        monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(place))
        answer = run_lab("doctor", PATH="")
    assert (
        f"MISS  Too little disk: {place} has 0.1 GiB free, and 14 GiB are needed. Free some" in answer.stdout
    )


def test_too_few_inotify_instances_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert host.free_watchers(3) == 3
    monkeypatch.setattr(host, "free_watchers", lambda _wanted: 5)
    with pytest.raises(LabError, match=r"4 nodes need 88, and this user has 5 left. Raise the limit: sysctl"):
        host.require_watchers(4)


def test_a_fallback_is_told_as_what_takes_the_place() -> None:
    router = edition.images()["router"]
    found = doctor.of_images({"router": None})
    version = edition.images()[router.fallback].name.rpartition(":")[2]
    assert [finding.text for finding in found] == [
        f"image {router.name}: no source here; {version} will be built instead"
    ]


def test_an_archive_is_the_first_source(tmp_path: Path) -> None:
    path = archive_of("router", "content", tmp_path)
    finding = next(iter(doctor.of_images({"router": None})))
    assert finding.good
    assert finding.text.endswith(f"will be loaded from {path.name}")


def test_a_damaged_archive_is_found_by_its_checksum(tmp_path: Path) -> None:
    path = archive_of("router", "content", tmp_path)
    archives.enter(path.parent, path.name, Entry(archives.checksum(path), "an image"))
    path.write_text("contend")
    finding = next(iter(doctor.of_images({"router": None})))
    assert not finding.good
    assert finding.text.startswith(f"The archive {path} is damaged")
    assert finding.text.endswith("Copy it here again, or remove it.")


@pytest.mark.parametrize("proxy", ["off", NOWHERE])
def test_a_module_proxy_out_of_reach_is_found_when_something_must_be_built(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", proxy)
    assert "Check GOPROXY, or connect." in " ".join(finding.text for finding in doctor.building(["router"]))


def test_a_kubeconfig_of_a_cluster_that_is_gone_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cluster" / "kubeconfig"
    path.parent.mkdir()
    path.write_text("")
    finding = next(iter(doctor.no_lab()))
    assert not finding.good
    assert finding.text.startswith(f"{path} is left of a cluster that is gone.")


def test_a_kubeconfig_that_names_another_port_is_found(tmp_path: Path) -> None:
    path = tmp_path / "cluster" / "kubeconfig"
    path.parent.mkdir()
    path.write_text(json.dumps({"clusters": [{"cluster": {"server": "https://127.0.0.1:2"}}]}))
    binding = {"6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3"}]}
    nodes = {"control-plane": {"HostConfig": {"PortBindings": binding}}}
    assert f"{path} names https://127.0.0.1:2, where no node of the lab listens" in doctor.stale_kubeconfig(
        nodes
    )
    path.write_text(path.read_text().replace(":2", ":3"))
    assert doctor.stale_kubeconfig(nodes) == ""


def test_a_port_that_another_program_took_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        binding = {"6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
        node = {"HostConfig": {"PortBindings": binding}}
        (finding,) = doctor.taken_ports("control-plane", node)
        assert not finding.good
        assert finding.text.startswith(f"port {port} of 127.0.0.1, which control-plane publishes, is taken")
    assert not list(doctor.taken_ports("control-plane", node))
