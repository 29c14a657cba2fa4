"""Does a host come up from saved files alone, without any network?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import archives, edition, images
from lab.engine import find_engine
from tests.lab.command import run_lab
from tests.lab.live.network import own_storage

pytestmark = [pytest.mark.cluster, pytest.mark.live]

#: The kernel's limit of inotify instances for each user.
WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")
#: Seconds that saving the base may take on a busy host.
SAVED = 1800
#: A host without network: only loopback, and nothing of the networks that the lab uses.
WITHOUT_NETWORK = """\
ip link set lo up
for folder in /run/containers /etc/containers/networks; do
  mkdir -p "$folder" && mount -t tmpfs none "$folder"
done
trap 'python -m lab down' EXIT
python -m lab up
python -m lab images
python -m lab add fleet:replicas=1
python -m lab doctor
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save what the base needs, from the lab that is up; return the folder."""
    folder = tmp_path_factory.mktemp("saved")
    answer = run_lab("images", "--save", str(folder), timeout=SAVED)
    assert answer.returncode == 0, answer.stderr
    return folder


def test_saved_files_are_those_of_the_index_and_are_kept(saved: Path) -> None:
    rows = archives.index(saved)
    assert {file.name for file in saved.iterdir()} == {*rows, archives.INDEX}
    assert {archives.checksum(saved / name) for name in rows} == {row.sha256 for row in rows.values()}
    before = {file.name: file.stat().st_mtime_ns for file in saved.iterdir()}
    again = run_lab("images", "--save", str(saved), timeout=SAVED)
    assert again.returncode == 0, again.stderr
    assert "Saving" not in again.stderr
    assert {file.name: file.stat().st_mtime_ns for file in saved.iterdir()} == before


@pytest.fixture
def room_for_watchers() -> Iterator[None]:
    """Let the host watch enough files for a second cluster beside the lab's."""
    before = WATCHERS.read_text()
    WATCHERS.write_text(str(int(before) + 128))
    yield
    WATCHERS.write_text(before)


@pytest.mark.usefixtures("room_for_watchers")
@pytest.mark.skipif(os.geteuid() != 0, reason="taking the network away needs root")
def test_a_host_without_network_comes_up_from_the_archives(saved: Path, tmp_path: Path) -> None:
    engine = own_storage(find_engine(install=False), tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/archives").symlink_to(saved)
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    answer = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "-ec", WITHOUT_NETWORK],
        cwd=edition.PROJECT,
        env={
            **os.environ,
            **engine.environment,
            "PATH": programs,
            "LIFE_WITH_LLMD_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    rows = [line.split() for line in answer.stdout.splitlines()]
    sources = {row[0]: row[1] for row in rows if len(row) > 1}
    assert {sources[edition.images()[key].name] for key in images.BASE} == {"archive"}
    assert images.is_built(engine, edition.images()["node"].name)


def test_a_file_of_another_origin_is_not_overwritten(tmp_path: Path) -> None:
    name = archives.image_file(edition.images()["node"].name)
    (tmp_path / name).write_text("something else")
    answer = run_lab("images", "--save", str(tmp_path))
    assert answer.returncode == 1
    assert f"{tmp_path / name} is in the way" in answer.stderr
    assert (tmp_path / name).read_text() == "something else"
