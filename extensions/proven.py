"""Find the record that lets a listing be printed, or report that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from docutils import nodes
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from proofs.records import Record, RecordError, load_records, why_unproven

logger = logging.getLogger(__name__)


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


def fault(directive: SphinxDirective, sentence: str) -> nodes.Node:
    """Report what is wrong with a listing, in every build until it is gone; return it for the page."""
    logger.warning("%s", sentence, location=directive.get_location(), type="listing")
    directive.env.note_reread()
    return nodes.warning("", nodes.paragraph(sentence, sentence))


@lru_cache(maxsize=2)
def _read(root: Path, state: tuple[tuple[Path, int], ...]) -> Mapping[str, Record]:  # noqa: ARG001 - a key
    return load_records(root)
