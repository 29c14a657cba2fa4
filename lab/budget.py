"""What add-ons cost in memory and pods, what a host has for them, and in which order they fit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import addons
from lab.addons import Addon
from lab.errors import NotAvailable

#: What the base takes in MiB, measured: four nodes with their system pods, and the registry.
BASE = 1229
#: What proofs take beside add-ons, in MiB: four processes of pytest (150 each), what four
#: listings run meanwhile (512 each at most), and the host's own programs.
PROOFS = 4096
#: What every pod takes beside its containers, in MiB: its pause process and its shim.
POD = 16
#: Pods that add-ons may have: 110 on each of three workers, less those of proofs and system.
PODS = 300
#: Where control groups say what this process may use at most, if they do.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

Running = dict[str, Addon]


@dataclass(frozen=True)
class Cost:
    """What add-ons take in steady state: memory in MiB, and pods."""

    memory: int = 0
    pods: int = 0

    def fits(self, memory_mib: int) -> bool:
        """Tell whether a host of so much memory has this to spare."""
        return self.memory <= for_addons(memory_mib) and self.pods <= PODS


@dataclass(frozen=True)
class Group:
    """Proofs with the same needs: what to remove and then to start before them, in this order.

    `remove` are add-ons that neither this group nor a later one needs, and such as must
    give way to `start` for a while.
    """

    needs: frozenset[str]
    start: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The order of groups, and why some sets of needs have no place on this host."""

    groups: tuple[Group, ...]
    skipped: Mapping[frozenset[str], str]


def host_memory_mib() -> int:
    """Return the memory of this host in MiB, or what its control group leaves of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    texts = [file.read_text().strip() for file in map(Path, LIMITS) if file.exists()]
    return min([total, *(int(text) for text in texts if text.isdigit())]) >> 20


def for_addons(memory_mib: int) -> int:
    """Return what a host of so much memory has for add-ons, in MiB."""
    return max(0, memory_mib - BASE - PROOFS)


def cost(specs: Iterable[str]) -> Cost:
    """Return what add-ons take together with all that they need."""
    return _total(addons.with_needs(specs))


def over_budget(spec: str, memory_mib: int) -> str:
    """Return why a host of so much memory is too small for an add-on; empty if it is not."""
    return too_much([spec], memory_mib)


def require(spec: str) -> None:
    """Raise NotAvailable, before anything is made, when this host is too small for an add-on."""
    if reason := over_budget(spec, host_memory_mib()):
        raise NotAvailable(reason)


def plan(needs: Sequence[frozenset[str]], memory_mib: int, running: Iterable[str] = ()) -> Plan:
    """Order sets of needs so that those that share add-ons come together and none is over budget.

    `running` are add-ons that are there at the beginning. Those of the last group stay.
    """
    wanted = {one: _by_namespace(one) for one in dict.fromkeys(needs)}
    reasons = {one: too_much(sorted(one), memory_mib) for one in wanted}
    left = {one: part for one, part in wanted.items() if not reasons[one]}
    there, groups = _by_namespace(running), list[Group]()
    while left:
        needed = {name for part in left.values() for name in part}
        kept = {name: addon for name, addon in there.items() if name in needed}
        chosen = min(left, key=lambda one: (*_effort(kept, left[one], memory_mib), sorted(one)))
        here = left.pop(chosen)
        yielding = _giving_way(kept, here, memory_mib)
        kept = {name: addon for name, addon in kept.items() if name not in yielding}
        start = [addon.spec for name, addon in here.items() if kept.get(name) != addon]
        # What needs another add-on was started after it, and goes before it.
        remove = [addon.spec for name, addon in reversed(there.items()) if name not in kept]
        groups.append(Group(chosen, tuple(start), tuple(remove)))
        there = {**kept, **here}
    return Plan(tuple(groups), {one: reason for one, reason in reasons.items() if reason})


def _effort(there: Running, here: Running, memory_mib: int) -> tuple[int, int, int]:
    """Return what orders sets: first what stops least, then shares most, then starts least."""
    shared = {name: addon for name, addon in here.items() if there.get(name) == addon}
    new = [addon for name, addon in here.items() if name not in shared]
    stops = _total(_giving_way(there, here, memory_mib).values()).memory
    return stops, -_total(shared.values()).memory, _total(new).memory


def _giving_way(there: Running, here: Running, memory_mib: int) -> Running:
    """Return what must go, though a later group needs it, so that a group fits: the largest first."""
    gone: Running = {}
    for name in sorted({*there} - {*here}, key=lambda name: -_total([there[name]]).memory):
        stay = {other: addon for other, addon in there.items() if other not in gone}
        if _total({**stay, **here}.values()).fits(memory_mib):
            break
        gone |= {other: addon for other, addon in stay.items() if name in _by_namespace([addon.spec])}
    return gone


def too_much(specs: Sequence[str], memory_mib: int) -> str:
    """Return a sentence, by name, when add-ons together take more than a host has; else an empty one."""
    total = cost(specs)
    if total.fits(memory_mib):
        return ""
    alone = next((spec for spec in specs if len(specs) > 1 and not cost([spec]).fits(memory_mib)), None)
    if alone:
        return too_much([alone], memory_mib)
    named = f"The add-on {specs[0]} takes" if len(specs) == 1 else f"The add-ons {', '.join(specs)} take"
    if total.pods > PODS:
        return f"{named} {total.pods} pods, and the lab's nodes have place for {PODS}. Ask for fewer."
    return (
        f"{named} {gib(total.memory)} of memory, needs included; this host has {gib(memory_mib)}, "
        f"{gib(for_addons(memory_mib))} of it for add-ons. Ask for fewer replicas, or use a larger host."
    )


def _by_namespace(specs: Iterable[str]) -> Running:
    return {addon.namespace: addon for addon in addons.with_needs(sorted(specs))}


def _total(parts: Iterable[Addon]) -> Cost:
    costs = [one for addon in parts for one in _costs(addon)]
    return Cost(sum(one.memory + POD * one.pods for one in costs), sum(one.pods for one in costs))


def _costs(addon: Addon) -> Iterator[Cost]:
    yield Cost(addon.memory, addon.pods)
    for parameter, each in addon.each.items():
        times = int(addon.parameters[parameter])
        yield Cost(times * each["memory"], times * each["pods"])


def gib(mebibytes: int) -> str:
    """Return an amount of memory in GiB, for people."""
    return f"{mebibytes / 1024:.1f} GiB"
