"""When two texts of a listing mean the same: to everything that reads it, or to the API server.

A gauge of the proofs must not count what no proof can notice: labels that nothing selects,
the order of what is a set, comments in embedded files, and what the API server's defaults
put back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from proofs.cluster import Cluster
from proofs.documents import Document, read_documents
from proofs.failures import HarnessError, ProofFailed
from proofs.listings import is_refused, listing_files, slug_of

#: Domains whose labels only describe; every other domain is that of a program that reads its own.
DESCRIPTIVE = re.compile(r"(app\.kubernetes\.io/|[\w.-]*llm-d-book\.example/|)[\w.-]+")
#: A field that selects by labels -> the kind that it selects; pods where it is not here.
SELECTS = {
    "namespaceSelector": "Namespace",
    "nodeAffinity": "Node",
    "nodeSelector": "Node",
    "topologyKey": "Node",
}
#: Kinds whose `selector` selects something else than pods.
SELECTORS_OF = {"PersistentVolumeClaim": "PersistentVolume", "ServiceMonitor": "Service"}
#: Fields whose value is keys of labels, or maps them to values.
KEYS_OF_LABELS = {"matchLabels", "nodeSelector", "pairs", "podSelector", "selector"}
KEY_OF_A_LABEL = {"key", "topologyKey", "labelKey"}
#: Lists in which order means nothing.
SETS = re.compile(
    "accessModes|add|apiGroups|apiVersions|containers|drop|env|imagePullSecrets|matchExpressions|"
    "namespaces|operations|policyTypes|ports|resourceNames|resources|rules|subjects|tolerations|"
    "validationActions|values|verbs|volumeMounts|volumes"
)
FLAG = re.compile(r"--[\w.-]+=.*", re.DOTALL)
#: What the API server makes up for each object.
MADE_UP = re.compile("clusterIPs?|creationTimestamp|generation|managedFields|nodePort|resourceVersion|uid")
MADE_UP_NAME = re.compile(r"(kube-api-access-)\w{5}")

#: A shell command that goes on in the next line.
CONTINUED = re.compile(r"\\\n>?\s*")

#: What a chapter selects: kind -> keys of labels; under "" the lines of its scripts and transcripts.
Selected = Mapping[str, frozenset[str]]


@cache
def selected_labels(root: Path, slug: str) -> Selected:
    """Return the labels that the listings of a chapter select, by the kind that carries them."""
    found: dict[str, set[str]] = {}
    for listing, file in listing_files(root).items():
        if slug_of(listing) != slug or is_refused(listing):
            continue
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".yaml":
            found.setdefault("", set()).update(CONTINUED.sub(" ", text).splitlines())
            continue
        for document in read_documents(text, f"examples/{listing}"):
            for kind, key in _selected(document.content, SELECTORS_OF.get(document.kind, "Pod")):
                found.setdefault(kind, set()).add(key)
    return {kind: frozenset(keys) for kind, keys in found.items()}


def _selected(content: Any, kind: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - YAML holds anything
    """Yield kind and key of every label that a value selects."""
    if isinstance(content, str):
        if "\n" in content and not isinstance(embedded := _embedded(content), str):
            yield from _selected(embedded, kind)
    elif isinstance(content, Mapping):
        for key, value in content.items():
            whose = SELECTS.get(key, kind)
            if key in KEYS_OF_LABELS and isinstance(value, Mapping):
                yield from ((whose, str(label)) for label in value)
            if key in KEY_OF_A_LABEL and isinstance(value, str):
                yield whose, value
            yield from _selected(value, whose)
    elif isinstance(content, Sequence):
        for value in content:
            yield from _selected(value, kind)


def essence(document: Any, selected: Selected | None = None) -> Any:  # noqa: ANN401 - as above
    """Return what a document means, without what no reader of it can tell apart.

    Labels that nothing selects go where `selected` says what is.
    """
    return _essence(document, "", _field(document, "kind"), selected)


def _field(content: Any, name: str) -> str:  # noqa: ANN401 - as above
    return str(content.get(name, "")) if isinstance(content, Mapping) else ""


def _essence(value: Any, field: str, kind: str, selected: Selected | None) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        inside = "Pod" if field.lower().endswith("template") else kind
        found = {key: _essence(one, str(key), inside, selected) for key, one in value.items()}
        if field == "metadata" and selected is not None:
            labels = found.pop("labels", None) or {}
            kept = {key: one for key, one in labels.items() if _counts(key, kind, selected)}
            found |= {"labels": kept} if kept else {}
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_essence(one, field, kind, selected) for one in value]
        flags = all(isinstance(one, str) and FLAG.fullmatch(one) for one in items)
        return sorted(items, key=repr) if flags or SETS.fullmatch(field) else items
    if isinstance(value, str) and "\n" in value:
        embedded = _embedded(value)
        return embedded if isinstance(embedded, str) else _essence(embedded, field, "", None)
    return value


def _counts(label: str, kind: str, selected: Selected) -> bool:
    """Tell whether anything may read a label of an object of a kind."""
    return (
        not DESCRIPTIVE.fullmatch(label)
        or label in selected.get(kind, ())
        or any(label in line and kind.lower() in line.lower() for line in selected.get("", ()))
    )


def _embedded(text: str) -> Any:  # noqa: ANN401
    """Return a file inside a listing as what it holds: YAML, a program's syntax, or its text."""
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        content = None
    if isinstance(content, dict | list):
        return content
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return text


def stored_alike(cluster: Cluster, namespace: str, one: str, other: str) -> bool:
    """Tell whether the API server would store two texts of a listing as the same objects."""
    try:
        pairs = list(zip(*(read_documents(text, "a listing") for text in (one, other)), strict=True))
    except (HarnessError, ValueError):
        return False
    changed = [pair for pair in pairs if pair[0].text != pair[1].text]
    return all(_stored(cluster, namespace, pair) for pair in changed)


def _stored(cluster: Cluster, namespace: str, pair: Iterable[Document]) -> bool:
    """Tell whether the API server would store two documents alike; a refused one is none."""
    found = []
    for document in pair:
        if document.reader:
            return False
        try:
            _, answer = cluster.apply(document, namespace, dry_run=True)
        except (HarnessError, ProofFailed):
            return False
        found.append(essence(_without_what_is_made_up(answer.content)))
    return bool(found[0] == found[1])


def _without_what_is_made_up(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {
            key: _without_what_is_made_up(one) for key, one in value.items() if not MADE_UP.fullmatch(key)
        }
    if isinstance(value, list):
        return [_without_what_is_made_up(one) for one in value]
    return MADE_UP_NAME.sub(r"\1", value) if isinstance(value, str) else value


def counterpart(found: Any, like: Any) -> Any:  # noqa: ANN401 - objects hold anything
    """Return the part of an object that has a counterpart in `like`; equal to it when nothing differs.

    What the API server added is left out. Lists are compared entry by entry, or whole where
    they are not of one length.
    """
    if isinstance(found, Mapping) and isinstance(like, Mapping):
        return {key: counterpart(found[key], like[key]) for key in like if key in found}
    if isinstance(found, list) and isinstance(like, list) and len(found) == len(like):
        return [counterpart(*pair) for pair in zip(found, like, strict=True)]
    return found
