"""Whether the API server accepts every manifest as it stands, strictly, in a dry run.

Listings in refused/ are left to their proofs, which want the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from proofs import namespaces
from proofs.claims import claims_of_project
from proofs.connection import Connection
from proofs.documents import Document, read_documents
from proofs.failures import Refused
from proofs.listings import is_refused, listing_files
from proofs.own_cluster import why_not_proved

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parent.parent.parent
MANIFESTS = [
    listing for listing in listing_files(ROOT) if listing.endswith(".yaml") and not is_refused(listing)
]


@pytest.fixture(scope="module")
def namespace(connection: Connection) -> Iterator[str]:
    """Yield a namespace in which objects can be tried."""
    name = namespaces.new_name()
    namespaces.create(connection.cluster, name, run="dry-run")
    yield name
    connection.cluster.delete(namespaces.path(name))


@pytest.mark.parametrize("listing", MANIFESTS)
def test_the_api_server_accepts_it(listing: str, connection: Connection, namespace: str) -> None:
    text = (ROOT / "examples" / listing).read_text()
    for document in read_documents(namespaces.moved(text, namespace), f"examples/{listing}"):
        if document.reader:  # a proof with that program must claim the file
            assert has_a_proof(listing), (
                f"examples/{listing} is read by {document.reader}, not by the API "
                "server; claim it with a proof that runs that program"
            )
        elif connection.cluster.resource(document.api_version, document.kind) or not has_an_addon(listing):
            warnings = tried(document, connection, namespace)
            assert not warnings, f"examples/{listing}: {warnings}"


def tried(document: Document, connection: Connection, namespace: str) -> tuple[str, ...]:
    """Return the warnings of a dry run; skip what your own cluster does not offer or allow."""
    try:
        _, answer = connection.cluster.apply(document, namespace, dry_run=True)
    except Refused as refusal:
        if connection.own and (reason := why_not_proved(connection.own.user, refusal)):
            pytest.skip(reason)
        raise
    return answer.warnings


def has_a_proof(listing: str) -> bool:
    """Tell whether a proof claims a listing with more than its acceptance."""
    return any(
        listing in claim.listings and claim.evidence in {"ran", "checked"}
        for claim in claims_of_project(ROOT).values()
    )


def has_an_addon(listing: str) -> bool:
    """Tell whether a proof applies a listing beside an add-on, which may define its kinds."""
    return any(
        listing in claim.listings and claim.evidence == "ran" and claim.needs
        for claim in claims_of_project(ROOT).values()
    )
