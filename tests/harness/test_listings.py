"""The gates of every listing that need no cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from proofs.claims import Claim, claims_of_project
from proofs.listings import listing_files
from proofs.outline import load_outline
from proofs.records import faults
from proofs.static_checks import findings

ROOT = Path(__file__).parents[2]
LISTINGS = listing_files(ROOT)


@pytest.fixture(scope="module")
def claims() -> Mapping[str, Claim]:
    """Return every proof of the project, and what it claims."""
    return claims_of_project(ROOT)


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_is_well_formed(listing: str) -> None:
    found = list(findings(listing, LISTINGS[listing]))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_proof_claims_the_listing(listing: str, claims: Mapping[str, Claim]) -> None:
    claimed = any(listing in claim.listings for claim in claims.values())
    assert claimed, f"no proof claims examples/{listing}: add a test with @proves to tests/proofs"


def test_every_claim_is_in_order(claims: Mapping[str, Claim]) -> None:
    found = [f"{name} {fault}" for name, claim in claims.items() for fault in claim.faults(ROOT)]
    assert not found, "\n".join(found)


def test_records_and_listings_match() -> None:
    found = faults(ROOT)
    assert not found, "\n".join(found)


def test_every_folder_of_listings_and_proofs_has_the_slug_of_a_chapter() -> None:
    outline = load_outline(ROOT / "source")
    slugs = {page.slug for page in outline.pages}
    folders = [
        folder.relative_to(ROOT)
        for place in ("examples", "tests/proofs", "records")
        for folder in (ROOT / place).glob("*/")
        if not folder.name.startswith((".", "__"))
    ]
    strangers = [
        f"{folder}: source/outline.toml has no such chapter" for folder in folders if folder.name not in slugs
    ]
    assert strangers == [], "\n".join(strangers)


def test_no_module_of_proofs_imports_another() -> None:
    found = [
        f"{file.relative_to(ROOT)}: imports a test module; move what both need to steps.py"
        for file in sorted((ROOT / "tests/proofs").rglob("*.py"))
        if re.search(r"(?m)^\s*(from|import) \S*\btest_\w+", file.read_text(encoding="utf-8"))
    ]
    assert found == [], "\n".join(found)
