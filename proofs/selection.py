"""What CI runs: the proofs that the change reaches, and a slice of all that turns.

A proof is reached when a record of its listings changed since the base, or when its key
(proofs/dependencies.py) is no longer the recorded one. It runs on its listings as they are, and
on the mutants whose kill is in no record under the same key. The slice is every tenth proof, with
every mutant, another tenth with each commit of the main line; so ten submissions prove everything
again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

from proofs.claims import Claim
from proofs.dependencies import proof_key
from proofs.records import Record, load_records

#: A slice is one proof of so many.
SLICES = 10
#: Where a branch is compared with nothing else: what was committed in the day before its last commit.
A_DAY = 24 * 60 * 60


def taken_from_records(
    root: Path, claims: Mapping[str, Claim], turning: AbstractSet[str], base: str = ""
) -> dict[str, str]:
    """Return test -> why its record is taken for true in this session; all others are to be run.

    `base` names the commit that the change is compared with. Without a history to compare
    with, nothing is taken.
    """
    base = base or _base(root)
    changed = _changed_records(root, base) if base else None
    if changed is None:
        return {}
    records = load_records(root)
    reason = f"not reached by the change since {base[:12]}"
    return {
        test: reason
        for test, claim in claims.items()
        if test not in turning and not changed & set(claim.listings) and _holds(root, test, claim, records)
    }


def in_turn(root: Path, tests: Collection[str]) -> frozenset[str]:
    """Return the slice of proofs that the last commit has a turn for; all without a history."""
    turn = _git(root, "rev-list", "--count", "--first-parent", "HEAD")
    return frozenset(
        test for number, test in enumerate(sorted(tests)) if not turn or number % SLICES == int(turn) % SLICES
    )


def _holds(root: Path, test: str, claim: Claim, records: Mapping[str, Record]) -> bool:
    """Tell whether the records of a proof bear the key that it has now."""
    for listing in claim.listings:
        proved = records[listing].proofs.get(test) if listing in records else None
        if proved is None or proved.key != proof_key(root, test, claim, proved.opened):
            return False
    return True


def _base(root: Path) -> str:
    """Return the commit that a change is compared with, empty where there is none.

    For a pull request its target; on another branch where it left the main line; on the
    main line the last commit that is a day older than the newest.
    """
    target = os.environ.get("GITHUB_BASE_REF") or "main"
    parted = _git(root, "merge-base", "HEAD", f"origin/{target}")
    if parted and parted != _git(root, "rev-parse", "HEAD"):
        return parted
    newest = _git(root, "log", "-1", "--format=%ct")
    return _git(root, "rev-list", "-1", f"--before={int(newest) - A_DAY}", "HEAD") if newest else ""


def _changed_records(root: Path, base: str) -> set[str] | None:
    """Return the listings whose records differ from those of a commit; None where git cannot tell."""
    if not _git(root, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"):
        return None
    names = _git(root, "diff", "--name-only", base, "--", "records").splitlines()
    return {name.removeprefix("records/").removesuffix(".json") for name in names}


def _git(root: Path, *words: str) -> str:
    """Return what git prints, empty where it fails or is not installed."""
    try:
        return subprocess.check_output(
            ["git", *words], cwd=root, text=True, stderr=subprocess.DEVNULL
        ).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
