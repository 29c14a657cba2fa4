"""The archive folder: what a host without package sources comes up from.

A user may put image archives there by hand. A folder that `images --save` wrote also
holds built programs and upstream's files, and an index with the checksum of every file.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import home
from lab.errors import LabError
from lab.progress import step

INDEX = "index.json"


@dataclass(frozen=True)
class Entry:
    """A line of the index: a file's checksum, and what distinguishes its content."""

    sha256: str
    holds: str


def image_file(name: str) -> str:
    """Return the file name of an image's archive."""
    return name.replace("/", "_").replace(":", "_") + ".tar"


def find(name: str) -> Path | None:
    """Return a file of the archive folder, or None when it is not there."""
    path = home.archives() / name
    return path if path.exists() else None


def stamp(path: Path) -> str:
    """Return what changes when a file is replaced: its size and time of change."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def require_whole(path: Path) -> None:
    """Stop with a sentence when a file is not what the index beside it says."""
    entry = index(path.parent).get(path.name)
    if entry and entry.sha256 != checksum(path):
        message = (
            f"The archive {path} is damaged: its checksum is not the one in {INDEX} beside it. "
            "Copy it here again, or remove it."
        )
        raise LabError(message)


def unpack(name: str, target: Path) -> bool:
    """Make the folder `target` from a packed one, if the archive folder has it; tell whether."""
    path = find(name)
    if path is None:
        return False
    require_whole(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with step(f"Unpacking {name}"), home.workplace(target.parent) as folder:
        try:
            with tarfile.open(path, "r:gz") as archive:
                archive.extractall(folder / "content", filter="data")
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            message = f"The archive {path} cannot be unpacked: {error}. Copy it here again, or remove it."
            raise LabError(message) from error
        (folder / "content").rename(target)
    return True


def pack(source: Path, target: Path) -> None:
    """Write a folder's content into a new archive, for `unpack`."""
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        archive.add(source, arcname=".")


def index(folder: Path) -> dict[str, Entry]:
    """Return file name -> entry of a folder's index; empty without one."""
    path = folder / INDEX
    if not path.exists():
        return {}
    try:
        return {name: Entry(**row) for name, row in json.loads(path.read_text()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        message = f"{path} is not an index that the lab wrote ({error}). Remove it, or choose another folder."
        raise LabError(message) from error


def enter(folder: Path, name: str, entry: Entry) -> None:
    """Add a file to a folder's index."""
    rows = {known: asdict(row) for known, row in {**index(folder), name: entry}.items()}
    home.write(folder / INDEX, json.dumps(rows, indent=2) + "\n")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
