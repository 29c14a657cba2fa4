"""Read, seal, check and write the records: what was proven, when, on what.

`records/<listing>.json` holds what was proved about one listing of examples/. A run of
the proofs writes it, the Sphinx directives read it, and a seal shows a later edit by hand.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proofs.listings import is_refused, listing_files, refusal_path, slug_of

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
    "hardware": "needs hardware that the lab lacks; the page says what to run to find out",
}
#: What a record names as the cluster where that was not the lab.
OWN_CLUSTER = "own cluster"
REMEDY = "run `nox -s examples -- --record` and commit records/"
#: Keys of a mutant's kill that a record keeps: one for each environment, newest first.
KEYS_KEPT = 4


class RecordError(Exception):
    """Say which record file cannot be read, and what to do."""


@dataclass(frozen=True)
class Mutation:
    """One change that broke the listing, how its proof noticed, and the keys under which it did.

    A key is a hash of all that the kill depends on (proofs/dependencies.py).
    """

    change: str
    because: str
    killed_by: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proved:
    """What one proof depended on: the listings that it opened, and the key over all of it."""

    key: str = ""
    opened: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """What a run proved about one listing.

    `listing` is the path under examples/. `sha256` is of the file; for a listing in
    refused/, `refusal_sha256` is of the printed answer beside it and `answered_by` who gave
    that, else both are empty. `proofs` maps the ids of tests to what they depended on.
    `environments` are maps of component -> version with a "date", newest date first; "for
    router" names what a listing is written for where nothing of it ran. `seal` is the one
    that was read; a new record has none until it is written.
    """

    listing: str
    sha256: str
    evidence: str
    proofs: Mapping[str, Proved]
    mutants: tuple[Mutation, ...]
    environments: tuple[Mapping[str, str], ...]
    refusal_sha256: str = ""
    answered_by: str = ""
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


def load_records(root: Path) -> dict[str, Record]:
    """Return listing -> record for a project; raise RecordError on unreadable files."""
    folder = root / "records"
    files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*.json"))}
    return {
        name.removesuffix(".json"): _load(name.removesuffix(".json"), file) for name, file in files.items()
    }


def _load(listing: str, file: Path) -> Record:
    try:
        return _record(listing, json.loads(file.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        message = f"{_home(listing)}, line {error.lineno}: {error.msg}; restore the file"
        raise RecordError(message) from error
    except (AttributeError, KeyError, TypeError) as error:
        message = f"{_home(listing)}: not a record file ({error!r}); restore it, or {REMEDY}"
        raise RecordError(message) from error


def write_records(root: Path, records: Mapping[str, Record]) -> list[Path]:
    """Write all records of a project, a sealed file each; return what changed.

    `records` is the whole truth: a listing without a record loses its file.
    """
    gone = load_records(root).keys() - records.keys()
    for listing in gone:
        _file(root, listing).unlink()
    changed = [listing for listing, record in sorted(records.items()) if _write(root, record)]
    return [_file(root, listing) for listing in sorted([*gone, *changed])]


def record_files(root: Path, listing: str) -> list[Path]:
    """Return the files that a page with a listing is made of: it, its answer, its record."""
    file = root / "examples" / listing
    return [one for one in (file, refusal_path(file), _file(root, listing)) if one.is_file()]


def why_unproven(root: Path, listing: str, records: Mapping[str, Record]) -> str:
    """Return a sentence saying why a listing cannot be printed; empty when proven."""
    file = root / "examples" / listing
    where = f"examples/{listing}"
    if not file.is_file():
        return f"{where} does not exist: correct the path, or add the file and proof"
    record = records.get(listing)
    if record is None:
        return f"{where} has no record: claim it in tests/proofs/{slug_of(listing)}, then {REMEDY}"
    if not record.sealed:
        return f"{_home(listing)} was edited by hand; {REMEDY}"
    if record.sha256 != digest(file):
        return f"{where} was edited after its proof; {REMEDY}"
    return _why_refusal_unproven(file, where, record)


def faults(root: Path) -> list[str]:
    """Return a sentence for every listing and record of a project that do not match."""
    records = load_records(root)
    listings = listing_files(root)
    unproven = [why_unproven(root, listing, records) for listing in listings]
    orphans = [
        f"{_home(listing)}: examples/{listing} is gone; {REMEDY}"
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
    if not record.answered_by:
        return f"{where}: its record does not say who refused it; {REMEDY}"
    return ""


def _home(listing: str) -> str:
    return f"records/{listing}.json"


def _file(root: Path, listing: str) -> Path:
    return root / _home(listing)


def _record(listing: str, entry: Mapping[str, Any]) -> Record:
    """Return an entry as a record; raise TypeError on a key too many or missing."""
    if entry["evidence"] not in EVIDENCE:
        message = f"no such evidence: {entry['evidence']}"
        raise TypeError(message)
    parts = {
        "proofs": {name: Proved(one["key"], tuple(one["opened"])) for name, one in entry["proofs"].items()},
        "mutants": tuple(
            Mutation(**{**mutant, "keys": tuple(mutant["keys"])}) for mutant in entry["mutants"]
        ),
        "environments": tuple(entry["environments"]),
        "seal": entry.get("seal", "none"),
    }
    return Record(listing=listing, **{**entry, **parts})


def _entry(record: Record) -> dict[str, Any]:
    """Return a record as it is written, without its seal."""
    entry: dict[str, Any] = asdict(record)
    del entry["listing"], entry["seal"]
    return json.loads(json.dumps({key: value for key, value in entry.items() if value != ""}))  # type: ignore[no-any-return]


def _write(root: Path, record: Record) -> bool:
    """Write a record if that changes its file; tell whether it did. One that was read keeps its seal."""
    file = _file(root, record.listing)
    entry = _entry(record)
    sealed = {**entry, "seal": record.seal or seal(entry)}
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    after = json.dumps(sealed, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if after == before:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    # A new file renamed over the old one: an interrupt leaves one or the other, whole.
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(after, encoding="utf-8")
    fresh.replace(file)
    return True
