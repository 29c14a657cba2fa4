"""What a session says of its proofs at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from proofs.ledger import EQUAL, NOT_RUN, SURVIVED, Ledger, ProofResult


def proofs_in_short(ledger: Ledger) -> list[str]:
    """Return how many proofs and mutants there were, then a table by chapter, and why what was skipped."""
    results = [result for result in ledger.proofs.values() if result.counts]
    if not results:
        return []
    complete = sum(result.complete for result in results)
    skipped = sum(bool(result.skipped) for result in results)
    fates = [row[-1] for row in _fates(ledger)]
    survived, not_run = fates.count(SURVIVED), fates.count(NOT_RUN)
    killed = len(fates) - survived - not_run
    remembered = sum(len(result.remembered) for result in results)
    earlier = f" ({remembered} of them earlier, on the same files)" if remembered else ""
    return [
        f"{len(results)} proofs: {complete} complete, {skipped} skipped",
        f"{len(fates)} mutants: {killed} killed{earlier}, {survived} survived, {not_run} not run",
        *_by_chapter(ledger),
    ]


def _by_chapter(ledger: Ledger) -> list[str]:
    """Return a row per chapter: proved here, taken from the record, skipped, failed; then the reasons."""
    rows: dict[str, Counter[str]] = {}
    reasons: dict[str, list[str]] = {}
    for test, result in ledger.proofs.items():
        if result.counts:
            state = _state(result)
            rows.setdefault(test.split("/")[-2] if "/" in test else "", Counter())[state] += 1
            if reason := result.skipped or result.taken:
                reasons.setdefault(f"{state}: {reason}", []).append(test.rpartition("::")[2])
    table = [_row(chapter, [str(row[state]) for state in STATES]) for chapter, row in rows.items()]
    why = [
        f"{reason} ({len(tests)} proofs)" if reason.startswith(TAKEN) else f"{reason} ({', '.join(tests)})"
        for reason, tests in sorted(reasons.items())
    ]
    return [_row("chapter", STATES), *table, *why]


def _row(chapter: str, cells: Sequence[str]) -> str:
    return f"{chapter:20}" + "".join(f"{cell:>17}" for cell in cells)


def _state(result: ProofResult) -> str:
    if result.taken:
        return TAKEN
    if result.skipped:
        return SKIPPED
    return PROVED if result.complete else NOT_PROVED


STATES = PROVED, TAKEN, SKIPPED, NOT_PROVED = ("proved here", "from the record", "skipped", "not proved")


def mutants_table(ledger: Ledger) -> list[str]:
    """Return a line for every mutant: proof, listing, why it must be noticed, what killed it."""
    return [" · ".join(row) for row in _fates(ledger)]


def _fates(ledger: Ledger) -> Iterator[tuple[str, str, str, str]]:
    for name, result in sorted(ledger.proofs.items()):
        for mutant in result.claim.mutants if result.counts and not result.taken else ():
            fate = result.killed_by.get(mutant.because)
            if fate is None:
                fate = SURVIVED if mutant.because in result.survived else NOT_RUN
            yield name.split("::")[-1], mutant.listing, f"{mutant.change} ({mutant.because})", fate


def random_mutants_in_short(ledger: Ledger) -> list[str]:
    """Return how many random mutants were killed, and those that no proof of their listing noticed."""
    fates = _random_fates(ledger)
    if not fates:
        return []
    by_fate = {fate: [mutant for mutant in fates if fates[mutant] == fate] for fate in UNKILLED}
    equal, survived, not_run = (len(by_fate[fate]) for fate in (EQUAL, SURVIVED, NOT_RUN))
    killed = len(fates) - equal - survived - not_run
    counts = f"{killed} killed ({share_of_killed(ledger):.1f} %), {equal} equal, {survived} survived"
    return [
        f"{len(fates)} random mutants: {counts}{f', {not_run} not run' if not_run else ''}",
        *(f"survived: {mutant}" for mutant in sorted(by_fate[SURVIVED])),
        *(f"equal: {mutant}" for mutant in sorted(by_fate[EQUAL])),
    ]


def share_of_killed(ledger: Ledger) -> float:
    """Return how many of 100 random mutants that ran and changed anything were killed."""
    fates = list(_random_fates(ledger).values())
    survived = fates.count(SURVIVED)
    killed = sum(fate not in UNKILLED for fate in fates)
    return 100 * killed / (killed + survived) if killed + survived else 100


#: Fates of random mutants that are no kill: what one proof says outdoes what stands after it.
UNKILLED = (EQUAL, SURVIVED, NOT_RUN)


def _random_fates(ledger: Ledger) -> dict[str, str]:
    """Return random mutant -> its fate in all proofs of its listing; one kill is enough."""
    found: dict[str, str] = {}
    order = {fate: place for place, fate in enumerate(UNKILLED)}
    for result in ledger.proofs.values():
        for mutant, fate in result.random.items():
            found[mutant] = min(fate, found.get(mutant, NOT_RUN), key=lambda one: order.get(one, -1))
    return found


def overheads(ledger: Ledger) -> list[str]:
    """Return what the harness itself took for each proof, in seconds: a run on average, and at most."""
    return [
        f"{sum(seconds) / len(seconds):6.2f} on average, {max(seconds):6.2f} at most: {name}"
        for name, result in sorted(ledger.proofs.items())
        if (seconds := result.own_seconds)
    ]


def closing_lines(ledger: Ledger) -> list[str]:
    """Return a sentence for every listing that stays as it was, and is not proved by that."""
    return [
        *ledger.unproven(),
        *(
            f"{name}: not all of its runs passed in this session, so no record of it changed"
            for name, result in ledger.proofs.items()
            if result.counts and _state(result) == NOT_PROVED
        ),
    ]
