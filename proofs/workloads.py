"""What every workload of the book has, unless its page says why not: one assertion for all proofs.

Each run of a proof begins with it, so that a mutant in such a line is noticed whatever the
proof is about. A rule is a row in a table below. A claim may except a listing from a rule
with the sentence of the chapter's page that says why::

    @proves(LOADER, ..., unlike_production={LOADER: {"non-root": "The loader runs as root, since ..."}})
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

from proofs.chapters import Chapter
from proofs.documents import Document, read_documents
from proofs.failures import HarnessError
from proofs.listings import is_refused, listing_files, slug_of

#: Evidence of listings that are to be run.
CONCERNED = frozenset({"ran", "accepted", "checked"})
#: What a listing has that any rule is about.
ABOUT = re.compile(r"(?m)^[\s-]*containers:|^kind: (?:NetworkPolicy|PodMonitor|Service|ServiceMonitor)$")
PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
HANDLERS = ("httpGet", "tcpSocket", "grpc", "exec")
NAME = "app.kubernetes.io/name"

REMEDY = "Mend the listing, or let its page say why not, and `unlike_production` quote the page."

Content = Mapping[str, Any]
Of = TypeVar("Of")


@dataclass(frozen=True)
class Pod:
    """A pod, or the template of one, in an object such as `Deployment/router` of a listing."""

    listing: str
    object: str
    labels: Mapping[str, str]
    spec: Content

    @property
    def containers(self) -> list[Container]:
        """Return its containers; those that run before the others come last."""
        named = [(True, one) for one in self.spec["containers"]]
        named += [(False, one) for one in self.spec.get("initContainers") or ()]
        ends = self.spec.get("restartPolicy") in {"Never", "OnFailure"}
        return [Container(self, one, serves=main and not ends) for main, one in named]


@dataclass(frozen=True)
class Container:
    """A container of a pod; `serves` tells whether it is to run for good and be asked."""

    pod: Pod
    content: Content
    serves: bool

    def __str__(self) -> str:
        """Return where it is."""
        return f"{self.pod.object}, container {self.content.get('name')}"

    def secures(self, field: str, *, alone: bool = False) -> Any:  # noqa: ANN401 - YAML holds anything
        """Return a field of its security context, else of its pod's, unless `alone`."""
        own, of_pod = (one.get("securityContext") or {} for one in (self.content, self.pod.spec))
        return own.get(field) if alone else own.get(field, of_pod.get(field))

    def resources(self, kind: str) -> Content:
        """Return its requests or limits."""
        found: Content = (self.content.get("resources") or {}).get(kind) or {}
        return found

    @property
    def image(self) -> str:
        """The repository of its image."""
        return str(self.content.get("image")).rpartition(":")[0]

    @property
    def ports(self) -> list[Content]:
        """The ports that it declares."""
        return list(self.content.get("ports") or ())

    def asked(self) -> Iterator[Any]:
        """Yield the ports that its probes ask."""
        for probe in filter(None, map(self.content.get, PROBES)):
            yield from (probe[one].get("port") for one in HANDLERS if "port" in (probe.get(one) or {}))

    def offers(self, port: Any) -> bool:  # noqa: ANN401 - a name or a number
        """Tell whether it declares a port of a name or number."""
        return any(port in (one.get("name"), one.get("containerPort")) for one in self.ports)


class Book:
    """The listings beside which a run's own ones are judged: `texts` are as the run has them."""

    def __init__(self, root: Path, slug: str, texts: Mapping[str, str]) -> None:
        """Look at a chapter of the project at `root`, and at other chapters where that is needed."""
        self._files = {
            listing: file
            for listing, file in listing_files(root).items()
            if file.suffix == ".yaml" and not is_refused(listing)
        }
        self._slug = slug
        self._texts = texts

    def _documents(self, compares: Callable[[str, str], bool]) -> Iterator[tuple[str, Document]]:
        """Yield documents with their listings, of chapters whose slug compares so with the chapter's.

        Slugs begin with a number of two digits, so they are in the order of the book.
        """
        for listing, file in self._files.items():
            if compares(slug_of(listing), self._slug):
                text = self._texts.get(listing) or file.read_text(encoding="utf-8")
                found = documents_of(text) if is_concerned(text) else ()
                yield from ((listing, document) for document in found)

    @cached_property
    def pods(self) -> list[Pod]:
        """The pods of the chapter's listings."""
        return [pod for listing, one in self._documents(operator.eq) for pod in pods_of(one, listing)]

    @cached_property
    def _pods_elsewhere(self) -> list[Pod]:
        return [pod for listing, one in self._documents(operator.ne) for pod in pods_of(one, listing)]

    @cached_property
    def ports(self) -> set[str]:
        """The names of ports that Services, probes and other objects of the book so far refer to."""
        documents = self._documents(operator.le)
        return {name for _, document in documents for name in _ports_referred_to(document.content)}

    def alike(self, container: Container, aspect: Callable[[Container], Any]) -> bool:
        """Tell whether another listing has an aspect of a container for its image, if any has one."""
        own, compared = aspect(container), False
        for elsewhere in (False, True) if own else ():
            pods = self._pods_elsewhere if elsewhere else self.pods
            others = [one for pod in pods if pod.listing != container.pod.listing for one in pod.containers]
            found = [aspect(one) for one in others if one.image == container.image and aspect(one)]
            if own in found:
                return True
            compared = compared or bool(found)
        return not compared


@dataclass(frozen=True)
class Rule(Generic[Of]):
    """What a container or a Service must have: a word for it, the demand, and whether it is met."""

    word: str
    demand: str
    is_met: Callable[[Of, Book], bool]


def _timing(probe: Content) -> Content:
    """Return when a probe asks: every 10 s where it does not say."""
    timing = {key: value for key, value in probe.items() if key not in HANDLERS}
    return {"periodSeconds": 10, **timing} if probe else {}


def _apart_from_port(probe: Content | None) -> list[tuple[str, Any]]:
    """Return what a probe asks and when; the port may have another name in another listing."""
    asked = {key: {**value, "port": ""} if key in HANDLERS else value for key, value in (probe or {}).items()}
    return sorted(asked.items())


def _is_sane(probe: Content | None) -> bool:
    return bool(probe) and all(
        (probe or {}).get(key, 1) >= 1 for key in ("periodSeconds", "failureThreshold")
    )


#: Pod Security "restricted" first, which a test compares with the API server's own answer.
OF_CONTAINERS: tuple[Rule[Container], ...] = (
    Rule(
        "non-root",
        "runAsNonRoot: true, and no runAsUser: 0",
        lambda one, _: one.secures("runAsNonRoot") is True and one.secures("runAsUser") != 0,
    ),
    Rule(
        "escalation",
        "allowPrivilegeEscalation: false, and not privileged",
        lambda one, _: (
            one.secures("allowPrivilegeEscalation", alone=True) is False
            and not one.secures("privileged", alone=True)
        ),
    ),
    Rule(
        "capabilities",
        "capabilities: {drop: [ALL]}, and none added",
        lambda one, _: (one.secures("capabilities", alone=True) or {}) == {"drop": ["ALL"]},
    ),
    Rule(
        "seccomp",
        "seccompProfile: {type: RuntimeDefault}",
        lambda one, _: (one.secures("seccompProfile") or {}).get("type") == "RuntimeDefault",
    ),
    Rule(
        "host",
        "nothing of its node: no hostNetwork, hostPID, hostIPC, hostPort or hostPath",
        lambda one, _: (
            not (
                any(one.pod.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
                or any("hostPort" in port for port in one.ports)
                or any("hostPath" in volume for volume in one.pod.spec.get("volumes") or ())
            )
        ),
    ),
    Rule(
        "read-only-root",
        "readOnlyRootFilesystem: true",
        lambda one, _: one.secures("readOnlyRootFilesystem", alone=True) is True,
    ),
    Rule(
        "token",
        "automountServiceAccountToken: false, or a ServiceAccount of a name",
        lambda one, _: (
            one.pod.spec.get("automountServiceAccountToken") is False or "serviceAccountName" in one.pod.spec
        ),
    ),
    Rule(
        "requests",
        "requests for cpu and memory",
        lambda one, _: {"cpu", "memory"} <= one.resources("requests").keys(),
    ),
    Rule("limits", "a limit of memory", lambda one, _: "memory" in one.resources("limits")),
    Rule(
        "readiness",
        "a readinessProbe with a period and thresholds from 1 on",
        lambda one, _: not one.serves or _is_sane(one.content.get("readinessProbe")),
    ),
    Rule(
        "liveness",
        "a livenessProbe with a period and thresholds from 1 on",
        lambda one, _: not one.serves or _is_sane(one.content.get("livenessProbe")),
    ),
    Rule(
        "probed-ports",
        "probes of ports that it declares",
        lambda one, _: all(map(one.offers, one.asked())),
    ),
    Rule(
        "port-names",
        "no name for a port that no Service or probe of this chapter or an earlier one names",
        lambda one, book: {port["name"] for port in one.ports if "name" in port} <= book.ports,
    ),
    Rule(
        "name",
        f"a name that is part of its object's, of the label {NAME} or of its image's",
        lambda one, _: any(
            str(one.content.get("name")) in known
            for known in (one.pod.object, one.pod.labels.get(NAME, ""), one.image)
        ),
    ),
    Rule(
        "sizes",
        "requests and limits that another listing has for its image, too",
        lambda one, book: book.alike(one, lambda other: other.content.get("resources")),
    ),
    Rule(
        "timing",
        "a readinessProbe as often as in another listing with its image",
        lambda one, book: book.alike(one, lambda other: _timing(other.content.get("readinessProbe") or {})),
    ),
    Rule(
        "alive",
        "the livenessProbe that another listing with its image has",
        lambda one, book: book.alike(one, lambda other: _apart_from_port(other.content.get("livenessProbe"))),
    ),
)


def _leads_somewhere(port: Content, selector: Mapping[str, str], book: Book) -> bool:
    """Tell whether a Service's port leads to one that the pods it selects declare, if there are any."""
    selected = [pod for pod in book.pods if selector.items() <= pod.labels.items()]
    target = port.get("targetPort", port.get("port"))
    return not selected or any(one.offers(target) for pod in selected for one in pod.containers)


#: The same for Services: their spec is judged.
OF_SERVICES: tuple[Rule[Content], ...] = (
    Rule(
        "targets",
        "ports that the pods it selects declare",
        lambda spec, book: all(
            _leads_somewhere(port, spec.get("selector") or {}, book) for port in spec.get("ports") or ()
        ),
    ),
    Rule(
        "service-ports",
        "the names of the ports that it leads to for its own",
        lambda spec, _: all(
            port.get("name") == port["targetPort"]
            for port in spec.get("ports") or ()
            if isinstance(port.get("targetPort"), str)
        ),
    ),
)
WORDS = frozenset({rule.word for rule in OF_CONTAINERS} | {rule.word for rule in OF_SERVICES})


def is_concerned(text: str) -> bool:
    """Tell whether a listing has anything that a rule is about."""
    return bool(ABOUT.search(text))


@cache
def documents_of(text: str) -> tuple[Document, ...]:
    """Return the documents of a listing; none of what cannot be read, which its proof will say."""
    try:
        return tuple(read_documents(text, "a listing"))
    except HarnessError:
        return ()


def pods_of(document: Document, listing: str) -> Iterator[Pod]:
    """Yield the pods in an object, however deep: of a Deployment, a JobSet, a LeaderWorkerSet."""
    for content in _mappings(document.content):
        spec = content.get("spec")
        if isinstance(spec, dict) and _is_whole(spec.get("containers")):
            labels = (content.get("metadata") or {}).get("labels") or {}
            yield Pod(listing, f"{document.kind}/{document.name}", labels, spec)


def _mappings(content: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - as above
    """Yield all mappings in a value."""
    if isinstance(content, dict):
        yield content
    for one in content.values() if isinstance(content, dict) else content:
        if isinstance(one, dict | list):
            yield from _mappings(one)


def _is_whole(containers: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether containers are more than a patch, which names no images."""
    return bool(containers) and all(isinstance(one, dict) and "image" in one for one in containers)


def _ports_referred_to(content: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    for found in _mappings(content):
        yield from (found[key] for key in ("port", "targetPort") if isinstance(found.get(key), str))


def broken_rules(root: Path, listing: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the word of each rule that a listing breaks, and a sentence.

    `texts` are those of listings in the run; of all others, the files count.
    """
    book = Book(root, slug_of(listing), texts)
    for document in documents_of(texts[listing]):
        for pod in pods_of(document, listing):
            for one in pod.containers:
                yield from _broken(OF_CONTAINERS, one, book, f"{listing}: {one}")
        if document.kind == "Service":
            where = f"{listing}: Service/{document.name}"
            yield from _broken(OF_SERVICES, document.content.get("spec") or {}, book, where)


def _broken(rules: Iterable[Rule[Of]], one: Of, book: Book, where: str) -> Iterator[tuple[str, str]]:
    for rule in rules:
        if not rule.is_met(one, book):
            yield rule.word, f"examples/{where} must have {rule.demand} (rule {rule.word!r})"


def wrong_exceptions(
    root: Path, listings: Iterable[str], exceptions: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    """Yield a sentence for every exception that names no rule, is not needed, or not in the page."""
    for listing, reasons in exceptions.items():
        file = root / "examples" / listing
        text = file.read_text(encoding="utf-8") if listing in set(listings) and file.is_file() else ""
        broken = dict(broken_rules(root, listing, {listing: text})) if text else {}
        page = " ".join(Chapter(root, slug_of(listing)).page.read_text(encoding="utf-8").split())
        for word, sentence in reasons.items():
            if word not in broken:
                known = f"choose one of {', '.join(sorted(WORDS))}" if word not in WORDS else "take it out"
                yield f"excepts examples/{listing} from the rule {word!r}, which it does not break; {known}"
            elif " ".join(sentence.split()) not in page or not sentence:
                yield f"excepts examples/{listing} from {word!r} with words that its page lacks: {sentence!r}"
