"""Read a page again when a record that it was made of has changed, or there is a new one.

Sphinx watches files that a page names when it is read; a new record is none of them.
"""

from __future__ import annotations

from hashlib import sha256

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

from extensions.proven import records_of, root_of
from proofs.records import RecordError

#: The field of a page's metadata that says of which records it was made.
FIELD = "records"


def note_records(env: BuildEnvironment) -> None:
    """Note that the page that is read now is made of all records."""
    env.metadata[env.docname][FIELD] = _state(env)


def _outdated(
    _app: Sphinx, env: BuildEnvironment, _added: set[str], _changed: set[str], _removed: set[str]
) -> list[str]:
    return [page for page, fields in env.metadata.items() if fields.get(FIELD, "") not in {"", _state(env)}]


def _state(env: BuildEnvironment) -> str:
    try:
        records = sorted(records_of(root_of(env)).items())
    except RecordError as error:
        return str(error)
    return sha256(repr(records).encode()).hexdigest()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Look before each build."""
    app.connect("env-get-outdated", _outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
