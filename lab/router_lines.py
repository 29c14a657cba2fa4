"""Translate manifests written for the edition's router so that an older line runs them.

The rules are data (router_lines.toml); this program applies them to the parsed
documents. What the older line has no counterpart for is refused by name: nothing is
dropped that would change what a configuration does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from lab import edition
from lab.errors import LabError

CONFIGURATION = "EndpointPickerConfig"

Rule = dict[str, Any]
Document = dict[str, Any]


def translate(text: str, line: str) -> str:
    """Return manifest text for a router line; the edition's own line gets the same bytes.

    `text` may hold several documents. Raises LabError, naming the plugin, when the line
    cannot do what a configuration asks for, and when the line is unknown.
    """
    pins = edition.versions()
    if line == pins["router"]:
        return text
    if line != pins["router-offline"]:
        message = f"No rules for router {line}: known are {pins['router']} and {pins['router-offline']}."
        raise LabError(message)
    yaml = _yaml()
    documents = [document for document in yaml.load_all(text) if document is not None]
    for document in documents:
        for rule in rules():
            if rule["kind"] in MANIFEST_RULES:
                MANIFEST_RULES[rule["kind"]](document, rule)
        _translate_configurations(document)
    out = StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules in the order in which they are applied."""
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return tuple(tomllib.load(file)["rules"])


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _replace_image(document: Document, rule: Rule) -> None:
    for container in _containers(document):
        if container.get("image") == edition.fill(rule["from"]):
            container["image"] = edition.fill(rule["to"])


def _replace_group(document: Document, rule: Rule) -> None:
    group, _, version = str(document.get("apiVersion", "")).partition("/")
    if document.get("kind") in rule["kinds"] and group == rule["from"]:
        document["apiVersion"] = f"{rule['to']}/{version}"


def _drop_flags(document: Document, rule: Rule) -> None:
    endings = tuple(f"--{flag}" for flag in rule["flags"])
    for container in _containers(document):
        if "args" in container:
            kept = [word for word in container["args"] if str(word).split("=")[0] not in endings]
            container["args"][:] = kept


MANIFEST_RULES: dict[str, Callable[[Document, Rule], None]] = {
    "image": _replace_image,
    "api-group": _replace_group,
    "flags-dropped": _drop_flags,
}


def _translate_configurations(document: Document) -> None:
    if document.get("kind") != "ConfigMap":
        return
    for key, text in document.get("data", {}).items():
        if f"kind: {CONFIGURATION}" in text:
            document["data"][key] = LiteralScalarString(_translate_configuration(text))


def _translate_configuration(text: str) -> str:
    yaml = _yaml()
    configuration: Document = yaml.load(text)
    for rule in rules():
        if rule["kind"] in CONFIGURATION_RULES:
            CONFIGURATION_RULES[rule["kind"]](configuration, rule)
    out = StringIO()
    yaml.dump(configuration, out)
    return out.getvalue()


def _replace_version(configuration: Document, rule: Rule) -> None:
    if configuration.get("apiVersion") == rule["from"]:
        configuration["apiVersion"] = rule["to"]


def _rename_plugin(configuration: Document, rule: Rule) -> None:
    for plugin in configuration.get("plugins", []):
        if plugin["type"] == rule["from"]:
            # References go by name, which is the type unless the plugin has its own.
            plugin.setdefault("name", rule["from"])
            plugin["type"] = rule["to"]


def _drop_plugins(configuration: Document, rule: Rule) -> None:
    for block in rule["blocks"]:
        configuration.pop(block, None)
    plugins = configuration.get("plugins", [])
    gone = {plugin.get("name", plugin["type"]) for plugin in plugins if plugin["type"] in rule["plugins"]}
    plugins[:] = [plugin for plugin in plugins if plugin["type"] not in rule["plugins"]]
    for profile in configuration.get("schedulingProfiles", []):
        references = profile.get("plugins", [])
        references[:] = [entry for entry in references if entry["pluginRef"] not in gone]


def _add_parameter(configuration: Document, rule: Rule) -> None:
    for plugin in configuration.get("plugins", []):
        if plugin["type"] == rule["plugin"]:
            plugin.setdefault("parameters", {}).setdefault(rule["parameter"], rule["value"])


def _refuse_others(configuration: Document, rule: Rule) -> None:
    for plugin in configuration.get("plugins", []):
        if plugin["type"] not in rule["plugins"]:
            needed = edition.versions()["router"]
            message = f"The plugin {plugin['type']} needs router {needed}: the older line has no counterpart."
            raise LabError(message)


CONFIGURATION_RULES: dict[str, Callable[[Document, Rule], None]] = {
    "configuration-version": _replace_version,
    "plugin-renamed": _rename_plugin,
    "plugins-dropped": _drop_plugins,
    "parameter-added": _add_parameter,
    "plugins-kept": _refuse_others,
}


def _containers(document: Document) -> list[dict[str, Any]]:
    """Return the containers of a pod or of anything that makes pods."""
    spec = document.get("spec", {}) or {}
    template = spec.get("template", {}) if isinstance(spec, dict) else {}
    pod = template.get("spec", {}) if isinstance(template, dict) and template else spec
    if not isinstance(pod, dict):
        return []
    return [*pod.get("initContainers", []), *pod.get("containers", [])]
