"""Add-ons come and go: proofs that need the same ones run together, within the host's memory.

All processes of a session make the same plan (lab.budget) and note in one file which
proofs have ended. The process that ends the last proof that needs an add-on removes it;
one whose add-ons have no room waits until those that give way are no longer used.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Mapping

from lab import addons, budget, home
from lab.addons import Addon
from lab.errors import LabError
from proofs.claims import Claim

#: Seconds that a group waits for the end of those before it: a proof that never ends stops no other.
PATIENCE = 900.0


class Groups:
    """The order of a session's proofs, and what each group starts and removes."""

    def __init__(self, claims: Mapping[str, Claim], session: str, memory_mib: int) -> None:
        """Plan for the proofs, by the ids of their tests; `session` names the file of what has ended."""
        self._needs = {test: frozenset(claim.needs) for test, claim in claims.items()}
        self._alone = {test: claim.alone for test, claim in claims.items()}
        self._file = home.folder("sessions") / session
        beside = [need for test, need in self._needs.items() if not self._alone[test]]
        apart = [need for test, need in self._needs.items() if self._alone[test]]
        first = budget.plan(beside, memory_mib)
        running = first.groups[-1].needs if first.groups else ()
        second = budget.plan(apart, memory_mib, running)
        self.skipped: Mapping[frozenset[str], str] = {**first.skipped, **second.skipped}
        self._groups = (*first.groups, *second.groups)
        order = {(False, group.needs): place for place, group in enumerate(first.groups)}
        order |= {(True, group.needs): len(order) + place for place, group in enumerate(second.groups)}
        self._order = order
        self._memory = memory_mib

    def place(self, test: str) -> int:
        """Return the number of a proof's group; what has no room on this host comes last."""
        return self._order.get((self._alone[test], self._needs[test]), len(self._order))

    def why_skipped(self, test: str) -> str:
        """Return why this host has no room for a proof's add-ons; empty if it has."""
        return self.skipped.get(self._needs[test], "")

    def tests_of(self, needs: frozenset[str]) -> list[str]:
        """Return the proofs that need exactly these add-ons."""
        return [test for test, one in self._needs.items() if one == needs]

    def make_room(self, test: str) -> None:
        """Remove what gives way to a proof's add-ons, once no earlier proof uses it, if it must."""
        place = self.place(test)
        if place >= len(self._groups) or not self._groups[place].remove:
            return
        there = {addon.spec for addon in self._running()}
        leaving = [spec for spec in self._groups[place].remove if spec in there]
        if not leaving or budget.cost({*there, *self._needs[test]}).fits(self._memory):
            return
        earlier = {one for one in self._needs if self.place(one) < place}
        end = time.monotonic() + PATIENCE
        while not earlier <= self._ended() and time.monotonic() < end:
            time.sleep(0.5)
        for spec in leaving:
            _remove(spec)

    def end(self, test: str) -> None:
        """Note that a proof has ended; remove the add-ons that no proof of a later group needs."""
        with self._file.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            before = set(file.read().splitlines())
            file.write(f"{test}\n")
        last = len(self._groups) - 1
        for addon in addons.with_needs(self._needs[test]):
            users = {one for one in self._needs if addon in addons.with_needs(self._needs[one])}
            is_last = users <= {*before, test} and not users <= before
            if is_last and max(map(self.place, users)) < last and addon in self._running():
                _remove(addon.spec)

    def _running(self) -> list[Addon]:
        """Return the add-ons of this plan whose namespaces are in the cluster."""
        installed = addons.installed()
        specs = {spec for group in self._groups for spec in group.start}
        return [addon for addon in addons.with_needs(sorted(specs)) if addon.namespace in installed]

    def _ended(self) -> set[str]:
        return set(self._file.read_text().splitlines()) if self._file.exists() else set()


def _remove(spec: str) -> None:
    with contextlib.suppress(LabError):  # another process was faster, or a user removed it
        addons.remove(spec)
