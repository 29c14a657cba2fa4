"""Write the pretended records of the kitchen sink: `python -m tests.book.kitchen_sink.prove`.

Each kind of evidence occurs at least once, so that every stamp can be looked at.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from proofs.listings import listing_files
from proofs.records import Record, write_records
from tests.pretended import pretended

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
    "03-listings/capacity.py": (
        "computed",
        {**HERE, "python": VERSIONS["python"], "for router": VERSIONS["router"]},
    ),
    "03-listings/limits.toml": ("hardware", HERE),
    "03-listings/nvtop.txt": ("captured", HERE),
    "03-listings/quota.yaml": ("accepted", LAB),
    "03-listings/scorer.go": ("checked", HERE),
    "03-listings/wait.sh": ("checked", HERE),
}
#: Who refused a listing, where that was not the API server.
ANSWERED_BY = {"03-listings/refused/rule-without-expression.yaml": "promtool"}


def records() -> dict[str, Record]:
    """Return the record of each listing."""
    proof = "03-listings/test_listings.py::test_pretended"
    found = {}
    for listing, file in listing_files(SITE).items():
        evidence, environment = EVIDENCE.get(listing, ("", LAB))
        record = pretended(listing, file, environment, proof=proof, evidence=evidence)
        found[listing] = replace(record, answered_by=ANSWERED_BY.get(listing, record.answered_by))
    return found


def main() -> None:
    """Write the records of all listings."""
    write_records(SITE, records())


if __name__ == "__main__":
    main()
