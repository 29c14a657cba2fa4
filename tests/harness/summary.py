"""What a session says of its proofs at the end."""

from __future__ import annotations

from tests.harness.ledger import Ledger


def proofs_in_short(ledger: Ledger) -> list[str]:
    """Return how many proofs and mutants there were, and why proofs were skipped."""
    results = [result for result in ledger.proofs.values() if result.expected]
    if not results:
        return []
    skipped = {name: result.skipped for name, result in ledger.proofs.items() if result.skipped}
    proven = sum(result.complete for result in results)
    killed = sum(len(result.killed_by) for result in results)
    counts = f"{len(results)} proofs: {proven} complete, {len(skipped)} skipped; {killed} mutants killed"
    return [counts, *(f"skipped: {name}: {reason}" for name, reason in skipped.items())]


def closing_lines(ledger: Ledger) -> list[str]:
    """Return a sentence for every listing that stays as it was, and is not proved by that."""
    return [
        *ledger.unproven(),
        *(
            f"{name}: not all of its runs passed in this session, so no record of it changed"
            for name, result in ledger.proofs.items()
            if result.expected and not result.complete and not result.skipped
        ),
    ]
