"""Where the model servers' metrics come from: the data layer of both lines."""

from __future__ import annotations

from typing import Any

from lab.router_lines.configuration import (
    Applier,
    Mapping,
    add_gate,
    add_plugin,
    gates,
    name_of,
    of_type,
    parameters,
    put,
    references,
    remove_plugin,
    set_parameter,
    type_named,
)
from lab.router_lines.passing import Pass
from lab.router_lines.table import Rule


def _data_layer(configuration: Mapping, rule: Rule, work: Pass) -> None:
    (_to_older if work.to == "older" else _to_newer)(configuration, rule, work)


def _to_older(configuration: Mapping, rule: Rule, work: Pass) -> None:
    newer, older = rule["newer"], rule["older"]
    block = configuration.pop(newer["block"], None)
    for key in (block or {}).keys() - {"injectDefaults", "sources"}:
        work.refuse(f"{key} of {newer['block']}")
    sources = _all_sources(block or {}, newer)
    if not sources:
        work.refuse(f"a {newer['block']} without sources")
    if _is_built_in(configuration, sources, newer):
        if block is not None:
            work.changed(rule, f"{newer['block']} is left out", "built-in")
        _parameters_to_flags(configuration, rule, work)
        _remove(configuration, [newer["source"], newer["extractor"]], rule, work, "built-in")
        return
    for wanted in (newer["source"], newer["extractor"]):
        named = {reference["pluginRef"] for reference in references(sources)}
        if (
            wanted in named
            and type_named(configuration, wanted) == wanted
            and not of_type(configuration, wanted)
        ):
            add_plugin(configuration, {"type": wanted})
    put(configuration, older["block"], {"sources": sources})
    add_gate(configuration, older["gate"])
    work.changed(
        rule, f"{newer['block']} becomes {older['block']}, with the feature gate {older['gate']}", "moved"
    )


def _all_sources(block: Mapping, newer: Mapping) -> list[Any]:
    """Return the sources that the newer line has: those listed, and the default one."""
    sources = list(block.get("sources") or [])
    # The program looks for the type's name among the references, not for the type.
    listed = any(source["pluginRef"] == newer["source"] for source in sources)
    if block.get("injectDefaults", True) and not listed:
        sources.append({"pluginRef": newer["source"], "extractors": [{"pluginRef": newer["extractor"]}]})
    return sources


def _is_built_in(configuration: Mapping, sources: list[Any], newer: Mapping) -> bool:
    """Tell whether these are the source and the extractor that the older line has built in."""
    types = [type_named(configuration, reference["pluginRef"]) for reference in references(sources)]
    extractors = of_type(configuration, newer["extractor"])
    return types == [newer["source"], newer["extractor"]] and not any(map(parameters, extractors))


def _parameters_to_flags(configuration: Mapping, rule: Rule, work: Pass) -> None:
    for source in of_type(configuration, rule["newer"]["source"]):
        for key, value in parameters(source).items():
            flag = rule["flags"].get(key)
            if flag is None:
                work.refuse(f"{key} of {name_of(source)}")
            elif value != flag["default"]:
                work.flags[key] = value


def _remove(configuration: Mapping, types: list[str], rule: Rule, work: Pass, reason: str) -> None:
    for plugin in of_type(configuration, *types):
        remove_plugin(configuration, plugin)
        work.changed(rule, f"plugin {name_of(plugin)} is left out", reason)


def _to_newer(configuration: Mapping, rule: Rule, work: Pass) -> None:
    newer, older = rule["newer"], rule["older"]
    gate = gates(configuration).get(older["gate"], False)
    block = configuration.pop(older["block"], None)
    if not gate:
        unused = [older["source"], older["extractor"]]
        _remove(configuration, unused, rule, work, "unused")
        if work.flags:
            plugin: Mapping = {"type": newer["source"]}
            for key, value in work.flags.items():
                set_parameter(plugin, key, value)
            add_plugin(configuration, plugin)
            told = ", ".join(f"{key} {value}" for key, value in work.flags.items())
            work.changed(rule, f"plugin {newer['source']} is added with {told}", "parameter")
    work.flags.clear()
    if block is not None:
        sources = block.get("sources") or []
        listed = any(source["pluginRef"] == newer["source"] for source in sources)
        alone = {"injectDefaults": False} if gate and not listed else {}
        put(configuration, newer["block"], {**alone, "sources": sources})
        work.changed(rule, f"{older['block']} becomes {newer['block']}", "back")
        if alone:
            work.changed(rule, f"injectDefaults of {newer['block']} is set to false", "defaults")


RULES: dict[str, Applier] = {"data-layer": _data_layer}
