"""What a session proved, and what that makes of the records.

A record changes only when every proof that claims its listing passed in the session,
on the listing as it is and on every mutant, and the session came to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from proofs.claims import Claim
from proofs.listings import is_picture, listing_files
from proofs.proof import Seen, digests
from proofs.records import (
    KEYS_KEPT,
    REMEDY,
    Mutation,
    Proved,
    Record,
    load_records,
    strongest,
    why_unproven,
    write_records,
)

#: Fates of a mutant that nothing killed; EQUAL means that it changes nothing.
EQUAL = "equal"
SURVIVED = "SURVIVED"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Run:
    """What one phase of one run of a proof came to, as its report carries it.

    `mutant` says why the mutant must be noticed, empty on the unchanged listings;
    `killed_by` how it was, in an earlier session if `is_remembered`; a random one was not
    declared. `skipped` holds a reason.
    `digests`, `environment`, `proof_key`, `opened` and `answered_by` come from the unchanged
    run once it has passed, `key` is that of a mutant's kill, `own_seconds`, those of the harness, come
    from the end of any.
    """

    item: str
    mutant: str
    passed: bool
    failed: bool
    is_call: bool
    is_random: bool = False
    skipped: str = ""
    killed_by: str = ""
    is_remembered: bool = False
    digests: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    proof_key: str = ""
    opened: tuple[str, ...] = ()
    answered_by: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    own_seconds: float = 0

    @property
    def proof(self) -> str:
        """Return the id of the test that this is a run of."""
        return test_of(self.item)


def test_of(item: str) -> str:
    """Return the id of the test that an item is a run of."""
    return item.split("[", maxsplit=1)[0]


@dataclass
class ProofResult:
    """One proof in a session: what it claims, and which of its runs have passed.

    `expected` and `passed` hold the ids of its test items. `partial` says that some of
    them were left out, `broken` that it failed without a mutant, `skipped` why it could
    not run here, `taken` why its record is taken for true instead. `remembered` are the
    mutants that an earlier session killed. `random` maps random mutants to what killed
    them, or to another fate, `keys` mutants to the keys of their kills. `digests`,
    `environment`, `proved`, `answered_by` and `seen` come from the run on the unchanged
    listings.
    """

    claim: Claim
    expected: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    partial: bool = False
    broken: bool = False
    skipped: str = ""
    taken: str = ""
    killed_by: dict[str, str] = field(default_factory=dict)
    remembered: set[str] = field(default_factory=set)
    survived: set[str] = field(default_factory=set)
    random: dict[str, str] = field(default_factory=dict)
    own_seconds: list[float] = field(default_factory=list)
    digests: dict[str, tuple[str, str]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    proved: Proved = field(default_factory=Proved)
    answered_by: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)

    @property
    def counts(self) -> bool:
        """Tell whether the session was to prove it, or takes its record for true."""
        return bool(self.expected) and (not self.partial or bool(self.passed or self.taken))

    @property
    def complete(self) -> bool:
        """Tell whether all runs of the proof were made and passed."""
        return not self.partial and bool(self.expected) and self.expected == self.passed

    def note(self, run: Run) -> None:
        """Take in what a run came to; one with a random mutant proves nothing."""
        if run.own_seconds:
            self.own_seconds.append(run.own_seconds)
        if run.is_random:
            self._note_random(run)
        else:
            self._note_declared(run)

    def _note_random(self, run: Run) -> None:
        if run.is_call and run.passed:
            self.random[run.mutant] = run.killed_by or SURVIVED
        elif run.skipped:
            self.random.setdefault(run.mutant, NOT_RUN)

    def _note_declared(self, run: Run) -> None:
        if not run.passed:
            self.passed.discard(run.item)
            self.broken |= run.failed and not run.mutant
        elif run.is_call:
            self.passed.add(run.item)
        if run.skipped and not run.mutant:
            self.skipped = run.skipped
        if run.killed_by:
            self.killed_by[run.mutant] = run.killed_by
            self.keys[run.mutant] = run.key
            if run.is_remembered:
                self.remembered.add(run.mutant)
        elif run.mutant and run.is_call and run.failed:
            self.survived.add(run.mutant)
        self._take(run)

    def _take(self, run: Run) -> None:
        """Take over what a run on the unchanged listings found."""
        self.digests |= run.digests
        self.environment |= run.environment
        self.answered_by |= run.answered_by
        if run.proof_key:
            self.proved = Proved(run.proof_key, tuple(run.opened))


@dataclass(frozen=True)
class Plan:
    """What a collection found: proofs with their expected runs, and modules seen whole."""

    proofs: Mapping[str, ProofResult]
    modules: Collection[str]


@dataclass
class Ledger:
    """All proofs of a session, by the id of their test.

    `early` holds runs of proofs that are not planned yet: the reports of workers come
    before what they collected.
    """

    root: Path
    proofs: dict[str, ProofResult] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    early: list[Run] = field(default_factory=list)

    def plan(self) -> Plan:
        """Return what was collected, without what it came to."""
        return Plan(
            {
                name: ProofResult(
                    result.claim, expected=result.expected, partial=result.partial, taken=result.taken
                )
                for name, result in self.proofs.items()
            },
            self.modules,
        )

    def adopt(self, plan: Plan) -> None:
        """Take over a worker's plan; all workers of a session have the same."""
        if not self.proofs:
            self.proofs = dict(plan.proofs)
            self.modules = set(plan.modules)
            for run in self.early:
                self.note(run)

    def note(self, run: Run) -> None:
        """Take in what a run came to."""
        if run.proof in self.proofs:
            self.proofs[run.proof].note(run)
        else:
            self.early.append(run)

    def claimants(self, listing: str) -> dict[str, ProofResult]:
        """Return the proofs of the session that claim a listing."""
        return {name: result for name, result in self.proofs.items() if listing in result.claim.listings}

    def proven(self) -> dict[str, Record]:
        """Return a record, dated today, of every listing that the session proved."""
        claimed = {listing for one in self.proofs.values() for listing in one.claim.listings}
        before = load_records(self.root)
        return {
            listing: self._record(listing)
            for listing in sorted(claimed)
            if self._is_proven(listing, before.get(listing))
        }

    def _is_proven(self, listing: str, before: Record | None) -> bool:
        claimants = self.claimants(listing)
        seen = {result.digests.get(listing) for result in claimants.values()}
        return (
            all(result.complete for result in claimants.values())
            and seen == {digests(self.root, listing)}
            and not self._unseen(claimants, before)
        )

    def _unseen(self, claimants: Mapping[str, ProofResult], before: Record | None) -> set[str]:
        """Return recorded proofs that the session did not collect but that may exist."""
        recorded = set(before.proofs) if before else set()
        return {
            proof
            for proof in recorded - set(claimants)
            for module in [proof.split("::")[0]]
            if module not in self.modules and (self.root / module).is_file()
        }

    def _record(self, listing: str) -> Record:
        claimants = self.claimants(listing)
        sha256, refusal_sha256 = digests(self.root, listing)
        evidence = strongest(one.claim.evidence for one in claimants.values())
        today = datetime.now(UTC).date().isoformat()
        environment: dict[str, str] = {}
        for result in claimants.values():
            if result.claim.evidence == evidence:
                environment |= result.environment
        return Record(
            listing=listing,
            sha256=sha256,
            refusal_sha256=refusal_sha256,
            evidence=evidence,
            answered_by=next((one.answered_by[listing] for one in claimants.values() if one.answered_by), ""),
            proofs={name: result.proved for name, result in sorted(claimants.items())},
            mutants=tuple(
                Mutation(
                    mutant.change,
                    mutant.because,
                    result.killed_by[mutant.because],
                    tuple(filter(None, [result.keys[mutant.because]])),
                )
                for _, result in sorted(claimants.items())
                for mutant in result.claim.mutants
                if mutant.listing == listing or is_picture(listing)
            ),
            environments=({**environment, "date": today},),
        )

    def write(self, home: Path, *, refresh: bool) -> list[Path]:
        """Bring the records in a folder up to date with the session; return the files that changed.

        In the project itself, records of listings that are gone go; elsewhere other projects have theirs.
        """
        before = load_records(home)
        listings = listing_files(self.root) if home == self.root else before
        kept = {name: record for name, record in before.items() if name in listings}
        for listing, record in self.proven().items():
            kept[listing] = merged(before.get(listing), record, refresh=refresh)
        return write_records(home, kept)

    def unproven(self) -> list[str]:
        """Return a sentence for every listing that stays unproven because a proof was skipped.

        An earlier record of the same bytes still holds.
        """
        records = load_records(self.root)
        return [
            f"{fault} (skipped here: {result.skipped})"
            for result in self.proofs.values()
            if result.skipped
            for listing in result.claim.listings
            for fault in [why_unproven(self.root, listing, records)]
            if fault
        ]

    def check(self) -> list[str]:
        """Return a sentence for every record that is not what the session proved."""
        before = load_records(self.root)
        return self.unproven() + [
            f"records/{listing}.json: {fault}; {REMEDY}"
            for listing, record in self.proven().items()
            for fault in [_difference(before.get(listing), record)]
            if fault
        ]


def merged(before: Record | None, now: Record, *, refresh: bool) -> Record:
    """Return the record that follows from the one on file and a new one.

    The same proof of the same bytes in the same environment leaves the record as it
    is, unless `refresh` renews its date. Environments with other versions stay as long
    as they saw the same bytes and evidence.
    """
    if before is None or not before.sealed or _identity(before) != _identity(now):
        return now
    (environment,) = now.environments
    now = replace(now, mutants=tuple(_with_earlier_keys(one, before.mutants) for one in now.mutants))
    seen = any(_undated(one) == _undated(environment) for one in before.environments)
    unchanged = before.proofs == now.proofs and _keys(before) == _keys(now)
    if seen and unchanged and not refresh:
        return before
    others = [one for one in before.environments if not _agree(one, environment)]
    newest_first = sorted([environment, *others], key=lambda one: one["date"], reverse=True)
    return replace(now, environments=tuple(newest_first))


def _with_earlier_keys(now: Mutation, before: Iterable[Mutation]) -> Mutation:
    """Return a mutant with the keys under which it was killed before, too; a known one moves none."""
    earlier = tuple(key for one in before if _change(one) == _change(now) for key in one.keys)
    new = tuple(key for key in now.keys if key not in earlier)
    return replace(now, keys=(*new, *earlier)[:KEYS_KEPT])


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Tell whether two environments have the same version of all that both name."""
    return all(one[name] == other[name] for name in one.keys() & other.keys() - {"date"})


def _identity(record: Record) -> tuple[str, ...]:
    return record.sha256, record.refusal_sha256, record.evidence, record.answered_by


def _undated(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != "date"}


def _change(mutant: Mutation) -> tuple[str, str]:
    """Return a mutant without how it was killed: that wording may vary."""
    return mutant.change, mutant.because


def _changes(record: Record) -> list[tuple[str, str]]:
    return [_change(mutant) for mutant in record.mutants]


def _keys(record: Record) -> list[tuple[tuple[str, str], tuple[str, ...]]]:
    return [(_change(mutant), mutant.keys) for mutant in record.mutants]


def _difference(before: Record | None, now: Record) -> str:
    if before is None:
        return "there is no record"
    if not before.sealed:
        return "it was edited by hand"
    if (before.sha256, before.refusal_sha256) != (now.sha256, now.refusal_sha256):
        return "it holds another version of the listing"
    if (before.evidence, before.answered_by, list(before.proofs), _changes(before)) != (
        now.evidence,
        now.answered_by,
        list(now.proofs),
        _changes(now),
    ):
        return "it names other evidence, proofs or mutants than there are"
    return ""
