"""Which line a configuration is written for, and what a line does not know (rule 17)."""

from __future__ import annotations

from collections.abc import Iterator

from lab.errors import LabError
from lab.router_lines.configuration import Mapping, blocks, name_of, parameters, plugins
from lab.router_lines.passing import Pass
from lab.router_lines.table import Line, known, table, version


def require_shape(configuration: Mapping, where: str) -> None:
    """Raise LabError unless plugins and profiles are lists that can be worked through."""
    for key in ("plugins", "schedulingProfiles"):
        entries = configuration.get(key) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            message = f"{where}: {key} must be a list of mappings; correct it first."
            raise LabError(message)
    for plugin in plugins(configuration):
        if not isinstance(plugin.get("type"), str) or not isinstance(parameters(plugin), dict):
            message = (
                f"{where}: each plugin needs a type, and its parameters are a mapping; correct it first."
            )
            raise LabError(message)


def written_for(configuration: Mapping) -> Line:
    """Tell which line a configuration is written for.

    Its apiVersion says so, except that the newer line still reads the old one: then a
    field or a plugin that only the newer line has decides.
    """
    version = next(rule for rule in table()["rules"] if rule["kind"] == "version")
    if configuration.get("apiVersion") == version["newer"]:
        return "newer"
    fields = known("fields", "newer")[""]
    old_fields = known("fields", "older")[""]
    if any(field in fields and field not in old_fields for field in configuration):
        return "newer"
    own = table()["plugins"]["newer"].keys() - known("plugins", "older").keys()
    own |= {*table()["absent"]["older"]}
    return "newer" if any(plugin["type"] in own for plugin in plugins(configuration)) else "older"


def refuse_unknown(configuration: Mapping, work: Pass) -> None:
    """Refuse, by name, each field, plugin and parameter that the target line lacks."""
    for name, fields in known("fields", work.to).items():
        for path, block in blocks(configuration, name):
            for key in block.keys() - {*fields}:
                work.refuse(f"the field {path}.{key}" if path else f"the field {key}")
    known_parameters = known("plugins", work.to)
    for plugin in plugins(configuration):
        kind = plugin["type"]
        if kind in table()["refused"][work.to] or kind not in known_parameters:
            work.refuse(
                f"the plugin {kind}", work.hint(kind) or f"{version(work.to)} has no plugin of this name"
            )
            continue
        for key in parameters(plugin).keys() - {*known_parameters[kind]}:
            work.refuse(f"the parameter {key} of {name_of(plugin)}")
        for key, nested in _nested(plugin, work.to):
            work.refuse(f"the key {nested} in {key} of {name_of(plugin)}")


def _nested(plugin: Mapping, line: Line) -> Iterator[tuple[str, str]]:
    """Yield the keys inside a parameter that a line does not know."""
    for key, fields in table()["nested"].get(line, {}).items():
        for entry in parameters(plugin).get(key) or []:
            for nested in entry.keys() - {*fields}:
                yield key, nested
