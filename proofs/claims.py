"""What a proof claims: its listings, its evidence, and the mutants it must notice."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lab import addons
from lab.edition import versions
from lab.errors import LabError
from proofs.failures import HarnessError
from proofs.listings import is_picture, is_refused
from proofs.records import EVIDENCE
from proofs.workloads import wrong_exceptions

Test = TypeVar("Test", bound=Callable[..., Any])

#: Evidence that a program or a file gives, without a cluster.
CLUSTER_FREE = frozenset({"computed", "checked", "captured"})


@dataclass(frozen=True)
class Mutant:
    """One change of a listing that its proof must notice, and what the change breaks.

    `old` must occur exactly once in the file.
    """

    listing: str
    old: str
    new: str
    _: KW_ONLY
    because: str

    @property
    def change(self) -> str:
        """Return the change in one line."""
        return f"{' '.join(self.old.split())} -> {' '.join(self.new.split())}"

    def mutate(self, text: str) -> str:
        """Return a listing's text with the change made; raise HarnessError if it cannot."""
        found = text.count(self.old)
        if found != 1 or self.old == self.new:
            message = (
                f"mutant of examples/{self.listing}: {self.old!r} occurs {found} times "
                "in it; name a text that occurs once, and another to replace it"
            )
            raise HarnessError(message)
        return text.replace(self.old, self.new)


@dataclass(frozen=True)
class Claim:
    """What `proves` says about a test."""

    listings: tuple[str, ...]
    evidence: str
    uses: tuple[str, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    _: KW_ONLY
    needs: tuple[str, ...] = ()
    router: str = ""
    alone: bool = False
    apart: str = ""
    only_in_lab: bool = False
    unlike_production: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def needs_cluster(self) -> bool:
        """Tell whether a proof of the claim needs the lab, or another cluster."""
        return bool(self.needs) or self.evidence not in CLUSTER_FREE

    def faults(self, root: Path) -> Iterator[str]:
        """Yield a sentence for everything that is wrong with the claim."""
        if not self.listings:
            yield "claims no listing; name its path under examples/"
        if self.evidence not in EVIDENCE:
            yield f"gives evidence {self.evidence!r}; choose one of {', '.join(EVIDENCE)}"
        for component in self.uses:
            if component not in versions():
                yield f"uses {component!r}, which edition.toml does not pin; correct it"
        if self.apart and (self.alone or not re.fullmatch("[a-z][a-z-]*", self.apart)):
            yield f"is apart in {self.apart!r}; name a thing in small letters, and don't say alone=True, too"
        yield from self._faults_of_needs()
        yield from wrong_exceptions(root, self.listings, self.unlike_production)
        reasons = [mutant.because for mutant in self.mutants]
        for reason in {one for one in reasons if reasons.count(one) > 1}:
            yield f"has two mutants because {reason!r}; say what each of them breaks"
        for listing in self.listings:
            yield from self._faults_of(listing, root)
        for mutant in self.mutants:
            if mutant.listing not in self.listings:
                yield f"has a mutant of {mutant.listing}, which it does not claim"

    def _faults_of_needs(self) -> Iterator[str]:
        for need in self.needs:
            try:
                addons.find(need)
            except LabError as error:
                yield f"needs {need!r}. {error}"
        try:
            met = any(self.takes_router(line) for line in router_lines())
        except InvalidSpecifier:
            yield f'needs router {self.router!r}, which is no version to compare with; write ">=0.10"'
        else:
            if not met:
                yield f"needs router {self.router!r}; the edition has {' and '.join(router_lines())}"

    def takes_router(self, line: str) -> bool:
        """Tell whether the proof holds on a router line such as `v0.10.0`."""
        return SpecifierSet(self.router).contains(line)

    def _faults_of(self, listing: str, root: Path) -> Iterator[str]:
        if not is_picture(listing) and not (root / "examples" / listing).is_file():
            yield f"claims examples/{listing}, which does not exist; correct the path"
        if is_picture(listing):
            if not self.mutants:
                yield f"claims {listing} alone; claim what the picture shows, too, with a Mutant(...) of that"
        elif listing not in {mutant.listing for mutant in self.mutants}:
            yield (
                f"names no mutant of examples/{listing}; add a Mutant(...), a change "
                "of that file that must make the proof fail"
            )
        if is_refused(listing) != (self.evidence == "refused"):
            yield (
                f"proves examples/{listing} as {self.evidence!r}; listings in refused/, "
                "and no others, are proven as 'refused'"
            )


def router_lines() -> tuple[str, str]:
    """Return the router lines of the edition, the newer one first."""
    return versions()["router"], versions()["router-offline"]


def proves(  # noqa: PLR0913 - all that a claim may say
    *listings: str,
    evidence: str,
    uses: Sequence[str] = (),
    mutants: Sequence[Mutant] = (),
    needs: Sequence[str] = (),
    router: str = "",
    alone: bool = False,
    apart: str = "",
    only_in_lab: bool = False,
    unlike_production: Mapping[str, Mapping[str, str]] | None = None,
) -> Callable[[Test], Test]:
    """Claim listings (paths under examples/) for a test that takes the fixture `proof`.

    `uses` names the components, as in edition.toml, whose versions the record shows;
    `needs` the add-ons that must run ("fleet", "fleet:model=chat,replicas=2"); `router`
    the lines on which it holds (">=0.10"). `alone` keeps other proofs from running
    beside it, `apart` those that name the same thing ("gpus"); `only_in_lab` says that it
    is about the lab's own nodes. `unlike_production` maps a listing to the rules for
    workloads that it breaks (proofs/workloads.py), each with the sentence of the chapter's
    page that says why.
    """
    claim = Claim(
        listings,
        evidence,
        tuple(uses),
        tuple(mutants),
        needs=tuple(needs),
        router=router,
        alone=alone,
        apart=apart,
        only_in_lab=only_in_lab,
        unlike_production=unlike_production or {},
    )
    return pytest.mark.proves(claim)


def claim_of(test: pytest.Item) -> Claim | None:
    """Return what a test claims; None for a test that is no proof."""
    marker = test.get_closest_marker("proves")
    return marker.args[0] if marker else None


def claims_of_project(root: Path) -> dict[str, Claim]:
    """Return the id of each test -> claim for all proofs in tests/proofs of the project at `root`."""
    files = sorted((root / "tests/proofs").glob("*/test_*.py"))
    return claims_in([file.relative_to(root).as_posix() for file in files])


def claims_in(files: Iterable[str]) -> dict[str, Claim]:
    """Return the id of each test -> claim for the proofs in some modules of tests/proofs."""
    claims: dict[str, Claim] = {}
    for file in files:
        module = importlib.import_module(".".join(Path(file).with_suffix("").parts))
        for name, function in vars(module).items():
            for marker in getattr(function, "pytestmark", []):
                if marker.name == "proves" and function.__module__ == module.__name__:
                    claims[f"{file}::{name}"] = marker.args[0]
    return claims
