"""What a proof can do: apply, wait, reach, run, compare, in a namespace made for it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Page

from lab import addons
from lab.addons import Addon
from lab.cluster import Lab
from lab.edition import versions
from proofs import devices, namespaces, screenshots, transcripts, workloads
from proofs.claims import CLUSTER_FREE, Claim, Mutant
from proofs.cluster import Answer, Cluster, Resource
from proofs.connection import Connection
from proofs.documents import Document, read_documents
from proofs.failures import (
    CommandFailed,
    HarnessError,
    Missing,
    ProofFailed,
    Refused,
)
from proofs.forward import forwarded
from proofs.leftovers import Trace
from proofs.listings import imported, is_refused, refusal_path
from proofs.needs import addon_of
from proofs.observed import Observed
from proofs.records import digest
from proofs.sameness import stored_alike
from proofs.turns import turn
from proofs.waiting import Condition, holds, wait_until
from proofs.workspace import Workspace, as_printed, as_the_lab_takes_it

Outcome = TypeVar("Outcome")

#: A mutant's run waits at most this long, or this many times as long as the unchanged
#: listing took, if that is more: so that it fails for the change, not for the haste.
MUTANT_DEADLINE = 10
MUTANT_PATIENCE = 3
#: Columns of the terminal that programs in a proof believe to have: a page's width.
COLUMNS = "78"


class ServerWarning(UserWarning):
    """The API server took a listing, and warned about it."""


def digests(root: Path, listing: str) -> tuple[str, str]:
    """Return the sha256 of a listing and of the refusal beside it, empty without one."""
    file = root / "examples" / listing
    answer = refusal_path(file)
    return (
        digest(file) if file.is_file() else "",
        digest(answer) if is_refused(listing) and answer.is_file() else "",
    )


def _pass_on_warnings(answer: Answer, listing: str) -> None:
    for warning in answer.warnings:
        warnings.warn(ServerWarning(f"{listing}: {warning}"), stacklevel=4)


@dataclass(frozen=True)
class Session:
    """What all runs of a session share: the way to the lab, the project, the options.

    `label` marks the session's namespaces.
    """

    connection: Connection
    root: Path
    label: str
    recording: bool
    refreshing: bool = False


@dataclass
class Seen:
    """What the run on the unchanged listings saw, for the runs with a mutant.

    `waited` maps what was waited for to seconds, `printed` a transcript to what its
    commands printed.
    """

    waited: dict[str, float] = field(default_factory=dict)
    printed: dict[str, list[transcripts.Step]] = field(default_factory=dict)


class Proof:
    """One run of a proof, on the listings as they are or with one mutant applied."""

    def __init__(
        self,
        claim: Claim,
        mutant: Mutant | None,
        session: Session,
        folder: Path,
        seen: Seen,
    ) -> None:
        """Prepare a run; nothing is made before the test asks for it.

        `folder` is an empty one for this run's copies. The unchanged proof's run fills
        `seen`, its mutants' runs read it. `own_seconds` counts what the harness takes for
        the namespace, applying and cleaning.
        """
        self.claim = claim
        self.mutant = mutant
        self.applied: list[tuple[Resource, str, str]] = []
        self.digests = {listing: digests(session.root, listing) for listing in claim.listings}
        self._connection = session.connection
        self.own_seconds = 0.0
        self._turn = ExitStack()
        self._trace = Trace(claim.alone)
        self._root = session.root
        self._folder = folder
        self._label = session.label
        self._recording = session.recording and mutant is None
        self._refreshing = session.refreshing
        self._seen = seen
        self._made: list[str] = []
        self._observed = Observed()
        self.answered_by: dict[str, str] = {}

    @property
    def recording(self) -> bool:
        """Tell whether this run rewrites what was recorded: with --record, on the unchanged listings."""
        return self._recording

    # The lab

    @property
    def lab(self) -> Lab:
        """The lab; raises HarnessError when it is not up."""
        return self._asked_for.lab

    @property
    def cluster(self) -> Cluster:
        """The lab's API server."""
        return self._asked_for.cluster

    @cached_property
    def _asked_for(self) -> Connection:
        """The connection that a test asked for: from here on it can make objects as programs do."""
        connection = self._inside
        self._turn.enter_context(self._trace.program())
        return connection

    @cached_property
    def _inside(self) -> Connection:
        """The connection, once it is this run's turn; asked for when the run first needs it."""
        self._connection.lab  # noqa: B018 - raises when it is not up
        self._turn.enter_context(turn(alone=self.claim.alone, apart=self.claim.apart))
        with self._counted():
            self._connection.leftovers.begin()
        return self._connection

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Add what the harness does by itself to its own seconds."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.own_seconds += time.monotonic() - begin

    @property
    def _touched_lab(self) -> bool:
        return "_inside" in vars(self)

    @cached_property
    def namespace(self) -> str:
        """The namespace of this run, made at the first use."""
        name = namespaces.new_name()
        self._made.append(namespaces.path(name))
        self._trace.namespace = name
        cluster = self._inside.cluster
        needed = addons.with_needs(self.claim.needs)
        labels = {key: value for addon in needed for key, value in addon.watches.items()}
        with self._counted():
            namespaces.create(cluster, name, self._label, labels)
        return name

    @property
    def made_namespace(self) -> bool:
        """Tell whether the run has a namespace."""
        return "namespace" in vars(self)

    @property
    def opened(self) -> tuple[str, ...]:
        """The listings that the run opened."""
        return self._workspace.opened() if "_workspace" in vars(self) else ()

    def observe(self) -> None:
        """Note what runs now; called before what runs may go."""
        if self._touched_lab and self.mutant is None:
            inside = [self.namespace] if self.made_namespace else []
            there = [addons.find(need).namespace for need in self.claim.needs]
            self._observed.namespaces(self._inside.cluster, (*inside, *there))

    def environment(self) -> dict[str, str]:
        """Return what a record says about where this run took place, and what it saw there.

        Raises HarnessError when the claim's `uses` names what the run did not see.
        """
        python = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        seen, uses = self._observed.components, set(self.claim.uses)
        if self.claim.evidence in CLUSTER_FREE and not self._touched_lab:
            written_for = {f"for {name}": versions()[name] for name in sorted(uses - seen)}
            return python | {name: versions()[name] for name in sorted(seen)} | written_for
        if uses - seen - {"python"}:
            message = f"uses={sorted(uses - seen)} was not seen at work in the run: take it out of @proves"
            raise HarnessError(message)
        found = {**versions(), **self._connection.environment}
        return {name: found[name] for name in ("cluster", "kubernetes", *sorted(seen & uses or seen))}

    def surroundings(self) -> dict[str, str]:
        """Return what a mutant's fate depends on besides the proof: versions, and the router line."""
        if self.claim.evidence in CLUSTER_FREE:
            return {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
        return self._connection.environment

    # Files

    def path(self, listing: str) -> Path:
        """Return a listing in this run's copy of its chapter, as the lab takes it."""
        return self._workspace.path(listing)

    def module(self, listing: str) -> ModuleType:
        """Return a program of the book, imported from this run's copy."""
        path = self.path(listing)
        try:
            return imported(path, path.stem)
        except ImportError as error:
            message = f"examples/{listing} cannot be imported: {error}; correct it"
            raise HarnessError(message) from error

    def check_workloads(self) -> None:
        """Hold the workloads of the claimed listings, as readers have them, to what production needs.

        Raises ProofFailed with a sentence for every rule that is broken and not excepted.
        """
        examples = self._root / "examples"
        concerned = [
            listing
            for listing in self.claim.listings
            if self.claim.evidence in workloads.CONCERNED and listing.endswith(".yaml")
            if workloads.is_concerned((examples / listing).read_text())
        ]
        texts = {listing: self._workspace.as_written(listing) for listing in concerned}
        broken = [
            sentence
            for listing in concerned
            for word, sentence in workloads.broken_rules(self._root, listing, texts)
            if word not in self.claim.unlike_production.get(listing, {})
        ]
        if broken:
            raise ProofFailed("\n".join([*broken, workloads.REMEDY]))

    @property
    def mutant_means_nothing(self) -> bool:
        """Tell whether the API server would keep the same objects with the mutant as without it."""
        if self.mutant is None or self.claim.evidence in CLUSTER_FREE:
            return False
        text = self.path(self.mutant.listing).read_text()
        before = self._workspace.unchanged(self.mutant.listing)
        return stored_alike(self._inside.cluster, self.namespace, before, text)

    @cached_property
    def _workspace(self) -> Workspace:
        adapt = (
            as_printed
            if self.claim.evidence in CLUSTER_FREE
            else as_the_lab_takes_it(self._inside.lab.router_line, self.namespace)
        )
        return Workspace(self._root, self._folder / "examples", self.mutant, adapt)

    # Objects

    def apply(self, *listings: str) -> list[dict[str, Any]]:
        """Apply listings in their order and return the objects as the server has them.

        Raises Refused with the server's message; warns with the server's warnings.
        """
        return [
            self._apply(document, listing) for listing in listings for document in self._documents(listing)
        ]

    def _documents(self, listing: str, *, duplicates: bool = False) -> list[Document]:
        text = self.path(listing).read_text()
        return read_documents(text, f"examples/{listing}", duplicates=duplicates)

    def accepted(self, *listings: str) -> None:
        """Check that the API server would take listings, strictly, without making them.

        For what nothing in the lab can run. Raises Refused, warns, as `apply` does.
        """
        for listing in listings:
            for document in self._documents(listing):
                self._observed.api_version(document.api_version)
                _, answer = self._inside.cluster.apply(document, self.namespace, dry_run=True)
                _pass_on_warnings(answer, listing)

    def _apply(self, document: Document, listing: str) -> dict[str, Any]:
        cluster, namespace = self._inside.cluster, self.namespace
        self._observed.api_version(document.api_version)
        with self._counted():
            resource, answer = cluster.apply(document, namespace)
        self._remember(resource, document, created=answer.created)
        _pass_on_warnings(answer, listing)
        return answer.content

    def _remember(self, resource: Resource, document: Document, *, created: bool) -> None:
        namespace = document.namespace or self.namespace
        self.applied.append((resource, namespace, document.name))
        inside = resource.namespaced and namespace == self.namespace
        if created and not inside:
            self._made.append(resource.path(namespace, document.name))

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        """Return an object of the run's namespace, of another, or of the cluster; raises Missing."""
        path = self._inside.cluster.resource_named(kind).path(namespace or self.namespace, name)
        return self._inside.cluster.request("GET", path).content

    def objects(self, kind: str, selector: str = "", namespace: str = "") -> list[dict[str, Any]]:
        """Return the objects of a kind, all or those that a label selector picks."""
        path = self._inside.cluster.resource_named(kind).path(namespace or self.namespace)
        query = {"labelSelector": selector} if selector else {}
        found = self._inside.cluster.request("GET", path, query=query).content
        items: list[dict[str, Any]] = found["items"]
        return items

    def delete(self, kind: str, name: str, deadline: float = 60) -> None:
        """Delete an object and wait until it is gone; raises Missing."""
        self.observe()
        path = self._inside.cluster.resource_named(kind).path(self.namespace, name)
        self._inside.cluster.request("DELETE", path)
        self.wait(kind, name, "deleted", deadline)

    def logs(self, target: str, container: str = "", namespace: str = "") -> str:
        """Return what a container of a pod (`pod/name`, `deployment/name`) printed."""
        chosen = [f"--container={container}"] if container else []
        return self.kubectl("logs", target, *chosen, f"--namespace={namespace or self.namespace}")

    def addon(self, name: str) -> Addon:
        """Return an add-on that the claim needs: its `namespace` and `parameters`.

        `name` is its name, or all that `needs` says of it where it is there twice.
        """
        return addon_of(self.claim, name)

    # Pretended hardware

    @contextmanager
    def fake_device(self, node: str, resource: str, count: int) -> Iterator[None]:
        """Let a node offer `count` of an extended resource ("rdma/hca"); the claim says alone=True."""
        self._require_alone(f"a device on {node}")
        with devices.fake_device(self._inside.cluster, node, resource, count):
            yield

    @contextmanager
    def node_labels(self, node: str, labels: Mapping[str, str]) -> Iterator[None]:
        """Let a node carry labels; the claim says alone=True."""
        self._require_alone(f"labels on {node}")
        with devices.node_labels(self._inside.cluster, node, labels):
            yield

    def _require_alone(self, what: str) -> None:
        if not self.claim.alone:
            message = f"{what} would be seen by every proof in the lab: say alone=True in @proves"
            raise HarnessError(message)

    # Waiting

    def wait(
        self, kind: str, name: str, condition: Condition, deadline: float = 60, *, namespace: str = ""
    ) -> dict[str, Any]:
        """Wait until a condition of an object holds; return the object.

        A condition is "Type", "Type=Status", "deleted" or a function of the object.
        """
        __tracebackhide__ = True
        found: dict[str, Any] = {}

        def met() -> bool:
            try:
                found.update(self.get(kind, name, namespace))
            except Missing:
                if condition == "deleted":
                    return True
                raise
            if condition != "deleted" and holds(condition, found):
                return True
            raise AssertionError(found.get("status", {}))

        wanted = getattr(condition, "__name__", condition)
        self.wait_until(met, deadline, f"{kind}/{name} {wanted}")
        return found

    def wait_until(self, check: Callable[[], Outcome], deadline: float, what: str) -> Outcome:
        """Return the first true outcome of `check`; raise DeadlinePassed after that."""
        __tracebackhide__ = True
        begin = time.monotonic()
        outcome = wait_until(check, deadline=self._cut(deadline, what), what=what)
        if not self.mutant:
            self._seen.waited[what] = max(time.monotonic() - begin, self._seen.waited.get(what, 0))
        return outcome

    def _cut(self, deadline: float, what: str) -> float:
        """Return the deadline of a wait in this run: a mutant's ends earlier."""
        if self.mutant is None:
            return deadline
        patience = MUTANT_PATIENCE * self._seen.waited.get(what, 0)
        return min(deadline, max(MUTANT_DEADLINE, patience))

    # Programs

    def kubectl(self, *arguments: str | Path) -> str:
        """Return what the lab's kubectl prints, in the namespace."""
        return self.run(["kubectl", *arguments])

    def run(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        deadline: float = 120,
    ) -> str:
        """Return what a program prints on standard output; raises CommandFailed.

        It runs in this run's copy of the chapter of the first claimed listing.
        """
        cwd = self._workspace.chapter(self.claim.listings[0])
        self._observed.command(shlex.join(map(str, command)))
        variables = {**self._shell_environment, **(environment or {})}
        try:
            with self._trace.program():
                result = subprocess.run(
                    [str(part) for part in command],
                    cwd=cwd,
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=deadline,
                    check=False,
                )
        except FileNotFoundError as error:
            message = f"{command[0]} is not installed"
            raise HarnessError(message) from error
        except subprocess.TimeoutExpired as error:
            message = f"{command[0]}: no end within {deadline:g} s"
            raise CommandFailed(message) from error
        if result.returncode:
            said = (result.stderr or result.stdout).strip()
            message = f"{command[0]} exited with {result.returncode}: {said}"
            raise CommandFailed(message)
        return result.stdout

    @cached_property
    def _shell_environment(self) -> dict[str, str]:
        programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"CI", "KUBECONFIG", "PYTEST_CURRENT_TEST"}
        }
        fixed = {
            "COLUMNS": COLUMNS,
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self._root),
        }
        if self.claim.evidence not in CLUSTER_FREE:
            kubeconfig = self._folder / "kubeconfig"
            namespaces.write_kubeconfig(self._inside.lab.kubeconfig, kubeconfig, self.namespace)
            fixed["KUBECONFIG"] = str(kubeconfig)
            programs.insert(0, str(self._inside.lab.kubectl.parent))
        return {**inherited, **fixed, "PATH": os.pathsep.join(programs)}

    @contextmanager
    def forward(
        self, target: str, port: int | str, deadline: float = 20, *, namespace: str = ""
    ) -> Iterator[str]:
        """Yield a base URL on a free loopback port that reaches a pod or service."""
        deadline = self._cut(deadline, f"forward {target}")
        where = namespace or self.namespace
        with forwarded(target, port, where, self._shell_environment, deadline) as url:
            self.observe()
            yield url

    # Pictures

    def screenshot(
        self,
        listing: str,
        url: str,
        *,
        shows: Sequence[str],
        before: Callable[[Page], None] | None = None,
        size: tuple[int, int] = screenshots.SIZE,
        deadline: float = 30,
    ) -> None:
        """Open a page in Chromium, check that it shows all the given words, and keep a picture of it.

        `before` gets Playwright's page when it is loaded, to go to what the picture shows;
        `size` is in CSS pixels, `deadline` in seconds. With --record, a picture that is
        missing or was taken of other words is taken; with --refresh, each one. Skips the
        test where there is no Chromium.
        """
        if not screenshots.program():
            pytest.skip("needs Chromium: sudo apt-get install --no-install-recommends chromium")
        file = self._root / "examples" / listing
        with screenshots.opened(url, size, deadline) as page:
            if before:
                before(page)
            for words in shows:
                screenshots.require(page, words)
            self.observe()
            is_kept = file.is_file() and screenshots.words_of(file) == list(shows)
            if self._recording and (self._refreshing or not is_kept):
                file.write_bytes(screenshots.taken(page, shows))
                self.digests[listing] = digests(self._root, listing)
            elif not is_kept:
                message = f"examples/{listing} is no picture of {list(shows)}; take it with --record"
                raise ProofFailed(message)

    # Printed text

    def transcript(
        self,
        listing: str,
        *,
        exchange: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        failing: Collection[int] = (),
        deadline: float = 180,
    ) -> None:
        """Run a transcript's commands again and compare what they print.

        `exchange` maps the reader's words to this run's. Commands whose numbers, from 1,
        are in `failing` must fail, all others succeed. With --record, a transcript that
        differs is rewritten instead, and with --refresh also one whose words are the same
        and whose times and names of pods aren't.
        """
        file = self.path(listing)
        expected = transcripts.read_transcript(file.read_text(), f"examples/{listing}")
        commands = [self._in_this_run(step.command, exchange or {}) for step in expected]
        variables = {**self._shell_environment, **(environment or {})}
        self._observed.command("\n".join(commands))
        with self._trace.program():
            results = transcripts.run_steps(
                commands, cwd=self._workspace.chapter(listing), environment=variables, deadline=deadline
            )
        found = [
            transcripts.Step(step.command, self._for_readers(output, exchange or {}))
            for step, (output, _) in zip(expected, results, strict=False)
        ]
        for number, (step, (_, status)) in enumerate(zip(found, results, strict=True), 1):
            if (status != 0) != (number in failing):
                printed = transcripts.printed_transcript(found[:number])
                message = (
                    f"examples/{listing}, command {number}: {step.command!r} exited with "
                    f"{status}. Until then:\n{printed}"
                )
                raise CommandFailed(message)
        self.observe()
        if not self.mutant:
            self._seen.printed[listing] = found
        difference = transcripts.difference(expected, found)
        if self._recording and (difference or (self._refreshing and found != expected)):
            self._record(self._root / "examples" / listing, listing, transcripts.printed_transcript(found))
        elif difference:
            message = f"examples/{listing} differs from what is printed now:\n{difference}"
            raise ProofFailed(message)

    @property
    def mutant_changes_printed_text(self) -> bool:
        """Tell whether the mutant changes what a transcript's commands print, not them.

        They would print what they printed in the unchanged run, so they need not run again.
        """
        printed = self._seen.printed.get(self.mutant.listing) if self.mutant else None
        commands = [step.command for step in printed or []]
        return bool(printed) and commands == [step.command for step in self._mutated_transcript()]

    def compare_printed_text(self) -> None:
        """Compare a mutated transcript with what its commands printed in the unchanged run."""
        if self.mutant is None:
            return
        listing = self.mutant.listing
        difference = transcripts.difference(self._mutated_transcript(), self._seen.printed[listing])
        if difference:
            message = f"examples/{listing} differs from what is printed now:\n{difference}"
            raise ProofFailed(message)

    def _mutated_transcript(self) -> list[transcripts.Step]:
        if self.mutant is None:
            return []
        where = f"examples/{self.mutant.listing}"
        return transcripts.read_transcript(self.mutant.mutate((self._root / where).read_text()), where)

    def refused(self, listing: str) -> None:
        """Check that the API server refuses a listing with the message kept beside it.

        The file is created as `kubectl create` does, or applied if its object exists.
        With --record, a message that differs is rewritten instead.
        """
        documents = self._documents(listing, duplicates=True)
        try:
            for document in documents:
                self._observed.api_version(document.api_version)
                resource, answer = self._create_or_apply(document)
                self._remember(resource, document, created=answer.created)
        except Refused as refusal:
            self.answered(listing, str(refusal), by="The API server")
        else:
            message = f"examples/{listing} was accepted by the API server"
            raise ProofFailed(message)

    def _create_or_apply(self, document: Document) -> tuple[Resource, Answer]:
        resource = self._inside.cluster.resource_of(document)
        path = resource.path(document.namespace or self.namespace, document.name)
        try:
            self._inside.cluster.request("GET", path)
        except Missing:
            return self._inside.cluster.create(document, self.namespace)
        return self._inside.cluster.apply(document, self.namespace)

    def answered(self, listing: str, message: str, *, by: str) -> None:
        """Compare a refusal with the text kept beside a listing in refused/; `by` gave it."""
        self.answered_by[listing] = by
        kept = refusal_path(self._root / "examples" / listing)
        expected = kept.read_text() if kept.is_file() else ""
        found = self._for_readers(message, {}).strip() + "\n"
        if transcripts.normalised(expected) == transcripts.normalised(found):
            return
        if not self._recording:
            message = (
                f"examples/{listing} was refused with another message than {kept.name} "
                f"says.\nkept: {expected.strip()}\nnow:  {found.strip()}"
            )
            raise ProofFailed(message)
        self._record(kept, listing, found)

    def _record(self, file: Path, listing: str, text: str) -> None:
        file.write_text(text)
        self.digests[listing] = digests(self._root, listing)

    def _in_this_run(self, text: str, exchange: Mapping[str, str]) -> str:
        text = transcripts.exchanged(text, exchange)
        if self.claim.evidence in CLUSTER_FREE:
            return text
        return namespaces.moved(text, self.namespace)

    def _for_readers(self, text: str, exchange: Mapping[str, str]) -> str:
        if self.made_namespace:
            text = text.replace(self.namespace, namespaces.BOOK_NAMESPACE)
        return transcripts.exchanged(text, exchange, back=True)

    # The end

    def clean(self) -> None:
        """Delete what the run made, last first, without waiting for its end; end its turn.

        Raises HarnessError when the run left anything outside of its namespace.
        """
        left: list[str] = []
        with self._turn, self._counted():
            self._delete_what_was_made()
            if self._touched_lab and self.claim.alone:
                left = self._left_behind()
        if self._touched_lab and not self.claim.alone:
            with self._counted():
                left = self._left_behind()
        if left:
            message = f"the proof left behind: {', '.join(left)}. Take away what the proof makes."
            raise HarnessError(message)

    def _delete_what_was_made(self) -> None:
        while self._made:
            self._inside.cluster.delete(self._made.pop())
        if self.made_namespace:
            # A picker drains for 30 s, reading metrics all the while; nothing here needs it.
            self._inside.cluster.delete(f"{namespaces.path(self.namespace)}/pods", at_once=True)

    def _left_behind(self) -> list[str]:
        return self._connection.leftovers.left_by(self._trace)
