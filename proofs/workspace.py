"""A run's own copy of the chapters it uses, mutated, and adapted to the lab."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from ruamel.yaml.error import MarkedYAMLError

from lab.errors import LabError
from lab.router_lines import translate
from proofs.claims import Mutant
from proofs.failures import HarnessError
from proofs.listings import NO_LISTINGS, is_picture, is_refused
from proofs.namespaces import moved

#: A time of last access, in ns, that no file has which was opened.
UNTOUCHED = 1
#: Turns a listing's text into the one that the lab takes: (path, text) -> text.
Adapt = Callable[[str, str], str]

_translated = cache(translate)


def as_printed(listing: str, text: str) -> str:  # noqa: ARG001
    """Return the text as it is: what evidence without a cluster is about."""
    return text


def as_the_lab_takes_it(router_line: str, namespace: str) -> Adapt:
    """Return what moves manifests to a namespace, and to the router line in the lab."""

    def adapt(listing: str, text: str) -> str:
        if not listing.endswith(".yaml"):
            return text
        if not is_refused(listing):  # those go to the API server, never to a router
            text = _translated(text, router_line)
        return moved(text, namespace)

    return adapt


def _notes_access(folder: Path) -> bool:
    """Tell whether reading a file in a folder changes its time of last access."""
    probe = folder / ".probe"
    probe.write_text("read")
    os.utime(probe, ns=(UNTOUCHED, probe.stat().st_mtime_ns))
    probe.read_text()
    return probe.stat().st_atime_ns != UNTOUCHED


class Workspace:
    """Copies of chapters under one folder."""

    def __init__(self, root: Path, folder: Path, mutant: Mutant | None, adapt: Adapt) -> None:
        """Copy chapters of the project at `root` into `folder`, as they are asked for."""
        self._examples = root / "examples"
        self._folder = folder
        self._mutant = mutant
        self._adapt = adapt
        self._left_out: dict[str, str] = {}

    def path(self, listing: str) -> Path:
        """Return a listing's copy; skip the test when the lab cannot take it."""
        self.chapter(listing)
        if listing in self._left_out:
            pytest.skip(f"examples/{listing}: {self._left_out[listing]}")
        path = self._folder / listing
        if not path.is_file():
            message = f"examples/{listing} does not exist; correct the path"
            raise HarnessError(message)
        return path

    def unchanged(self, listing: str) -> str:
        """Return a listing's text as the lab takes it, without the run's mutant."""
        return self._adapt(listing, (self._examples / listing).read_text())

    def as_written(self, listing: str) -> str:
        """Return a listing's text as readers have it, with the run's mutant; skip as `path` does."""
        self.path(listing)
        return self._mutated(listing, (self._examples / listing).read_text())

    def _mutated(self, listing: str, text: str) -> str:
        if self._mutant is None or self._mutant.listing != listing:
            return text
        return self._mutant.mutate(text)

    def chapter(self, listing: str) -> Path:
        """Return the copy of the folder of a listing's chapter."""
        chapter = Path(listing).parts[0]
        if not (self._folder / chapter).exists():
            self._copy(chapter)
        return self._folder / chapter

    def _copy(self, chapter: str) -> None:
        source = self._examples / chapter
        if not source.is_dir():
            message = f"examples/{chapter} does not exist; correct the path"
            raise HarnessError(message)
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        copy = shutil.copytree(source, self._folder / chapter, ignore=ignored)
        for file in filter(Path.is_file, copy.rglob("*")):
            if not is_picture(file.name):
                self._change(file, file.relative_to(self._folder).as_posix())
        for file in filter(Path.is_file, copy.rglob("*")):
            os.utime(file, ns=(UNTOUCHED, file.stat().st_mtime_ns))

    def opened(self) -> tuple[str, ...]:
        """Return the listings that were opened in the copies; all of them where that leaves no trace.

        A file system notes that a file was read, unless it is mounted with `noatime`.
        """
        files = [
            file for file in self._folder.rglob("*") if file.is_file() and file.suffix not in NO_LISTINGS
        ]
        touched = [file for file in files if file.stat().st_atime_ns != UNTOUCHED]
        found = touched if _notes_access(self._folder) else files
        names = (file.relative_to(self._folder) for file in found)
        here = (name.as_posix() for name in names if (self._examples / name).is_file())
        return tuple(sorted({*here, *self._left_out}))

    def _change(self, file: Path, listing: str) -> None:
        before = file.read_bytes()
        try:
            after = self._adapt(listing, self._mutated(listing, before.decode())).encode()
        except LabError as error:
            self._left_out[listing] = str(error)
            file.unlink()
        except MarkedYAMLError as error:
            message = f"examples/{listing}: {error.problem}; correct it, or its mutant"
            raise HarnessError(message) from error
        else:
            if after != before:
                file.write_bytes(after)
