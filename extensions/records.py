"""Read, seal, check and write the records: what was proven, when, on what.

`records/<chapter>.json` holds one entry per listing of `examples/<chapter>/`. A run of
the proofs writes them (tests/harness), the Sphinx directives read them, and a seal
over each entry shows a later edit by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The words in records -> the words that readers see, strongest evidence first.
EVIDENCE: Mapping[str, str] = {
    "ran": "Ran on kind",
    "refused": "Refused, as printed",
    "accepted": "Accepted by the API server",
    "computed": "Computed and tested",
    "checked": "Checked by its own tool",
    "captured": "Parsed from a capture",
    "hardware": "Not verified here",
}
#: What those words mean.
MEANING: Mapping[str, str] = {
    "ran": "applied to a kind cluster, and a test saw the outcome that the text claims",
    "refused": "refused with the message that is printed, by the server or program that must refuse it",
    "accepted": "an API server took it in a strict dry run; nothing in the lab can run it",
    "computed": "a program or calculator of this book, run and tested",
    "checked": "checked by the program that reads such files; it was not run",
    "captured": "output of real hardware, kept with date and machine; a test reads it",
    "hardware": "needs hardware that the lab has not; the page says what to run to find out",
}
#: What a record names as the cluster where that was not the lab.
OWN_CLUSTER = "own cluster"
REMEDY = "run `nox -s examples` and commit records/"


class RecordError(Exception):
    """Say which record file cannot be read, and what to do."""


@dataclass(frozen=True)
class Mutation:
    """One change that broke the listing, and how its proof noticed."""

    change: str
    because: str
    killed_by: str


@dataclass(frozen=True)
class Record:
    """What a run proved about one listing.

    `listing` is the path under examples/. `sha256` is of the file; `refusal_sha256` of
    the printed answer beside a listing in refused/, else empty. `environments` are
    maps of component -> version with a "date", newest date first. `seal` is the one
    that was read; a new record has none until it is written.
    """

    listing: str
    sha256: str
    evidence: str
    proofs: tuple[str, ...]
    mutants: tuple[Mutation, ...]
    environments: tuple[Mapping[str, str], ...]
    refusal_sha256: str = ""
    seal: str = ""

    @property
    def sealed(self) -> bool:
        """Tell whether nothing but a run changed the entry."""
        return self.seal in ("", seal(_entry(self)))


def tally(records: Collection[Record]) -> str:
    """Return how many listings have which evidence, in the words readers see."""
    counts = Counter(record.evidence for record in records)
    words = ", ".join(f"{counts[word]} “{EVIDENCE[word]}”" for word in EVIDENCE if counts[word])
    return f"Listings: {len(records)}, of them {words}"


def strongest(words: Iterable[str]) -> str:
    """Return the strongest of some evidence words."""
    return min(words, key=list(EVIDENCE).index)


def digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def seal(entry: Mapping[str, Any]) -> str:
    """Return the sha256 over the canonical JSON of an entry without its seal."""
    unsealed = {key: value for key, value in entry.items() if key != "seal"}
    text = json.dumps(unsealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def is_refused(listing: str) -> bool:
    """Tell whether a listing is one that must be refused."""
    return "refused" in Path(listing).parts[:-1]


def refusal_path(file: Path) -> Path:
    """Return where the answer to a refused listing is kept."""
    return file.with_suffix(".refusal")


def listing_files(root: Path) -> dict[str, Path]:
    """Return every listing under examples/ of a project, by its path there.

    Answers beside refused listings are none, nor are the caches that programs leave.
    """
    examples = root / "examples"
    files = {path.relative_to(examples): path for path in sorted(examples.rglob("*"))}
    return {
        name.as_posix(): path
        for name, path in files.items()
        if path.is_file()
        and path.suffix not in {".refusal", ".pyc"}
        and not any(part.startswith(".") for part in name.parts)
    }


def load_records(root: Path) -> dict[str, Record]:
    """Return listing -> record for a project; raise RecordError on unreadable files."""
    records: dict[str, Record] = {}
    for file in sorted((root / "records").glob("*.json")):
        where = f"records/{file.name}"
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))
            records |= {listing: _record(listing, entry) for listing, entry in entries.items()}
        except json.JSONDecodeError as error:
            message = f"{where}, line {error.lineno}: {error.msg}; restore the file"
            raise RecordError(message) from error
        except (AttributeError, KeyError, TypeError) as error:
            message = f"{where}: not a record file ({error!r}); restore it, or {REMEDY}"
            raise RecordError(message) from error
    return records


def write_records(root: Path, records: Mapping[str, Record]) -> list[Path]:
    """Write all records of a project, a sealed file per chapter; return what changed.

    `records` is the whole truth: a chapter without entries loses its file.
    """
    folder = root / "records"
    chapters: dict[str, dict[str, Any]] = {file.stem: {} for file in folder.glob("*.json")}
    for listing, record in sorted(records.items()):
        chapters.setdefault(Path(listing).parts[0], {})[listing] = _sealed_entry(record)
    return [
        folder / f"{chapter}.json"
        for chapter, entries in chapters.items()
        if _write(folder / f"{chapter}.json", entries)
    ]


def why_unproven(root: Path, listing: str, records: Mapping[str, Record]) -> str:
    """Return a sentence saying why a listing cannot be printed; empty when proven."""
    file = root / "examples" / listing
    where = f"examples/{listing}"
    if not file.is_file():
        return f"{where} does not exist: correct the path, or add the file and proof"
    record = records.get(listing)
    if record is None:
        return f"{where} has no record: claim it in tests/examples, then {REMEDY}"
    if not record.sealed:
        return f"{_home(listing)}: the entry of {listing} was edited by hand; {REMEDY}"
    if record.sha256 != digest(file):
        return f"{where} was edited after its proof; {REMEDY}"
    return _why_refusal_unproven(file, where, record)


def faults(root: Path) -> list[str]:
    """Return a sentence for every listing and record of a project that do not match."""
    records = load_records(root)
    listings = listing_files(root)
    unproven = [why_unproven(root, listing, records) for listing in listings]
    orphans = [
        f"{_home(listing)} names {listing}, which is gone from examples/; {REMEDY}"
        for listing in records
        if listing not in listings
    ]
    return [sentence for sentence in [*unproven, *orphans] if sentence]


def _why_refusal_unproven(file: Path, where: str, record: Record) -> str:
    answer = refusal_path(file)
    if not is_refused(record.listing):
        return ""
    if not answer.is_file():
        return f"{where} has no answer beside it; run `nox -s examples -- --record`"
    if record.refusal_sha256 != digest(answer):
        return f"{where}: its answer {answer.name} was edited after the proof; {REMEDY}"
    return ""


def _home(listing: str) -> str:
    return f"records/{Path(listing).parts[0]}.json"


def _record(listing: str, entry: Mapping[str, Any]) -> Record:
    """Return an entry as a record; raise TypeError on a key too many or missing."""
    if entry["evidence"] not in EVIDENCE:
        message = f"no such evidence: {entry['evidence']}"
        raise TypeError(message)
    lists = {
        "proofs": tuple(entry["proofs"]),
        "mutants": tuple(Mutation(**mutant) for mutant in entry["mutants"]),
        "environments": tuple(entry["environments"]),
        "seal": entry.get("seal", "none"),
    }
    return Record(listing=listing, **{**entry, **lists})


def _entry(record: Record) -> dict[str, Any]:
    """Return a record as it is written, without its seal."""
    entry: dict[str, Any] = {
        "sha256": record.sha256,
        "evidence": record.evidence,
        "proofs": list(record.proofs),
        "mutants": [vars(mutant) for mutant in record.mutants],
        "environments": [dict(environment) for environment in record.environments],
    }
    if record.refusal_sha256:
        entry["refusal_sha256"] = record.refusal_sha256
    return entry


def _sealed_entry(record: Record) -> dict[str, Any]:
    """Return a record as it is written; one that was read keeps the seal it had."""
    entry = _entry(record)
    return {**entry, "seal": record.seal or seal(entry)}


def _write(file: Path, entries: Mapping[str, Any]) -> bool:
    """Write a chapter's entries if that changes its file; tell whether it did."""
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    after = json.dumps(entries, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if not entries:
        file.unlink(missing_ok=True)
        return bool(before)
    if after == before:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    # A new file renamed over the old one: an interrupt leaves one or the other, whole.
    fresh = file.with_suffix(".json.new")
    fresh.write_text(after, encoding="utf-8")
    fresh.replace(file)
    return True
