"""Is what the archive folder gives whole, and is nothing half made left behind?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab import archives, edition, home, programs, upstream
from lab.archives import Entry
from lab.errors import LabError

MAKE_AND_WAIT = """
import sys, time
from pathlib import Path
from lab import home
with home.workplace(Path(sys.argv[1])) as folder:
    (folder / "part").touch()
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let the lab's folder be empty; return its archive folder."""
    monkeypatch.setenv("LIFE_WITH_LLMD_HOME", str(tmp_path / "home"))
    return home.archives()


def packed(name: str, text: str, tmp_path: Path) -> Path:
    """Pack a folder with one file into the archive folder, and enter it into the index."""
    source = tmp_path / f"source-{name}"
    source.mkdir()
    (source / "file").write_text(text)
    path = home.archives() / name
    archives.pack(source, path)
    archives.enter(home.archives(), name, Entry(archives.checksum(path), name))
    return path


def test_a_packed_program_is_used_and_nothing_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    packed(programs.archive_name("kind"), "the program", tmp_path)
    assert programs.is_built("kind")
    assert (programs.build("kind") / "file").read_text() == "the program"


def test_a_packed_folder_of_upstream_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    place = ("lws", "sigs.k8s.io/lws", "config/crd")
    packed(upstream.archive_name(*place), "a manifest", tmp_path)
    assert (upstream.folder(*place) / "file").read_text() == "a manifest"


def test_a_damaged_file_is_named_and_not_used(tmp_path: Path) -> None:
    path = packed(programs.archive_name("kind"), "the program", tmp_path)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(LabError, match=r"is damaged: its checksum is not the one in index\.json") as refused:
        programs.build("kind")
    assert str(path) in str(refused.value)
    assert not list(home.folder("programs").iterdir())


def test_a_file_without_index_that_cannot_be_unpacked_is_named() -> None:
    path = home.archives() / programs.archive_name("kind")
    path.write_text("no archive")
    with pytest.raises(LabError, match=r"cannot be unpacked: .* Copy it here again, or remove it\."):
        programs.build("kind")
    assert not list(home.folder("programs").iterdir())


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    path = home.archives() / programs.archive_name("kind")
    subprocess.run(["tar", "-czPf", path, f"{tmp_path}/outside"], check=True)
    subprocess.run(
        ["tar", "-czPf", path, "--transform=s,.*,../../escaped,", f"{tmp_path}/outside"], check=True
    )
    with pytest.raises(LabError, match="cannot be unpacked"):
        programs.build("kind")


def test_a_file_that_is_no_index_is_named() -> None:
    (home.archives() / archives.INDEX).write_text("[1]")
    with pytest.raises(LabError, match=r"index\.json is not an index that the lab wrote"):
        archives.index(home.archives())


def test_what_a_killed_run_left_is_removed_by_the_next_and_a_running_one_is_not_disturbed(
    tmp_path: Path,
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    command = [sys.executable, "-c", MAKE_AND_WAIT, str(place)]
    with subprocess.Popen(command, cwd=edition.PROJECT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        left = Path(other.stdout.readline().strip())
        with home.workplace(place):
            assert (left / "part").exists()
        os.kill(other.pid, signal.SIGKILL)
    assert left.exists()
    with home.workplace(place) as own:
        assert list(place.iterdir()) == [own]
    assert not list(place.iterdir())


def test_what_killed_runs_left_anywhere_is_removed() -> None:
    left = home.folder("upstream/module/config") / f"{home.UNFINISHED}part"
    left.mkdir()
    with home.workplace(home.folder("programs")) as at_work:
        home.remove_unfinished()
        assert not left.exists()
        assert at_work.exists()


def test_a_replaced_archive_has_another_stamp(tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_text("one")
    before = archives.stamp(path)
    assert archives.stamp(path) == before
    path.write_text("two")
    os.utime(path, ns=(0, 1))
    assert archives.stamp(path) != before
