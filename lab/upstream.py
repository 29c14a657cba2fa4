"""Files that upstream keeps in its Go modules, such as CRDs, kustomizations and charts.

They are read when the lab needs them, from the versions that lab/modules pins by
checksum; none of them is part of this project.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from lab import home, programs
from lab.process import run
from lab.progress import step


def folder(module: str, path: str, inside: str) -> Path:
    """Return a copy of a folder of a pinned Go module, made if it is not there.

    `module` is a folder of lab/modules, `path` the module's path, `inside` the folder
    in it. Raises LabError when the module cannot be had.
    """
    root = home.folder("upstream") / f"{path.replace('/', '_')}-{key(module)}"
    target = root / inside
    if not target.exists():
        with step(f"Reading {inside} of {path}"):
            _copy(programs.module_folder(module, path) / inside, target)
    return target


def key(module: str) -> str:
    """Return a hash of a module folder's pins and checksums."""
    files = [(programs.MODULES / module / name).read_bytes() for name in ("go.mod", "go.sum")]
    return hashlib.sha256(b"\0".join(files)).hexdigest()[:12]


def _copy(source: Path, target: Path) -> None:
    """Copy a folder so that it appears whole or not at all; Go's files are read-only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="unfinished-") as unfinished:
        copy = Path(unfinished) / "copy"
        shutil.copytree(source, copy)
        run(["chmod", "-R", "u+w", copy], doing=f"Making a copy of {source.name} writable")
        copy.rename(target)
