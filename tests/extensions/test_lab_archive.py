"""Does the lab work from its archive alone, started as the front matter says?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from extensions.lab_archive import NAME, START, write
from lab import edition
from proofs.listings import listing_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that unpacking the archive makes in an empty one."""
    folder = tmp_path_factory.mktemp("reader")
    write(ROOT, folder / f"{NAME}.zip")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", f"{NAME}.zip", "."], cwd=folder, check=True)
    return folder / NAME


def typed(folder: Path, *words: str) -> str:
    """Return what a program of the archive prints, without this checkout on its path."""
    command = [sys.executable, *words]
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=clean, check=True, capture_output=True, text=True).stdout


def test_the_lab_of_the_archive_starts(unpacked: Path) -> None:
    assert START[-1].startswith("python -m lab up")
    assert "doctor" in typed(unpacked, "-m", "lab", "--help")
    where = typed(unpacked, "-c", "import lab; print(lab.__file__)").strip()
    assert Path(where).is_relative_to(unpacked)


def test_the_lab_of_the_archive_examines_the_machine(unpacked: Path) -> None:
    command = [sys.executable, "-m", "lab", "doctor"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(unpacked)}
    run = subprocess.run(command, cwd=unpacked, env=environment, check=False, capture_output=True, text=True)
    assert run.returncode in {0, 1}  # 1 where the machine lacks something
    assert "disk: " in run.stdout
    assert "Traceback" not in run.stderr


def test_a_listing_of_the_archive_runs(unpacked: Path) -> None:
    programs = [name for name in listing_files(unpacked) if name.endswith(".py")]
    assert programs
    assert sorted(listing_files(unpacked)) == sorted(listing_files(ROOT))
    compiled = ["-m", "compileall", "-q", *(f"examples/{name}" for name in programs)]
    assert typed(unpacked, *compiled) == ""


def test_what_the_add_ons_install_is_in_the_archive(unpacked: Path) -> None:
    rows = edition.read_toml(unpacked / "lab" / "builds.toml")["images"]
    wanted = [f"{row['requirements']}.txt" for row in rows.values() if "requirements" in row]
    assert wanted
    assert [name for name in wanted if not (unpacked / "requirements" / name).is_file()] == []


def test_every_line_of_the_start_names_what_the_archive_has(unpacked: Path) -> None:
    words = " ".join(START).split()
    assert f"{NAME}.zip" in words
    assert (unpacked / words[words.index("-r") + 1]).is_file()
    assert all(line in (unpacked / "README.md").read_text() for line in START)


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write(ROOT, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with ZipFile(tmp_path / "one.zip") as archive:
        assert {Path(name).parts[0] for name in archive.namelist()} == {NAME}
        assert [name for name in archive.namelist() if "__pycache__" in name or name.endswith(".pyc")] == []
