"""The Envoy filter that gives requests the header names of the older line (rule 14)."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from lab.router_lines import yaml_text
from lab.router_lines.passing import Pass
from lab.router_lines.table import Rule

NAME = "envoy.filters.http.header_mutation"
TYPE = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"


def translate_envoy(text: str, rule: Rule, work: Pass) -> str:
    """Return an Envoy configuration with the filter, or without it on the newer line.

    The other lines keep their bytes. An empty header is not copied, so a client that
    sends an old name is still understood.
    """
    lists = [
        found for found in _filter_lists(yaml_text.load(text)) if _place(found, rule["before"]) is not None
    ]
    lines = text.splitlines(keepends=True)
    # From the end, so that the line numbers before a change stay true.
    for filters in reversed(lists):
        ours = next((place for place, entry in enumerate(filters) if entry == _filter(rule)), None)
        if work.to == "older" and ours is None:
            start = _start(lines, filters, _place(filters, rule["before"]))
            if not lines[filters.lc.item(_place(filters, rule["before"]))[0]].lstrip().startswith("- "):
                work.refuse("Envoy's http_filters on one line")
                continue
            lines[start:start] = _lines(rule, _dash(lines, filters))
            work.changed(rule, f"{NAME} is added")
        elif work.to == "newer" and ours is not None:
            del lines[_start(lines, filters, ours) : _start(lines, filters, ours + 1)]
            work.changed(rule, f"{NAME} is left out")
    return "".join(lines)


def _filter(rule: Rule) -> dict[str, Any]:
    copies = [
        {
            "append": {
                "header": {"key": older, "value": f"%REQ({newer})%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for newer, older in rule["headers"].items()
    ]
    return {"name": NAME, "typed_config": {"@type": TYPE, "mutations": {"request_mutations": copies}}}


def _lines(rule: Rule, margin: str) -> list[str]:
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump([_filter(rule)], out)
    return [margin + line.removeprefix("  ") for line in out.getvalue().splitlines(keepends=True)]


def _filter_lists(node: object) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "http_filters" and isinstance(value, list):
                yield value
            else:
                yield from _filter_lists(value)
    elif isinstance(node, list):
        for value in node:
            yield from _filter_lists(value)


def _place(filters: list[Any], name: str) -> int | None:
    return next((place for place, entry in enumerate(filters) if entry.get("name") == name), None)


def _start(lines: list[str], filters: Any, place: int | None) -> int:  # noqa: ANN401  (ruamel is untyped)
    """Return the first line of a list's entry, comments above it included."""
    start: int = filters.lc.item(place)[0]
    while lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _dash(lines: list[str], filters: Any) -> str:  # noqa: ANN401
    first: str = lines[filters.lc.item(0)[0]]
    return first[: len(first) - len(first.lstrip())]
