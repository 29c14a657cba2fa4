"""Where the chapters use a name: a metric, a plugin, a header, or a field of an object.

A name is used in the section whose text spells it, and in the listing whose file does. A
field is used in the listings with an object of its kind that sets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from proofs.listings import label_of

#: As safe, and faster where PyYAML comes with libyaml.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Folders of source/ whose pages use names; the appendices explain them.
CHAPTERS = "part-*"
LABEL = re.compile(r"\((?P<label>[\w-]+)\)=")
HEADING = re.compile(r"#{1,6} ")
SHOWN = re.compile(r"[`:]{3,}\{(?:listing|transcript)\} (?P<file>\S+)")
OPTION = re.compile(r":(?P<name>caption|name): (?P<value>.+)")
NAME = re.compile(r"[A-Za-z_][\w:-]*\w")
#: What the series of a histogram add to its name.
SERIES = re.compile(r"_(bucket|sum|count)$")
#: A name with one of these in it is no word of the language.
UNMISTAKABLE = re.compile(r"[-_:]")

Uses = Mapping[str, tuple[str, ...]]


@dataclass
class _Found:
    """Name or field -> labels of the places that use it, in the order of the book."""

    places: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, name: str, label: str) -> None:
        if label:
            self.places.setdefault(name, {})[label] = None


def uses_of(root: Path) -> Uses:
    """Return name -> labels of the places that use it, for a project; `Kind:path` names a field."""
    pages = sorted((root / "source").glob(f"{CHAPTERS}/*.md"))
    files = sorted(file for file in (root / "examples").rglob("*") if file.is_file())
    state = tuple((file, file.stat().st_mtime_ns) for file in (*pages, *files))
    return _uses_of(root, tuple(pages), state)


@lru_cache(maxsize=2)
def _uses_of(root: Path, pages: tuple[Path, ...], state: tuple[Any, ...]) -> Uses:  # noqa: ARG001 - a key
    found = _Found()
    for page in pages:
        for names, label in places(page.read_text(encoding="utf-8"), root / "examples"):
            for name in names:
                found.add(name, label)
    return {name: tuple(labels) for name, labels in found.places.items()}


def places(text: str, examples: Path) -> Iterator[tuple[set[str], str]]:
    """Yield the names that a page spells, with the label of the section or listing that does."""
    here = pending = ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if label := LABEL.fullmatch(line):
            pending = label["label"]
        elif HEADING.match(line) and pending:
            here, pending = pending, ""
        elif shown := SHOWN.match(line):
            options = dict(_options(lines[number + 1 :]))
            label_here = options.get("name", label_of(shown["file"])) if "caption" in options else here
            yield _names_of_file(examples / shown["file"]), label_here
        else:
            yield names(line), here


def names(text: str) -> set[str]:
    """Return the names that a text spells, headers in lower case too."""
    words = {word for word in NAME.findall(text) if UNMISTAKABLE.search(word)}
    words |= {SERIES.sub("", word) for word in words}
    return words | {word.lower() for word in words}


def fields(text: str) -> Iterator[str]:
    """Yield `Kind:path` for every field that the objects of a YAML text set."""
    try:
        documents = list(yaml.load_all(text, Loader=LOADER))
    except yaml.YAMLError:
        return
    for document in documents:
        if not isinstance(document, dict) or "kind" not in document:
            continue
        for path in _paths(document):
            yield f"{document['kind']}:{path}"
        if document["kind"] == "ConfigMap":
            for held in document.get("data", {}).values():
                yield from fields(str(held))


def _names_of_file(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    text = file.read_text(encoding="utf-8", errors="replace")
    return names(text) | (set(fields(text)) if file.suffix == ".yaml" else set())


def _options(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not line.startswith(":"):
            return
        if option := OPTION.fullmatch(line):
            yield option["name"], option["value"]


def _paths(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            yield here
            yield from _paths(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")
