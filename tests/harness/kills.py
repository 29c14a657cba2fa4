"""Mutants that were killed on this machine before: on the same files they need not run again.

What a mutant's fate depends on is hashed: the change itself, the proof's module and those
of tests/examples that it imports, the harness and the lab, all files of every chapter that
these modules name, the versions of the edition, and where the run takes place. A file in
the lab's folder, named by that hash, says what killed it. The unchanged listings are proved
in every session all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from lab import home
from lab.edition import PROJECT
from tests.harness.claims import Mutant

#: How the folder of a chapter is named in a module of proofs.
CHAPTER = re.compile(r"\b\d\d-[a-z0-9-]+")
#: How one module of proofs imports another.
IMPORTED = re.compile(r"(?m)^from tests\.examples\.(\w+) import")


@dataclass(frozen=True)
class Kill:
    """The memory of one mutant in one environment, on the files as they are now."""

    key: str

    @property
    def _file(self) -> Path:
        return home.folder("kills") / self.key

    def killed_by(self) -> str:
        """Return what killed the mutant before, empty when nobody knows."""
        try:
            return self._file.read_text()
        except FileNotFoundError:
            return ""

    def remember(self, killed_by: str) -> None:
        """Note what killed the mutant."""
        home.write(self._file, killed_by)


def kill_of(root: Path, module: Path, test: str, mutant: Mutant, environment: Mapping[str, str]) -> Kill:
    """Return the memory of a mutant of a proof: a test in a module of the project at `root`."""
    parts = [test, mutant.listing, mutant.old, mutant.new, *sorted(map(str, environment.items()))]
    return Kill(sha256("\0".join([*parts, _code(), _proof(root, module)]).encode()).hexdigest()[:32])


@cache
def _code() -> str:
    """Return a hash of the harness, the lab and the edition."""
    folders = [PROJECT / "tests/harness", PROJECT / "lab"]
    files = [PROJECT / "edition.toml", *(file for folder in folders for file in folder.rglob("*"))]
    return _hash(file for file in files if file.suffix in {".py", ".toml", ".yaml"})


def _proof(root: Path, module: Path) -> str:
    """Return a hash of a module of proofs, of those that it imports, and of the chapters they name."""
    modules = _with_imported(module)
    named = {chapter for one in modules for chapter in CHAPTER.findall(one.read_text())}
    listings = (file for chapter in named for file in (root / "examples" / chapter).rglob("*"))
    return _hash([*modules, *listings])


def _with_imported(module: Path) -> set[Path]:
    found, waiting = {module}, [module]
    while waiting:
        names = IMPORTED.findall(waiting.pop().read_text())
        new = {module.with_name(f"{name}.py") for name in names} - found
        found |= new
        waiting += new
    return found


def _hash(files: Iterable[Path]) -> str:
    total = sha256()
    for file in sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts):
        total.update(f"{file}\0{sha256(file.read_bytes()).hexdigest()}\0".encode())
    return total.hexdigest()
