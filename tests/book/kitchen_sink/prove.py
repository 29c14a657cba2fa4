"""Write the pretended records of the kitchen sink: `python -m tests.book.kitchen_sink.prove`.

Each kind of evidence occurs at least once, so that every stamp can be looked at.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from extensions.records import (
    Mutation,
    Record,
    digest,
    is_refused,
    listing_files,
    refusal_path,
    write_records,
)

SITE = Path(__file__).parent
VERSIONS = tomllib.loads((SITE.parents[2] / "edition.toml").read_text(encoding="utf-8"))["versions"]
LAB = {
    "cluster": f"kind {VERSIONS['kind']}",
    "date": "2026-01-31",
    "kubernetes": VERSIONS["kubernetes"],
    "router": VERSIONS["router"],
    "simulator": VERSIONS["simulator"],
}
HERE = {"date": "2026-01-31"}
#: Listings whose evidence is not the usual one, and where it was seen.
EVIDENCE = {
    "03-listings/alerts.promql": ("checked", {**HERE, "prometheus": VERSIONS["prometheus"]}),
    "03-listings/capacity.py": ("computed", {**HERE, "python": VERSIONS["python"]}),
    "03-listings/limits.toml": ("hardware", HERE),
    "03-listings/nvtop.txt": ("captured", HERE),
    "03-listings/quota.yaml": ("accepted", LAB),
    "03-listings/scorer.go": ("checked", HERE),
    "03-listings/wait.sh": ("checked", HERE),
}


def pretended(listing: str, file: Path) -> Record:
    """Return a record of a proof that nobody ran."""
    refused = is_refused(listing)
    evidence, environment = EVIDENCE.get(listing, ("refused" if refused else "ran", LAB))
    return Record(
        listing=listing,
        sha256=digest(file),
        refusal_sha256=digest(refusal_path(file)) if refused else "",
        evidence=evidence,
        proofs=("tests/examples/test_03_listings.py::test_that_nobody_ran",),
        mutants=(Mutation("demo -> other", "another name", "assertion: it is another name"),),
        environments=(environment,),
    )


def main() -> None:
    """Write the records of all listings."""
    write_records(SITE, {listing: pretended(listing, file) for listing, file in listing_files(SITE).items()})


if __name__ == "__main__":
    main()
