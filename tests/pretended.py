"""Records of proofs that nobody ran, for the small books on which the tests look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proofs.listings import is_refused, refusal_path
from proofs.records import Mutation, Proved, Record, digest


def pretended(
    listing: str, file: Path, *environments: Mapping[str, str], proof: str, evidence: str = ""
) -> Record:
    """Return a record of a listing: refused, if its folder says so, else ran, or as `evidence` says."""
    refused = is_refused(listing)
    return Record(
        listing=listing,
        sha256=digest(file),
        refusal_sha256=digest(refusal_path(file)) if refused else "",
        answered_by="The API server" if refused else "",
        evidence=evidence or ("refused" if refused else "ran"),
        proofs={f"tests/proofs/{proof}": Proved()},
        mutants=(Mutation("8000 -> 8001", "nothing listens there", "deadline"),),
        environments=environments,
    )
