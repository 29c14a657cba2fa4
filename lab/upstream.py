"""Files that upstream keeps in its Go modules, such as CRDs, kustomizations and charts.

They are read when the lab needs them, from the versions that lab/modules pins by
checksum; none of them is part of this project.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from lab import archives, home, programs
from lab.process import run
from lab.progress import step


def folder(module: str, path: str, inside: str) -> Path:
    """Return a copy of a folder of a pinned Go module, made if it is not there.

    `module` is a folder of lab/modules, `path` the module's path, `inside` the folder
    in it. Raises LabError when neither the archive folder nor the Go module proxy has it.
    """
    target = home.folder("upstream") / _root(module, path) / inside
    if not target.exists() and not archives.unpack(archive_name(module, path, inside), target):
        with step(f"Reading {inside} of {path}"):
            _copy(programs.module_folder(module, path) / inside, target)
    return target


def archive_name(module: str, path: str, inside: str) -> str:
    """Return the name under which the archive folder has a folder of a module."""
    return f"{_root(module, path)}_{inside.replace('/', '_')}.tgz"


def key(module: str) -> str:
    """Return a hash of a module folder's pins and checksums."""
    files = [(programs.MODULES / module / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"\0".join(files)).hexdigest()[:12]


def _root(module: str, path: str) -> str:
    return f"{path.replace('/', '_')}-{key(module)}"


def _copy(source: Path, target: Path) -> None:
    """Copy a folder so that it appears whole or not at all; Go's files are read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with home.workplace(target.parent) as work:
        copy = work / "copy"
        shutil.copytree(source, copy)
        run(["chmod", "-R", "u+w", copy], doing=f"Making a copy of {source.name} writable")
        copy.rename(target)
