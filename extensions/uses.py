"""Where the chapters use a name: a metric, a plugin, a header, or a field of an object.

A name is used in the section whose text spells it, and in the listing whose file does. A
field is used in the listings with an object of its kind that sets it. All that is collected
as each page is read; `used_in(names)`, in any page, becomes "Used in Listing 2.1." or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

from extensions.proven import root_of
from proofs.listings import is_picture

#: As safe, and faster where PyYAML comes with libyaml.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: How the names of pages begin that use names; the appendices explain them.
CHAPTERS = "part-"
NAME = re.compile(r"[A-Za-z_][\w:-]*\w")
#: What the series of a histogram add to its name.
SERIES = re.compile(r"_(bucket|sum|count)$")
#: A name with one of these in it is no word of the language.
UNMISTAKABLE = re.compile(r"[-_:]")
#: Places that are named for one entry, at most: the first ones of the book.
SHOWN = 3


#: Headings up to this depth have numbers; what is below them is found under theirs.
NUMBERED = 3


class used_in(nodes.Inline, nodes.Element):  # noqa: N801 - docutils writes node names small
    """Where one of some names is used, which is known when all pages are read."""


@dataclass
class _Page:
    """Name -> labels of the places in a page that use it; what it asks for, and what it was told."""

    asked: list[Sequence[str]]
    uses: dict[str, dict[str, None]] = field(default_factory=dict)
    told: list[list[str]] = field(default_factory=list)


class UsesCollector(EnvironmentCollector):
    """Keep what each page uses and asks for, and have pages written again that must be told otherwise."""

    def clear_doc(self, app: Sphinx, env: BuildEnvironment, docname: str) -> None:  # noqa: ARG002 - Sphinx's
        """Forget a page."""
        _pages(env).pop(docname, None)

    def merge_other(
        self,
        app: Sphinx,  # noqa: ARG002
        env: BuildEnvironment,
        docnames: AbstractSet[str],
        other: BuildEnvironment,
    ) -> None:
        """Take over what another process has read."""
        _pages(env).update({name: _pages(other)[name] for name in docnames})

    def process_doc(self, app: Sphinx, doctree: nodes.document) -> None:
        """Note what a page uses and asks for."""
        page = _Page(asked=[node["asked"] for node in doctree.findall(used_in)])
        if app.env.docname.startswith(CHAPTERS):
            for label, found in _places(doctree, "", root_of(app.env) / "examples"):
                for name in found:
                    page.uses.setdefault(name, {})[label] = None
        _pages(app.env)[app.env.docname] = page

    def get_updated_docs(self, app: Sphinx, env: BuildEnvironment) -> list[str]:  # noqa: ARG002
        """Return the pages for which another place is the answer now."""
        outdated = []
        for name, page in _pages(env).items():
            told = [places_of(env, names) for names in page.asked]
            if told != page.told:
                page.told = told
                outdated.append(name)
        return outdated


class Uses(SphinxPostTransform):
    """Say where names are used."""

    default_priority = 5  # before Sphinx resolves references

    def run(self, **_options: object) -> None:
        """Put sentences in."""
        for node in list(self.document.findall(used_in)):
            node.replace_self(list(_sentence(places_of(self.env, node["asked"]), node["refdoc"])))


def places_of(env: BuildEnvironment, names: Sequence[str]) -> list[str]:
    """Return the labels of the first places that use one of some names; `Kind:path` names a field."""
    pages = [page.uses for _, page in sorted(_pages(env).items(), key=itemgetter(0))]
    found = (label for name in names for uses in pages for label in uses.get(name, ()))
    return list(dict.fromkeys(found))[:SHOWN]


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
    if not file.is_file() or is_picture(file.name):
        return set()
    text = file.read_text(encoding="utf-8", errors="replace")
    return names(text) | (set(fields(text)) if file.suffix == ".yaml" else set())


def _pages(env: BuildEnvironment) -> dict[str, _Page]:
    if not hasattr(env, "uses"):
        env.uses = {}  # type: ignore[attr-defined]
    return env.uses  # type: ignore[attr-defined,no-any-return]


def _places(node: nodes.Element, label: str, examples: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield the names that a part of a page spells, with the label of the section or listing that does."""
    if "listing" in node:
        label = node["label"] or label
        if label:
            yield label, _names_of_file(examples / node["listing"])
        return
    if isinstance(node, nodes.section) and _depth(node) <= NUMBERED:
        label = _label(node) or label
    for child in node.children:
        if isinstance(child, nodes.Text) and label:
            yield label, names(child)
        elif isinstance(child, nodes.Element):
            yield from _places(child, label, examples)


def _depth(section: nodes.Node) -> int:
    """Return how deep a section is: 1 for a chapter."""
    parent = section.parent
    return (_depth(parent) if parent is not None else 0) + isinstance(section, nodes.section)


def _label(section: nodes.section) -> str:
    """Return the label that the source gives a section; nothing for what is made from its title."""
    types = section.document.nametypes if section.document else {}
    return next((name for name in section["names"] if types.get(name)), "")


def _paths(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            yield here
            yield from _paths(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[]")


def _sentence(labels: Sequence[str], page: str) -> Iterator[nodes.Node]:
    for number, label in enumerate(labels):
        yield nodes.Text("Used in " if not number else (" and " if number == len(labels) - 1 else ", "))
        yield addnodes.pending_xref(
            "",
            nodes.inline("", label, classes=["xref", "std", "std-numref"]),
            refdoc=page,
            refdomain="std",
            reftype="numref",
            reftarget=label,
            refexplicit=False,
            refwarn=True,
        )
    if labels:
        yield nodes.Text(".")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the collector, and the transform that says what it found."""
    app.add_node(used_in)
    app.add_env_collector(UsesCollector)
    app.add_post_transform(Uses)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
