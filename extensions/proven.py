"""Find the record that lets a listing be printed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from sphinx.environment import BuildEnvironment

from proofs.records import Record, RecordError, load_records, why_unproven


def root_of(env: BuildEnvironment) -> Path:
    """Return the project's folder, where source/, examples/ and records/ lie side by side."""
    return Path(env.srcdir).parent


def records_of(root: Path) -> Mapping[str, Record]:
    """Return all records of a project; the files are read again only when one has changed."""
    files = sorted((root / "records").rglob("*.json"))
    return _read(root, tuple((file, file.stat().st_mtime_ns) for file in files))


def proven(root: Path, listing: str) -> Record:
    """Return the record of a listing; raise RecordError when nothing proves these bytes."""
    records = records_of(root)
    if sentence := why_unproven(root, listing, records):
        raise RecordError(sentence)
    return records[listing]


@lru_cache(maxsize=2)
def _read(root: Path, state: tuple[tuple[Path, int], ...]) -> Mapping[str, Record]:  # noqa: ARG001 - a key
    return load_records(root)
