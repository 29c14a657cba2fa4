"""Translate configurations of the router between its two lines.

The newer line is the edition's release, the older one what is built offline. What
differs is data, in table.toml; small functions apply it, one for each kind of rule:

    table.py          the table, and the lines' versions
    configuration.py  EndpointPickerConfig: its parts, rules for blocks
    plugin_rules.py   rules for plugins and their parameters
    data_layer.py     where the model servers' metrics come from
    guard.py          what a line does not know is refused by name
    manifests.py      objects of Kubernetes: groups, images, flags, metric names
    envoy_headers.py  the Envoy filter for header names
    differences.py    status codes, bodies, headers, metric names by line
    yaml_text.py      YAML in and out, with comments
    here.py           which line the lab runs: all that the rest of the lab calls
    command.py        `python -m lab translate`

To add a rule: write the text for both lines into tests/lab/router_lines/pairs.yaml,
and a configuration that uses it into configurations.yaml beside it, which a test gives to
both programs; then add a row to table.toml with a kind that
exists, its data, and why. Only a new kind needs a function: it takes the mapping, the
rule and the Pass, changes the mapping in place, reports each change with
`Pass.changed`, and refuses with `Pass.refuse`. Rules run in the table's order, in both
directions. Nothing is dropped that would change what a configuration does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.scalarstring import LiteralScalarString

from lab import yaml_documents
from lab.errors import LabError
from lab.router_lines import configuration, data_layer, manifests, plugin_rules, yaml_text
from lab.router_lines.differences import differs, metric
from lab.router_lines.envoy_headers import translate_envoy
from lab.router_lines.guard import refuse_unknown, require_shape, written_for
from lab.router_lines.passing import Change, Pass
from lab.router_lines.table import PINS, line_of, table, version

__all__ = ["Change", "Translation", "differs", "metric", "translate", "translation"]

#: How an endpoint picker's configuration inside another text is known.
CONFIGURATION = re.compile(rf"""^kind:\s*["']?{configuration.KIND}\b""", re.MULTILINE)
#: The functions for configurations, by the kind of rule.
APPLIERS = {**configuration.RULES, **plugin_rules.RULES, **data_layer.RULES}


@dataclass(frozen=True)
class Translation:
    """A text for a line, and what had to change for it."""

    text: str
    changes: tuple[Change, ...]


@dataclass
class Part:
    """One document of a text: its lines, what was read from them, and which of both holds.

    `written` says that the document changed, so that it must be written again; changes
    of single lines are made in the text.
    """

    text: str
    document: Any
    written: bool = False


def translate(text: str, line: str) -> str:
    """Return manifests of the edition for a router line; its own line gets the same bytes.

    `text` may hold several documents. Raises LabError, naming what the line cannot do,
    and when the line is unknown; MarkedYAMLError when the text is not YAML.
    """
    return text if line_of(line) == "newer" else translation(text, line).text


def translation(text: str, line: str) -> Translation:
    """Translate a text, whichever line it is written for, and say what changed.

    A text that is written for this line comes back with the same bytes and no changes.
    """
    work = Pass(line_of(line))
    texts = [part.marker + part.text for part in yaml_documents.split(text)]
    parts = [Part(part, yaml_text.load(part)) for part in texts]
    # Parameters move from a configuration to flags on the older line, and back.
    steps = [_configurations, _manifests] if work.to == "older" else [_manifests, _configurations]
    for step in steps:
        for part in parts:
            step(part, work)
    _require_all_moved(work)
    if work.refusals:
        raise LabError("\n".join(work.refusals))
    written = (yaml_text.dump(part.document, part.text) if part.written else part.text for part in parts)
    return Translation("".join(written), tuple(work.changes))


def _configurations(part: Part, work: Pass) -> None:
    before = len(work.changes)
    for found in _objects(part.document):
        work.where = _name(found)
        if found.get("kind") == configuration.KIND:
            _translate_configuration(found, work)
        elif "static_resources" in found:
            work.where = "Envoy configuration"
            part.text = translate_envoy(part.text, _headers_rule(), work)
            return
        elif found.get("kind") == "ConfigMap":
            _translate_config_map(found, work)
        else:
            _translate_flag(found, work)
    part.written |= len(work.changes) > before


def _translate_config_map(config_map: dict[str, Any], work: Pass) -> None:
    data = config_map.get("data") or {}
    for key, text in data.items():
        work.where = f"{_name(config_map)}, {key}"
        after = _translated_value(str(text), work)
        if after != text:
            data[key] = LiteralScalarString(after)


def _translate_flag(found: dict[str, Any], work: Pass) -> None:
    """Translate a configuration that is in the endpoint picker's flags."""
    for program in [program for line in PINS for program in manifests.programs(found, "picker", line)]:
        text = program.flag("config-text") or ""
        after = _translated_value(text, work)
        if after != text:
            program.set("config-text", LiteralScalarString(f"--config-text={after}"))


def _translated_value(text: str, work: Pass) -> str:
    """Translate a text inside an object, if it is a configuration of the router's."""
    if CONFIGURATION.search(text):
        before = len(work.changes)
        found = yaml_text.load(text)
        _translate_configuration(found, work)
        return yaml_text.dump(found, text) if len(work.changes) > before else text
    return translate_envoy(text, _headers_rule(), work) if _headers_rule()["before"] in text else text


def _translate_configuration(found: dict[str, Any], work: Pass) -> None:
    require_shape(found, work.where)
    own = written_for(found) == work.to
    for rule in table()["rules"]:
        # What is written for this line may at most carry the old version's name.
        if rule["kind"] in APPLIERS and (not own or rule["kind"] == "version"):
            APPLIERS[rule["kind"]](found, rule, work)
    if not own:
        refuse_unknown(found, work)


def _manifests(part: Part, work: Pass) -> None:
    before = len(work.changes)
    for found in _objects(part.document):
        work.where = _name(found)
        for rule in table()["rules"]:
            if rule["kind"] in manifests.RULES:
                manifests.RULES[rule["kind"]](found, rule, work)
    part.written |= len(work.changes) > before


def _require_all_moved(work: Pass) -> None:
    if work.flags:
        source = f"{', '.join(work.flags)} of the metrics source"
        here, there = ("flags of the endpoint picker", "container of it")
        if work.to == "newer":
            here, there = ("the endpoint picker's configuration", "such configuration")
        message = (
            f"{source}: on {version(work.to)} they belong to {here}, and the text has no {there}. "
            "Put both into one file, with a line --- between them."
        )
        raise LabError(message)


def _objects(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  (a YAML document is anything)
    """Yield the objects of a document: itself, or the items of a list."""
    if isinstance(document, dict):
        items = document.get("items") if str(document.get("kind", "")).endswith("List") else None
        yield from (item for item in items if isinstance(item, dict)) if items else [document]


def _name(found: dict[str, Any]) -> str:
    name = (found.get("metadata") or {}).get("name", "")
    return f"{found.get('kind', 'document')} {name}".strip()


def _headers_rule() -> dict[str, Any]:
    rule: dict[str, Any] = next(rule for rule in table()["rules"] if rule["kind"] == "headers")
    return rule
