"""The reference appendices: `{api-reference} InferencePool` and four more directives.

Their names, types and rules are what the programs of the edition said, in
source/reference/*.json; the words beside them are in source/reference/*.toml.
`nox -s reference` renews the former. Each entry leads to where the book uses it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from extensions.proven import records_of, root_of
from extensions.rereading import note_records
from extensions.stamp import NAMES
from extensions.uses import used_in

FOLDER = "source/reference"
LINES = "lab/router_lines/table.toml"
#: What leads to the pins that no proof has named yet.
NOT_USED = "Pinned, and not named by a proof yet:"
#: What a page calls the pins that have no name in stamps.
COMPONENTS = {
    **NAMES,
    "debian": "Debian",
    "etcd-image": "etcd, tag of its image",
    "istio-snapshot": "Istio, commit",
    "jaeger-image": "Jaeger, tag of its image",
    "pgvector": "pgvector",
    "router-offline": "router, older line",
    "seaweedfs-image": "SeaweedFS, tag of its image",
}
#: Characters of the longest name that a column of the printed index holds.
INDEXED = 48
IN_CODE = re.compile(r"`([^`]+)`")
#: Go's version of a commit that has none: https://go.dev/ref/mod#pseudo-versions
SNAPSHOT = re.compile(r"v0\.0\.0-(\d{4})(\d\d)(\d\d)\d{6}-([0-9a-f]{12})")
#: How a program's help names the metric that took the place of this one.
REPLACED_BY = re.compile(r"[Uu]se (\w+)")

Entry = tuple[str, Sequence[nodes.Node | str]]


@lru_cache
def _read(path: Path, modified: int) -> dict[str, Any]:  # noqa: ARG001 - a key
    text = path.read_text(encoding="utf-8")
    return dict(json.loads(text)) if path.suffix == ".json" else tomllib.loads(text)


def data(root: Path, name: str) -> dict[str, Any]:
    """Return what a file of a project holds; it is read again only when it has changed."""
    path = root / name
    return _read(path, path.stat().st_mtime_ns)


class Reference(SphinxDirective):
    """A list of entries: what each is, and where the book uses it."""

    required_arguments = 1
    final_argument_whitespace = True
    #: What comes before the name in the address of an entry.
    prefix = ""
    #: What the index says after the name; nothing for no entry there.
    indexed = ""

    def run(self) -> list[nodes.Node]:
        """Return the list; raise an error for a group that is not there."""
        self.prepare()
        entries = [self._item(name, parts) for name, parts in self.entries(self.arguments[0])]
        if not entries:
            message = f"{{{self.name}}} has no group {self.arguments[0]!r}"
            raise self.error(message)
        head = [self.paragraph([self.head(self.arguments[0])])] if self.head(self.arguments[0]) else []
        return [*head, nodes.container("", nodes.definition_list("", *entries), classes=["lookup"])]

    def head(self, group: str) -> str:  # noqa: ARG002 - others have one
        """Return what is said before the entries of a group."""
        return ""

    def prepare(self) -> None:
        """Note of what the page is made, so that it is read again when that changes."""
        self.root = root_of(self.env)
        for file in (*(self.root / FOLDER).iterdir(), self.root / "edition.toml", self.root / LINES):
            self.env.note_dependency(str(file))

    def entries(self, group: str) -> Iterable[Entry]:
        """Return name and description of each entry of a group."""
        raise NotImplementedError

    def read(self, name: str) -> dict[str, Any]:
        """Return what a file of the reference holds."""
        return data(self.root, f"{FOLDER}/{name}")

    def _item(self, name: str, parts: Sequence[nodes.Node | str]) -> nodes.definition_list_item:
        term = nodes.term("", "", nodes.literal(name, name))
        anchor = nodes.make_id(f"{self.prefix}-{name}")
        term["ids"].append(anchor)
        if self.indexed and len(name) <= INDEXED:
            index = addnodes.index(entries=[("single", f"{name}; {self.indexed}", anchor, "", None)])
            term.insert(0, index)
        definition = nodes.definition("", self.paragraph(parts))
        return nodes.definition_list_item("", term, definition)

    def paragraph(self, parts: Iterable[nodes.Node | str]) -> nodes.paragraph:
        """Return a paragraph of nodes and of texts with code between backticks."""
        return nodes.paragraph("", "", *_joined(parts))

    def used(self, *names: str) -> nodes.Node:
        """Return where the book uses one of some names: nothing where it does not."""
        return used_in(asked=names, refdoc=self.env.docname)


class ApiReference(Reference):
    """The fields of a kind of object, or of the endpoint picker's configuration."""

    prefix = "field"

    def head(self, group: str) -> str:
        """Return group, version and names of a kind."""
        kind = self.read("api.json")["kinds"].get(group)
        if not kind:
            return ""
        short = f"; short name `{kind['short'][0]}`" if kind["short"] else ""
        columns = f"; its table shows {', '.join(kind['columns'])}" if kind["columns"] else ""
        return f"`{kind['group']}/{kind['version']}`, `kubectl get {kind['plural']}`{short}{columns}."

    def entries(self, group: str) -> Iterable[Entry]:
        """Return the fields of a kind: type, default, rules, and words of our own."""
        recorded, words = self.read("api.json"), self.read("api.toml")
        self.prefix = f"field-{group}"
        if group == "EndpointPickerConfig":
            fields, defaults = recorded[group], words["defaults"]
        else:
            fields, defaults = recorded["kinds"][group]["fields"], {}
        about = words.get(group, {})
        for one in fields:
            path = one["path"]
            of_template = path.startswith(tuple(words["left-out"]))
            if of_template or (one["type"] == "object" and path not in about):
                continue
            default = one.get("default", defaults.get(path))
            facts = [
                one["type"],
                *(["required"] if one.get("required") else []),
                *(
                    [f"default {_code(default)}"]
                    if default is not None and not isinstance(default, list)
                    else []
                ),
                *(_in_words(rule, words) for rule in one.get("rules", [])),
            ]
            yield path, [f"{_sentence(facts)} {about.get(path, '')} ", self.used(f"{group}:{path}")]


class PluginReference(Reference):
    """The plugins of a group, with what each reads."""

    prefix = "plugin"
    indexed = "plugin"

    def entries(self, group: str) -> Iterable[Entry]:
        """Return the plugins of a group: what each does, its parameters, and its name on the older line."""
        recorded, lines = self.read("plugins.json")["plugins"], data(self.root, LINES)
        versions = data(self.root, "edition.toml")["versions"]
        for words in self.read("plugins.toml")["plugins"]:
            name = words["type"]
            if words["group"] != group:
                continue
            said = recorded[name]
            parameters = [
                f"`{one}` ({kind}{_default_of(words['parameters'][one])})"
                for one, kind in said["parameters"].items()
            ]
            yield (
                name,
                [
                    f"{words['about']} ",
                    *([f"Parameters: {', '.join(parameters)}. "] if parameters else []),
                    *([f"Needs {words['needs']}. "] if "needs" in words else []),
                    *(["Experimental. "] if said["experimental"] else []),
                    *([f"Deprecated: write `{words['replaced-by']}`. "] if "replaced-by" in words else []),
                    older_name(name, lines, versions["router-offline"]),
                    self.used(name),
                ],
            )


class MetricsReference(Reference):
    """The metrics of a group, as live scrapes showed them."""

    prefix = "metric"
    indexed = "metric"

    def entries(self, group: str) -> Iterable[Entry]:
        """Return the metrics of a group: type, labels, meaning, and the older name."""
        words = self.read("metrics.toml")
        older = data(self.root, LINES)["metrics"]
        line = data(self.root, "edition.toml")["versions"]["router-offline"]
        metrics = all_metrics(self.root)
        twins = dict(twins_of(metrics))
        for name, meaning in words["words"].items():
            if group_of(name, words["groups"]) != group:
                continue
            metric = metrics[name]
            labels = ", ".join(f"`{label}`" for label in metric["labels"])
            kind = f"{metric['type'].capitalize()}{' with ' if labels else ''}{labels}."
            twin = twins.get(name) or older.get(name)
            yield (
                name,
                [
                    f"{kind} {meaning} ",
                    *([f"Older name: `{twin}`. "] if twin else []),
                    *([f"Not in router {line}. "] if name.startswith("llm_d_") and name not in older else []),
                    self.used(name, *([twin] if twin else [])),
                ],
            )


class HttpReference(Reference):
    """Headers by who sends them, statuses, or reasons."""

    prefix = "http"
    indexed = "header"

    def run(self) -> list[nodes.Node]:
        """Return a list, or the table of statuses."""
        return [self.statuses()] if self.arguments[0] == "statuses" else super().run()

    def entries(self, group: str) -> Iterable[Entry]:
        """Return headers of a direction, or the reasons."""
        words = self.read("http.toml")
        if group == "reasons":
            self.indexed = "reason"
            return [(one["name"], [f"{one['about']} ", self.used(one["name"])]) for one in words["reasons"]]
        return [
            (
                one["name"],
                [
                    f"{one['about']} ",
                    *([f"Older name: `{one['alias']}`. "] if "alias" in one else []),
                    self.used(one["name"].lower(), *([one["alias"]] if "alias" in one else [])),
                ],
            )
            for one in words["headers"]
            if one["direction"] == group
        ]

    def statuses(self) -> nodes.table:
        """Return the statuses that a live run saw, in their order."""
        self.prepare()
        answers = self.read("http.json")["answers"]
        rows = []
        for one in self.read("http.toml")["statuses"]:
            answer = answers[one["ask"]]
            said = message_of(answer["says"])
            reason = f" Reason: {answer['reason']}." if "reason" in answer else ""
            says = f"“{said.removesuffix('.')}”.{reason}" if said else ""
            rows.append((str(answer["status"]), one["who"], one["when"], says))
        return _table(("Status", "From", "When", "It says"), (10, 18, 32, 40), sorted(rows))


class VersionMatrix(Reference):
    """The pins of the edition with the listings that were proved on them, or where router lines differ."""

    def run(self) -> list[nodes.Node]:
        """Return a table of versions, or a list of differences."""
        self.prepare()
        group = self.arguments[0]
        if group not in {"pins", "lines"}:
            message = f"{{{self.name}}} has no group {group!r}"
            raise self.error(message)
        versions = data(self.root, "edition.toml")["versions"]
        if group == "lines":
            words = self.read("versions.toml")["differences"]
            said = differences(data(self.root, LINES)["differences"], words, versions)
            items = [nodes.list_item("", self.paragraph([sentence])) for sentence in said]
            return [nodes.container("", nodes.bullet_list("", *items), classes=["lookup"])]
        note_records(self.env)
        proved = proved_with(self.root)
        named = {name: (COMPONENTS.get(name, name), readable(version)) for name, version in versions.items()}
        used = {
            name: proved[name, version] for name, version in versions.items() if (name, version) in proved
        }
        rows = [(*named[name], *found) for name, found in used.items()]
        others = "; ".join(" ".join(both) for name, both in named.items() if name not in used)
        return [
            _table(("Component", "Version", "Listings", "Last proof"), (40, 24, 16, 20), rows),
            *([self.paragraph([f"{NOT_USED} {others}."])] if others else []),
        ]


def differences(
    table: Mapping[str, Any], words: Mapping[str, str], versions: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each thing in which the two lines of the router differ."""
    for name, one in table.items():
        if one["newer"] != one.get("older"):
            about = words.get(name, one["about"])
            older = f"{_values(one['older'])} on" if "older" in one else "nothing on"
            yield (
                f"{about[0].upper()}{about[1:]}: {_values(one['newer'])} on {versions['router']}, "
                f"{older} {versions['router-offline']}."
            )


def readable(version: str) -> str:
    """Return a version for people: of Go's name for a commit without one, its day and its hash."""
    found = SNAPSHOT.fullmatch(version)
    return "{}-{}-{} ({})".format(*found.groups()) if found else version


def older_name(name: str, lines: Mapping[str, Any], version: str) -> str:
    """Return a sentence about a plugin on the older line, where that differs."""
    renamed = {rule["newer"]: rule["older"] for rule in lines["rules"] if rule["kind"] == "plugin-renamed"}
    if name in renamed:
        return f"Router {version} has it as `{renamed[name]}`. "
    known = {*lines["plugins"]["both"], *lines["plugins"]["older"]}
    known |= {
        plugin for rule in lines["rules"] if rule["kind"] == "plugin-built-in" for plugin in rule["plugins"]
    }
    return "" if name in known else f"Not in router {version}. "


def all_metrics(root: Path) -> dict[str, Any]:
    """Return every metric that was seen, with and without a cluster."""
    seen: dict[str, Any] = {}
    for file in ("metrics.json", "lab.json"):
        if (root / FOLDER / file).exists():
            for metrics in data(root, f"{FOLDER}/{file}")["programs"].values():
                seen = {**metrics, **seen}
    return dict(sorted(seen.items()))


def twins_of(metrics: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a metric and its older name, which the program still shows."""
    for name, metric in metrics.items():
        found = REPLACED_BY.search(metric["help"]) if "eprecated" in metric["help"] else None
        if found and found[1] in metrics:
            yield found[1], name


def group_of(name: str, groups: Iterable[Mapping[str, Any]]) -> str:
    """Return the group of a metric; nothing for an older name."""
    return next((one["title"] for one in groups if name.startswith(tuple(one["prefixes"]))), "")


def message_of(body: str) -> str:
    """Return what an answer says: the message of an error in JSON, else the text."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body


def proved_with(root: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (component, version) -> how many listings were proved with it, and when last."""
    seen: dict[tuple[str, str], list[str]] = {}
    for record in records_of(root).values():
        days: dict[tuple[str, str], str] = {}
        for environment in record.environments:
            for name, version in environment.items():
                if name not in {"cluster", "date"}:
                    days[name, version] = max(environment["date"], days.get((name, version), ""))
        for pair, day in days.items():
            seen.setdefault(pair, []).append(day)
    return {pair: (str(len(days)), max(days)) for pair, days in seen.items()}


def _joined(parts: Iterable[nodes.Node | str]) -> Iterator[nodes.Node]:
    for part in parts:
        if isinstance(part, nodes.Node):
            yield part
            continue
        for number, text in enumerate(IN_CODE.split(part)):
            if text:
                yield nodes.literal(text, text) if number % 2 else nodes.Text(text)


def _sentence(facts: Sequence[str]) -> str:
    text = ", ".join(facts)
    return f"{text[0].upper()}{text[1:]}."


def _code(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value == "":
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if " " in text else f"`{text}`"


def _default_of(default: str) -> str:
    if default == "!":
        return ", required"
    return f", `{default}`" if default else ""


def _in_words(rule: str, words: Mapping[str, Any]) -> str:
    for one in (*words["patterns"], *words["expressions"]):
        rule = rule.replace(f"matches `{one['is']}`", one["words"]).replace(f"`{one['is']}`", one["words"])
    return rule


def _values(value: Any) -> str:  # noqa: ANN401 - any TOML
    return ", ".join(f"`{one}`" for one in (value if isinstance(value, list) else [value]))


def _table(head: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[str]]) -> nodes.table:
    def row(cells: Sequence[str]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", nodes.paragraph(cell, cell)) for cell in cells))

    columns = [nodes.colspec(colwidth=width) for width in widths]
    body = nodes.tbody("", *map(row, rows))
    group = nodes.tgroup("", *columns, nodes.thead("", row(head)), body, cols=len(head))
    return nodes.table("", group, classes=["colwidths-given", "longtable"])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directives."""
    app.setup_extension("extensions.rereading")
    app.setup_extension("extensions.uses")
    for directive in (ApiReference, PluginReference, MetricsReference, HttpReference, VersionMatrix):
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", directive.__name__).lower()
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
