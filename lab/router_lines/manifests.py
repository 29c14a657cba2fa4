"""The rules for objects of Kubernetes: groups, images, flags, and metric names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError
from lab.router_lines.differences import metric_names_in
from lab.router_lines.passing import Pass
from lab.router_lines.table import PINS, Line, Rule, other, table, version

Document = dict[str, Any]

#: The parts of an image's name.
IMAGE = re.compile(r"(?P<path>(?:[^@]*/)?)(?P<name>[^/:@]+)(?::(?P<tag>[^@]+))?(?:@.+)?")


@dataclass(frozen=True)
class Program:
    """A container that runs one of the router's programs, of the line that it is from."""

    container: Document
    name: str
    line: Line

    @property
    def words(self) -> list[list[Any]]:
        """Return the lists that hold the program's flags."""
        lists = (self.container.get("args"), self.container.get("command"))
        return [words for words in lists if isinstance(words, list)]

    def flag(self, name: str) -> str | None:
        """Return a flag's value, `true` for one without, None if it is not there."""
        for words, place, width in self._places(name):
            _, has_value, value = str(words[place]).partition("=")
            return value if has_value else str(words[place + 1]) if width > 1 else "true"
        return None

    def remove(self, name: str) -> None:
        """Remove a flag with its value."""
        for words, place, width in self._places(name):
            del words[place : place + width]

    def set(self, name: str, text: str) -> None:
        """Put `text` in a flag's place, or at the end of the arguments."""
        for words, place, width in self._places(name):
            words[place] = text
            del words[place + 1 : place + width]
            return
        self.container.setdefault("args", []).append(text)

    def _places(self, name: str) -> Iterator[tuple[list[Any], int, int]]:
        """Yield where a flag is: list, position, and one or two words."""
        for words in self.words:
            for place, word in enumerate(words):
                if str(word).split("=")[0] == f"--{name}":
                    after = str(words[place + 1]) if place + 1 < len(words) else "-"
                    yield words, place, 1 if "=" in str(word) or after.startswith("-") else 2


def programs(document: Document, name: str, line: Line) -> list[Program]:
    """Return the containers below an object that run a program of a line."""
    found = []
    for container in containers(document):
        parts = IMAGE.fullmatch(str(container.get("image", "")))
        if parts and parts["name"] == table()["programs"][name][line]:
            found.append(Program(container, name, line))
    return found


def containers(node: object) -> Iterator[Document]:
    """Yield every container below a node, in whatever makes pods."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"containers", "initContainers"} and isinstance(value, list):
                yield from (entry for entry in value if isinstance(entry, dict))
            else:
                yield from containers(value)
    elif isinstance(node, list):
        for value in node:
            yield from containers(value)


def _group(document: Document, rule: Rule, work: Pass) -> None:
    before, after = rule[other(work.to)], rule[work.to]
    group, _, number = str(document.get("apiVersion", "")).partition("/")
    if document.get("kind") in rule["kinds"] and group == before:
        document["apiVersion"] = f"{after}/{number}"
        work.changed(rule, f"apiVersion becomes {after}/{number}")
    for grant in document.get("rules") or [] if document.get("kind") in {"Role", "ClusterRole"} else []:
        groups = grant.get("apiGroups") or []
        ours = set(rule["resources"]) & set(grant.get("resources") or [])
        if ours and before in groups and after not in groups:
            groups[groups.index(before)] = after
            work.changed(rule, f"the group {before} of {', '.join(grant['resources'])} becomes {after}")


def _refuse_kind(document: Document, rule: Rule, work: Pass) -> None:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    if work.to == rule["absent"] and document.get("kind") in rule["kinds"] and group == rule["group"]:
        work.refuse(f"{document['kind']} of {group}", rule["hint"])


def _pod_keys(document: Document, rule: Rule, work: Pass) -> None:
    for newer, older in rule["keys"].items():
        before, after = (newer, older) if work.to == "older" else (older, newer)
        for holder in _holders(document, before):
            place = list(holder).index(before)
            holder.insert(place, after, holder.pop(before))  # type: ignore[attr-defined]
            work.changed(rule, f"{before} becomes {after}")


def _holders(node: object, key: str) -> list[Document]:
    """Return the mappings below a node that have a key."""
    if isinstance(node, dict):
        here = [node] if key in node else []
        return here + [holder for value in node.values() for holder in _holders(value, key)]
    return [holder for value in node for holder in _holders(value, key)] if isinstance(node, list) else []


def _image(document: Document, rule: Rule, work: Pass) -> None:
    for name, images in table()["programs"].items():
        for program in programs(document, name, other(work.to)):
            parts = IMAGE.fullmatch(program.container["image"])
            if parts is None or parts["tag"] != version(program.line):
                known = " and ".join(version(line) for line in PINS)
                message = (
                    f"{work.where}: no rules for the image {program.container['image']}: known are {known}."
                )
                raise LabError(message)
            program.container["image"] = f"{parts['path']}{images[work.to]}:{version(work.to)}"
            work.changed(rule, f"image becomes {program.container['image']}")


def _rename_flag(document: Document, rule: Rule, work: Pass) -> None:
    before, after = rule[other(work.to)], rule[work.to]
    for program in programs(document, rule["program"], other(work.to)):
        if program.flag(after["flag"]) is None:
            text = f"--{after['flag']}={program.flag(before['flag']) or before['default']}"
            program.set(before["flag"], text)
            work.changed(rule, f"the flag {text} is set")


def _replace_flags(document: Document, rule: Rule, work: Pass) -> None:
    for program in programs(document, rule["program"], "older") if work.to == "newer" else []:
        for old, new in rule["flags"].items():
            flag, _, wanted = old.partition("=")
            value = program.flag(flag)
            if value is not None and wanted in {"", value}:
                text = f"--{new}" if wanted else f"--{new}={value}"
                program.set(flag, text)
                work.changed(rule, f"--{old} becomes {text}")


def _drop_flags(document: Document, rule: Rule, work: Pass) -> None:
    for program in programs(document, rule["program"], rule["only"]) if rule["only"] != work.to else []:
        for flag, accepted in rule["flags"].items():
            value = program.flag(flag)
            if value in accepted:
                program.remove(flag)
                work.changed(rule, f"--{flag}={value} is left out")
            elif value is not None:
                work.refuse(f"--{flag}={value}")


def _flag_values(document: Document, rule: Rule, work: Pass) -> None:
    for program in programs(document, rule["program"], other(work.to)) if rule["on"] == work.to else []:
        for flag, pattern in rule["values"].items():
            value = program.flag(flag)
            if value is not None and not re.fullmatch(pattern, value):
                work.refuse(f"--{flag}={value}")


def _metrics_flags(document: Document, rule: Rule, work: Pass) -> None:
    """Move the metrics source's parameters out of the flags, or into them."""
    for program in programs(document, "picker", other(work.to)):
        for key, row in rule["flags"].items():
            if work.to == "older" and key in work.flags:
                text = f"--{row['flag']}={_as_word(work.flags[key])}"
                program.set(row["flag"], text)
                work.changed(rule, f"{text} is added", "flag")
            value = program.flag(row["flag"]) if work.to == "newer" else None
            if value is not None:
                program.remove(row["flag"])
                work.changed(rule, f"--{row['flag']}={value} is left out", "parameter")
                if value != _as_word(row["default"]):
                    work.flags[key] = (
                        type(row["default"])(value)
                        if not isinstance(row["default"], bool)
                        else value == "true"
                    )
        if work.to == "older":
            work.flags.clear()


def _as_word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _metric_names(document: Document, rule: Rule, work: Pass) -> None:
    if document.get("kind") not in rule["kinds"]:
        return
    for holder in _holders(document, "expr"):
        for before, after in metric_names_in(str(holder["expr"]), work.to).items():
            if after is None:
                work.refuse(f"the metric {before}")
            else:
                holder["expr"] = re.sub(rf"\b{before}\b", after, str(holder["expr"]))
                work.changed(rule, f"{before} becomes {after}")


RULES: dict[str, Callable[[Document, Rule, Pass], None]] = {
    "group": _group,
    "kind-absent": _refuse_kind,
    "pod-key": _pod_keys,
    "flag-renamed": _rename_flag,
    "flag-replaced": _replace_flags,
    "flag-dropped": _drop_flags,
    "flag-values": _flag_values,
    "data-layer": _metrics_flags,
    "metric-names": _metric_names,
    "image": _image,
}
