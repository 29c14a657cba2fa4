"""Which mutants were killed before under the same key: in the records, and on this machine.

A run without --record keeps what it proved in the lab's folder, in the form of records/.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from lab import home
from proofs.claims import Mutant
from proofs.records import Record, load_records


def proved_here() -> Path:
    """Return the folder whose records/ holds what runs without --record proved."""
    return home.folder("proved")


class Memory:
    """What the records of a project and of this machine say, read once."""

    def __init__(self, root: Path) -> None:
        """Prepare to read the records of the project at `root`."""
        self._root = root

    @cached_property
    def _records(self) -> list[dict[str, Record]]:
        return [load_records(self._root), load_records(proved_here())]

    def killed_by(self, mutant: Mutant, key: str) -> str:
        """Return what killed a mutant before under a key; empty when that is unknown."""
        found = (
            one.killed_by
            for records in self._records
            if (record := records.get(mutant.listing)) and record.sealed
            for one in record.mutants
            if one.because == mutant.because and key in one.keys
        )
        return next(found, "")
