"""Does a host come up from saved files alone, without any network?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import archives, edition, images
from lab.engine import find_engine
from tests.lab.command import run_lab
from tests.lab.live.network import own_storage

#: Seconds that saving the base may take on a busy host.
SAVED = 1800
#: What a host without network does with the archives before it makes its cluster.
TAKE_ALL = """
from lab import images, objects, programs, upstream
from lab.engine import find_engine
from lab.process import run
provided = images.provide(find_engine(install=False), images.BASE)
print(*sorted({image.source.partition(" ")[0] for image in provided.values()}))
print(run([programs.program("kind", "kind"), "version"], doing="Asking kind for its version"))
print(len(objects.crds()), "CRDs")
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


@pytest.mark.skipif(os.geteuid() != 0, reason="taking the network away needs root")
def test_a_host_without_network_takes_everything_from_the_archives(saved: Path, tmp_path: Path) -> None:
    engine = own_storage(find_engine(install=False), tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/archives").symlink_to(saved)
    answer = subprocess.run(
        [
            "unshare",
            "--net",
            "sh",
            "-c",
            'ip link set lo up && exec "$@"',
            "sh",
            sys.executable,
            "-c",
            TAKE_ALL,
        ],
        cwd=edition.PROJECT,
        env={**os.environ, **engine.environment, "LIFE_WITH_LLMD_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("archive\nkind v")
    assert answer.stdout.endswith("5 CRDs\n")
    assert images.is_built(engine, edition.images()["node"].name)


def test_a_file_of_another_origin_is_not_overwritten(tmp_path: Path) -> None:
    name = archives.image_file(edition.images()["node"].name)
    (tmp_path / name).write_text("something else")
    answer = run_lab("images", "--save", str(tmp_path))
    assert answer.returncode == 1
    assert f"{tmp_path / name} is in the way" in answer.stderr
    assert (tmp_path / name).read_text() == "something else"
